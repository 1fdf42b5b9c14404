"""Corrections are believed by their signature only: who may sign, and what is refused by which rule."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from assets.feedback import ROW, SIGNED, sign_feedback, write_feedback
from assets.outcome import Outcome
from assets.raw.drops import MANIFEST, discover
from assets.raw.ingest import RawReport, ingest
from assets.served.approval.actions import Hold
from assets.served.approval.feedback import FeedbackStore
from assets.served.approval.held import Held, HeldStore, Proposed
from expectations.policy import Policy
from resources.clock import parse
from resources.errors import InputError
from resources.line_cipher import LineCipher
from resources.object_store import ObjectStore
from resources.signer import KeyRing, SigningKey, revoke

NOW = parse("2026-11-27T12:00:00Z")
FIELDS = {"prompt": "Where is my parcel?", "completion": "In depot 7."}


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    SigningKey.pipeline(tmp_path / "keys")
    return tmp_path / "keys"


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    (tmp_path / "drops").mkdir()
    return ObjectStore.open((tmp_path / "drops").as_uri())


@pytest.fixture
def read(store: ObjectStore, keys: Path, tmp_path: Path) -> Callable[[], tuple[list[Outcome], RawReport]]:
    """Ingest the only drop in the store under the keys of the workspace."""

    def ingested() -> tuple[list[Outcome], RawReport]:
        (drop,) = discover(store)
        report = RawReport()
        return list(ingest(store, drop, tmp_path, report, ring=KeyRing.open(keys))), report

    return ingested


Read = Callable[[], tuple[list[Outcome], RawReport]]


def refused(read: Read) -> tuple[str, str]:
    """Rule and reason by which every object is refused; the gate of unusable objects must fail."""
    outcomes, report = read()
    assert outcomes and all(outcome.fate == "rejected" for outcome in outcomes)
    gates = Policy.load().judge("raw_drop", report.metrics())
    assert "fail" in {gate.verdict for gate in gates if gate.metric == "unusable_objects"}
    removal = outcomes[0].removal
    assert removal is not None
    return removal.rule, removal.reason


def own(store: ObjectStore, reviewer: str = "ann") -> Path:
    """A folder of corrections made with somebody's own tool."""
    folder = Path(store.uri.removeprefix("file://")) / "week"
    (folder / "more").mkdir(parents=True)
    (folder / "more" / "rows.jsonl").write_text(json.dumps(FIELDS) + "\n")
    (folder / MANIFEST).write_text(json.dumps({"kind": "feedback", "reviewer": reviewer}))
    return folder


def held_back(store: ObjectStore, keys: Path, tmp_path: Path, **proposed: Any) -> tuple[Held, Path]:
    """The drop of a held call that ada let through with other arguments."""
    held_store = HeldStore(tmp_path / "held.sqlite", LineCipher(bytes(32)))
    fields = {"tool": "refund", "proposal": {"amount": 80}, "requester": "shop", "release": "r1", "retry": "1"}
    proposal = Proposed(conversation=[{"role": "user", "content": "refund me"}], **{**fields, **proposed})
    held = held_store.hold(proposal, Hold(quorum=2), "rule", now=NOW)
    edited = {"amount": 40} if held.tool else "Please ask your doctor."
    for who, form in (("cy", None), ("ada", edited), ("ben", edited)):
        body = held_store.draft(held, "approve", who, "less", edited=form, now=NOW + timedelta(minutes=1))
        envelope = SigningKey.reviewer(keys, who).sign(body)
        held = held_store.decide(held.held, envelope, keys, {}, edited=form, now=NOW + timedelta(minutes=1))
    folder = FeedbackStore(store, SigningKey.pipeline(keys)).give_back(held)
    return held, Path(store.uri.removeprefix("file://")) / folder


@pytest.mark.parametrize("proposed", [{}, {"tool": "", "proposal": "Take two pills."}])
def test_a_held_correction_is_read_in_the_name_of_who_let_it_through(
    store: ObjectStore, keys: Path, tmp_path: Path, read: Read, proposed: dict[str, Any]
) -> None:
    held, _ = held_back(store, keys, tmp_path, **proposed)
    ([outcome], report) = read()
    assert outcome.fate == "passed" and outcome.record.origin.author == "ben" and not report.objects[0].fault
    assert [word.reviewer for word in held.agreed] == ["ada", "ben"]  # cy let another form through


def test_what_the_pipeline_signed_counts_only_with_the_words_of_those_who_let_it_through(
    store: ObjectStore, keys: Path, tmp_path: Path, read: Read
) -> None:
    _, folder = held_back(store, keys, tmp_path)
    envelope = json.loads((folder / SIGNED).read_text())
    said = json.loads(base64.b64decode(envelope["payload"]))["predicate"]
    row, described = json.loads((folder / ROW).read_text()), {"author": "ben"}
    pipeline = SigningKey.pipeline(keys)
    write_feedback(store, folder.name, row, described, {**said, "decisions": []}, pipeline)
    assert refused(read) == (
        "feedback-signature", f"{folder.name}/: is a correction that no reviewer let through in this form",
    )  # fmt: skip
    row["messages"][-1]["tool_calls"][0]["function"]["arguments"] = '{"amount": 8000}'
    write_feedback(store, folder.name, row, described, said, pipeline)  # whoever has the pipeline's key alone
    assert "no reviewer let through" in refused(read)[1]
    row["messages"][-1]["tool_calls"] = "none"
    write_feedback(store, folder.name, row, described, said, pipeline)
    assert "no corrected conversation" in refused(read)[1]


def test_own_corrections_are_signed_by_their_reviewer(store: ObjectStore, keys: Path, read: Read) -> None:
    folder = own(store)
    assert refused(read) == (
        "feedback-unsigned", f"week/ is of kind feedback, and has no {SIGNED} that says who answers for it",
    )  # fmt: skip
    assert sign_feedback(folder, SigningKey.reviewer(keys, "ann")) == 2
    ([outcome], _) = read()
    assert outcome.fate == "passed" and outcome.record.origin.author == "ann"


def test_a_forged_altered_or_revoked_drop_is_refused_by_rule(
    store: ObjectStore, keys: Path, tmp_path: Path, read: Read
) -> None:
    folder, rows = own(store), own_rows(store)
    sign_feedback(folder, SigningKey.reviewer(tmp_path / "stranger", "ann"))
    rule, why = refused(read)
    assert rule == "feedback-signature" and "no trusted pipeline key" in why and why.startswith("week/")
    sign_feedback(folder, SigningKey.reviewer(keys, "ann"))
    good = rows.read_text()
    rows.write_text(good.replace("depot 7", "depot 8"))
    assert refused(read) == ("feedback-signature", "is not what ann signed")
    rows.write_text(good)
    (folder / "extra.jsonl").write_text(good.replace("depot 7", "depot 9"))
    outcomes, _ = read()
    assert [outcome.removal and outcome.removal.rule for outcome in outcomes] == ["feedback-signature", None]
    (folder / "extra.jsonl").unlink()
    manifest = folder / MANIFEST
    manifest.write_text(json.dumps({"kind": "feedback", "reviewer": "bob"}))
    assert "is not what was signed" in refused(read)[1]
    manifest.write_text(json.dumps({"kind": "feedback", "reviewer": "ann"}))
    assert read()[0][0].fate == "passed"
    (folder / SIGNED).write_text("{}")
    assert "no signed statement" in refused(read)[1]
    revoke(keys, SigningKey.reviewer(keys, "ann").public.keyid, "2026-01-01T00:00:00Z", "stolen")
    sign_feedback(folder, SigningKey.reviewer(keys, "ann"))
    assert "was revoked" in refused(read)[1]


def own_rows(store: ObjectStore) -> Path:
    return Path(store.uri.removeprefix("file://")) / "week" / "more" / "rows.jsonl"


def test_nobody_signs_in_anothers_name(store: ObjectStore, keys: Path, read: Read) -> None:
    folder = own(store, "bob")
    with pytest.raises(InputError, match="not feedback by ann"):
        sign_feedback(folder, SigningKey.reviewer(keys, "ann"))
    (folder / MANIFEST).write_text("{")
    with pytest.raises(InputError, match="drop-manifest"):
        sign_feedback(folder, SigningKey.reviewer(keys, "ann"))
    key = SigningKey.reviewer(keys, "ann")
    write_feedback(store, "week", FIELDS, {"author": "bob"}, {"reviewer": "bob"}, key)
    (folder / "more" / "rows.jsonl").unlink()
    assert refused(read) == ("feedback-signature", "week/: says it is by bob, and is signed by ann")
    write_feedback(store, "week", FIELDS, {"source": "x"}, {"reviewer": ""}, SigningKey.pipeline(keys))
    assert "says it is by nobody" in refused(read)[1]


def test_the_authors_name_is_the_signed_one_whatever_the_object_says(
    store: ObjectStore, keys: Path, read: Read
) -> None:
    write_feedback(store, "week", FIELDS, {"author": "ann"}, {"reviewer": "ann"}, SigningKey.pipeline(keys))
    body = own_rows(store).parents[1] / ROW
    store.put(body.read_bytes(), f"week/{ROW}", {"author": "mallory"})
    ([outcome], _) = read()
    assert outcome.record.origin.author == "ann"
