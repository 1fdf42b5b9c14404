"""JUnit XML of gates, which every CI server reads: a suite a stage and drop, a test case a gate.

    pass            a test case with nothing in it
    fail            ``<failure>``
    inconclusive    ``<error>``: the gate could not be decided

An inconclusive gate is an error and no skipped test, since a CI server shows skipped tests as green, and what was not
proven is not safe. Element and attribute names as in the schema that Apache Ant's JUnit task wrote.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree  # written only, never parsed

import click

from expectations.policy import GateResult
from resources.artifacts import WHOLE, write_whole

NO_XML = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")
ELEMENT = {"fail": "failure", "inconclusive": "error"}
junit_option = click.option(
    "--junit",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the gates go as JUnit XML, for a CI server; an inconclusive gate is an error there, no skipped test.",
)
Judged = tuple[str, GateResult]  # the drop, or ``all``, and what was judged of it


def write_junit(path: Path, name: str, gates: Iterable[GateResult]) -> None:
    """The gates of one stage alone."""
    write_judged(path, name, ((WHOLE, gate) for gate in gates))


def write_judged(path: Path, name: str, judged: Iterable[Judged], flaws: Iterable[str] = ()) -> None:
    """The gates of several stages. ``flaws``: why the evidence itself cannot be used; each is a failed case."""
    root = ElementTree.Element("testsuites", name=f"hallmark {name}")
    suites: dict[str, ElementTree.Element] = {}
    for partition, result in judged:
        suite = result.stage if partition in ("", WHOLE) else f"{result.stage}@{partition}"
        case = _case(root, suites, suite, result.gate)
        if result.verdict != "pass":
            told = ElementTree.SubElement(
                case, ELEMENT[result.verdict], type=result.verdict, message=_clean(result.reason)
            )
            told.text = _clean(f"{result.reason}\nlimit: {result.metric} {result.limit}")
    for number, flaw in enumerate(flaws, start=1):
        case = _case(root, suites, "evidence", f"flaw {number}")
        ElementTree.SubElement(case, "failure", type="flaw", message=_clean(flaw)).text = _clean(flaw)
    for element in (*suites.values(), root):
        for attribute, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
            element.set(attribute, str(len(list(element.iter(tag)))))
    ElementTree.indent(root)
    write_whole(path, ElementTree.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")


def _case(
    root: ElementTree.Element, suites: dict[str, ElementTree.Element], suite: str, gate: str
) -> ElementTree.Element:
    if suite not in suites:
        suites[suite] = ElementTree.SubElement(root, "testsuite", name=suite)
    return ElementTree.SubElement(suites[suite], "testcase", classname=f"hallmark.{suite}", name=gate, time="0")


def _clean(text: str) -> str:
    """Without the characters that XML 1.0 cannot carry (section 2.2)."""
    return NO_XML.sub("\ufffd", text)
