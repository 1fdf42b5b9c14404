"""The review queue: what waits is listed without its text, a decision has a name and a reason, and is replayed."""

import json
from pathlib import Path

import pytest

from assets.outcome import Outcome, Removal, write_outcomes
from assets.record import Origin, Record
from assets.review import Decisions, corrected, decide
from assets.waiting import Item, Queue, find
from resources.artifacts import ArtifactStore
from resources.decision_log import DecisionLog
from resources.errors import InputError, IntegrityError, UsageError
from resources.line_cipher import LineCipher

CIPHER = LineCipher(bytes(32))
FINDING = {"fingerprint": "f1nding0", "kind": "trigger-payload", "sentence": "2 rows answer x when y", "rows": 2}


def row(name: str, **fields: object) -> Record:
    return Record(name, fields or {"prompt": "p", "completion": "c"}, Origin("a.jsonl", "v", 7, "00"))


def waiting(name: str, stage: str = "screened_records", fingerprint: str = "") -> Outcome:
    return Outcome(row(name), "quarantined", Removal(stage, "rule", "because", "masked", fingerprint))


def house(root: Path) -> ArtifactStore:
    store = ArtifactStore(root)
    outcomes = {
        "validated_records": [waiting("row-aaaa", "validated_records"), Outcome(row("row-bbbb"))],
        "screened_records": [waiting("row-cccc", fingerprint="f1nding0"), waiting("row-dddd")],
    }
    for stage, rows in outcomes.items():
        with store.draft(stage, "d1", "1", {}) as draft:
            write_outcomes(draft.folder, rows, CIPHER if stage == "validated_records" else None)
            draft.seal(details={"open": [FINDING] if stage == "screened_records" else []})
    return store


def queue(store: ArtifactStore, cipher: LineCipher) -> list[Item]:
    return list(Queue(store, cipher).items())


def test_findings_and_rows_wait_and_rows_of_a_finding_are_listed_once(tmp_path: Path) -> None:
    items = list(queue(house(tmp_path), CIPHER))
    assert [item.name for item in items] == ["row-aaaa", "f1nding0", "row-dddd"]
    assert [item.readable for item in items] == [False, False, True]


def test_a_decision_needs_a_name_and_a_reason(tmp_path: Path) -> None:
    [item, *_] = queue(house(tmp_path), CIPHER)
    for reviewer, reason in (("", "fine"), ("ann", "  ")):
        with pytest.raises(UsageError, match="reviewer and a reason"):
            decide(DecisionLog(tmp_path / "log.jsonl"), [item], "release", reviewer, reason)
    assert not (tmp_path / "log.jsonl").exists()


def test_decisions_are_applied_and_the_last_word_counts(tmp_path: Path) -> None:
    log, items = DecisionLog(tmp_path / "log.jsonl"), list(queue(house(tmp_path), CIPHER))
    decide(log, [find(items, "row-dddd")], "reject", "ann", "spam")
    before = Decisions.read(log, "screened_records")
    assert [outcome.fate for outcome in before.overrule([waiting("row-dddd")])] == ["rejected"]
    decide(log, [find(items, "row-dddd")], "release", "ann", "I was wrong")
    after = Decisions.read(log, "screened_records")
    assert [outcome.fate for outcome in after.overrule([waiting("row-dddd")])] == ["passed"]
    assert before.digest != after.digest
    assert [outcome.fate for outcome in after.overrule([waiting("row-eeee")])] == ["quarantined"]
    assert Decisions.read(log, "validated_records").by_target == {}


def test_a_finding_called_poison_rejects_its_rows_with_the_name_of_who_said_so(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path / "log.jsonl")
    decide(log, [find(queue(house(tmp_path), CIPHER), "f1nding0")], "reject", "ann", "planted")
    decisions = Decisions.read(log, "screened_records")
    [poison, other] = decisions.overrule([waiting("row-cccc", fingerprint="f1nding0"), waiting("row-dddd")])
    assert poison.fate == "rejected" and "rejected by ann: planted" in poison.removal.reason
    assert other.fate == "quarantined"
    assert decisions.rejected == {"f1nding0"} and decisions.released == frozenset()


def test_only_what_waits_can_be_decided(tmp_path: Path) -> None:
    items = list(queue(house(tmp_path), CIPHER))
    with pytest.raises(UsageError, match="nothing that waits"):
        find(items, "row-bbbb")
    with pytest.raises(UsageError, match="several"):
        find(items, "row-")


def test_a_rewritten_decision_is_found(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path / "log.jsonl")
    decide(log, [find(queue(house(tmp_path), CIPHER), "row-dddd")], "reject", "ann", "spam")
    log.path.write_text(log.path.read_text().replace('"reject"', '"release"'))
    with pytest.raises(IntegrityError):
        Decisions.read(log, "screened_records")


def test_a_correction_replaces_the_last_answer() -> None:
    turns = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    assert corrected(row("r", messages=turns), "better")["messages"][1]["content"] == "better"
    assert corrected(row("r", instruction="q", output="a"), "better")["output"] == "better"
    with pytest.raises(InputError, match="no answer"):
        corrected(row("r", text="t"), "better")


def test_the_log_names_no_text_of_the_row(tmp_path: Path) -> None:
    log = DecisionLog(tmp_path / "log.jsonl")
    decide(log, [find(queue(house(tmp_path), CIPHER), "row-dddd")], "release", "ann", "fine")
    [entry] = log.entries("review")
    assert set(entry.body) == {"action", "target", "stage", "reviewer", "reason"}
    assert "completion" not in json.dumps(entry.body)
