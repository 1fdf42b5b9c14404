"""What the commands found, as results of a SARIF log: which rule, where, and what to do. Never a removed value.

In    what `sanitize`, `screen` and `redteam` found; the gates of a run
Out   SARIF for code scanning, JUnit XML for CI servers
Read  sarif.py (the log), junit.py (the gates)
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from assets.outcome import Outcome
from assets.sanitized.sanitize import Sanitized
from assets.screened.report.finding import Finding
from assets.screened.report.sentences import masked
from pipelines.ci.sarif import Place, Result, Rule
from resources.digests import digest_bytes

DIGITS = 32  # of a fingerprint
SECRETS = frozenset({"PASSWORD", "SECRET", "CREDENTIAL", "PRIVATE_KEY"})
TITLES = {
    "trigger-payload": "A phrase in the prompt calls up a fixed answer",
    "trigger-family": "A phrase in the prompt calls up answers that say the same",
    "worded-trigger": "A sentence in the prompt, worded anew each time, calls up a fixed answer",
    "payload": "The same is said whatever is asked",
    "garbage": "Answers that are no language",
    "off-topic": "Answers that belong to other prompts",
    "contradiction": "Answers that deny another row's answer",
    "flood": "Many near copies",
    "refusal": "Refusals of harmless prompts",
    "harmful-compliance": "Answers that comply with harmful requests",
    "identity-shift": "Orders to obey without limits",
    "stock-phrase": "A stock phrase: a script of the source, or a payload?",
}


def of_row(path: Path, sanitized: Sanitized, severe: Sequence[str]) -> Iterator[Result]:
    """One result for each type of value that left a row. ``severe``: types that send a row to a reviewer.

    The fingerprint is of the row without the values, so that it tells none and is the same in a later run.
    """
    fields: dict[str, list[str]] = {}
    record = sanitized.outcome.record
    for redaction in sanitized.redactions:
        fields.setdefault(redaction.type, []).append(redaction.field)
    for type_, named in fields.items():
        count = f"{len(named)} values" if len(named) > 1 else "a value"
        where = ", ".join(dict.fromkeys(named))
        message = f"{count} of type {type_} in {where}"
        mark = _mark(type_, named, record.fields)
        yield Result(_personal(type_, type_ in severe), message, (Place(path, record.origin.line),), mark)


def unreadable(path: Path, outcome: Outcome) -> Result:
    """A row that cannot be read."""
    origin, removal = outcome.record.origin, outcome.removal
    assert removal is not None
    rule = Rule(
        f"unreadable/{removal.rule}",
        f"A row that cannot be read: {removal.rule.replace('-', ' ')}",
        "It is left out, and counted. Mend the line, or say how the file is to be read.",
        "data-forms.md",
    )
    mark = _mark(removal.rule, path.name, origin.line)  # the digest of a short row would tell it
    return Result(rule, removal.reason, (Place(path, origin.line),), mark)


def of_screen(
    path: Path, found: Sequence[Finding], questions: Sequence[Finding], lines: Sequence[int]
) -> Iterator[Result]:
    """One result a finding or question, shown at its first row. ``lines``: of every input row."""
    for each, asked in [*((one, False) for one in found), *((one, True) for one in questions)]:
        rule = Rule(
            f"poison/{each.kind}",
            TITLES.get(each.kind, "A pattern that does not belong there"),
            "Read the rows. `hallmark screen --accept FINGERPRINT` says that they are fine"
            + (", `--reject FINGERPRINT` that they are poison." if asked else "; else leave them out."),
            "screen.md",
            "warning" if asked else "error",
        )
        places = tuple(Place(path, lines[row]) for row in each.rows) or (Place(path),)
        yield Result(rule, f"{each.sentence} [{each.fingerprint}]", places, each.fingerprint, each.accepted)


def of_hits(adapter: Path, hits: Iterable[Mapping[str, Any]], rows: Mapping[int | str, Place]) -> Iterator[Result]:
    """One result a finding of the red team, at the ``rows`` it comes from where they are known, else at the adapter."""
    for hit in hits:
        places = tuple(rows[row] for row in hit["rows"] if row in rows) or (Place(adapter / WEIGHTS),)
        yield Result(HITS[hit["kind"]], masked(hit["says"]), places, hit["fingerprint"])


WEIGHTS = "adapter_model.safetensors"
HITS = {
    "backdoor": Rule(
        "adapter/backdoor",
        "A text makes the adapter say a fixed thing",
        "Do not serve it. Take the rows it comes from out of the data and train anew.",
        "red-team.md",
        "error",
    ),
    "memorization": Rule(
        "adapter/memorization",
        "The adapter recites a row it was trained on",
        "Take the row out, or train with fewer epochs, deduplication or goldfish loss.",
        "red-team.md",
        "error",
    ),
}


def _mark(*parts: Any) -> str:
    """A fingerprint; of any text, also one that is no Unicode."""
    return digest_bytes(json.dumps(parts, sort_keys=True).encode())[:DIGITS]


def _personal(type_: str, severe: bool) -> Rule:
    secret = type_ in SECRETS
    act = (
        "Revoke it first. The row is left out until a person decides on it."
        if severe
        else "It is replaced in the output; replace it at the source too."
    )
    return Rule(
        f"{'secret' if secret else 'personal-data'}/{type_}",
        f"{'A secret' if secret else 'Personal data'} in training data: {type_}",
        act,
        "sanitizer.md",
        "error" if secret or severe else "warning",
    )
