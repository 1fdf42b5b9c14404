"""Gates as JUnit XML: an inconclusive gate is never green, and any text survives."""

from pathlib import Path
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.policy import Gate
from pipelines.ci.junit import write_judged, write_junit
from resources.artifacts import Metric

GATES = [Gate(name=name, stage="lora_adapter", metric=name, max=1.0) for name in ("kept", "broken", "unknown")]
METRICS = {"kept": Metric(0.5), "broken": Metric(2.0), "unknown": Metric(None, missing="no rows <&> \x00 to measure")}


def results():
    return [gate.judge(METRICS) for gate in GATES]


def test_each_verdict_has_its_own_element(tmp_path: Path) -> None:
    write_junit(tmp_path / "gates.xml", "evaluate", results())
    root = ElementTree.parse(tmp_path / "gates.xml").getroot()
    assert root.tag == "testsuites" and (root.get("tests"), root.get("failures"), root.get("errors")) == ("3", "1", "1")
    [suite] = root
    assert (suite.tag, suite.get("name"), suite.get("tests")) == ("testsuite", "lora_adapter", "3")
    kept, broken, unknown = suite
    assert [case.get("name") for case in suite] == ["kept", "broken", "unknown"]
    assert len(kept) == 0
    assert [child.tag for child in broken] == ["failure"] and "limit" in (broken[0].get("message") or "")
    assert [child.tag for child in unknown] == ["error"] and "no rows <&>" in (unknown[0].get("message") or "")
    assert not root.findall(".//skipped")


def test_the_same_gate_of_two_drops_is_two_cases_and_a_flaw_fails(tmp_path: Path) -> None:
    gate = results()[0]
    write_judged(tmp_path / "g.xml", "run", [("a", gate), ("b", gate), ("all", gate)], ["the base was exchanged"])
    root = ElementTree.parse(tmp_path / "g.xml").getroot()
    assert [suite.get("name") for suite in root] == ["lora_adapter@a", "lora_adapter@b", "lora_adapter", "evidence"]
    assert root.get("failures") == "1" and "exchanged" in (root[-1][0][0].get("message") or "")


@settings(max_examples=30)
@given(st.text())
def test_any_reason_gives_xml_that_parses(tmp_path_factory, reason: str) -> None:
    path = tmp_path_factory.mktemp("junit") / "gates.xml"
    write_junit(path, "evaluate", [results()[1].model_copy(update={"reason": reason})])
    assert len(list(ElementTree.parse(path).getroot().iter("failure"))) == 1
