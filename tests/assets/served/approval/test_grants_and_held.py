"""A held call is decided by the people its rule names, once; its grant is good for one use of that very call."""

import multiprocessing
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from assets.served.approval.actions import Hold
from assets.served.approval.grants import Spent, prove_grant
from assets.served.approval.held import Held, HeldNotFound, HeldStore, Proposed
from resources.clock import parse, utc
from resources.errors import ApprovalRefused, HallmarkError, IntegrityError, StoreError
from resources.line_cipher import LineCipher
from resources.signer import KeyRing, SigningKey, revoke

ARGUMENTS = {"order": "A-1", "amount": 80}
ROLES = {"ada": ("payments",), "ben": ("payments",), "cy": ("legal",)}
NOW = parse("2026-11-27T12:00:00Z")


@pytest.fixture
def store(tmp_path: Path) -> HeldStore:
    return HeldStore(tmp_path / "served" / "held.sqlite", LineCipher(bytes(32)))


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    SigningKey.pipeline(tmp_path / "keys")
    for name in ROLES:
        SigningKey.reviewer(tmp_path / "keys", name)
    return tmp_path / "keys"


def proposed(retry: str = "r1", **more: Any) -> Proposed:
    fields = {"tool": "refund", "proposal": ARGUMENTS, "requester": "shop", "release": "rel-1"} | more
    return Proposed(conversation=[{"role": "user", "content": "refund me"}], retry=retry, **fields)


def say(
    store: HeldStore,
    held: Held,
    keys: Path,
    outcome: Any = "approve",
    who: str = "ada",
    edited: Any = None,
    now: Any = NOW,
) -> Held:
    body = store.draft(held, outcome, who, "checked", edited=edited, now=now)
    return store.decide(held.held, SigningKey.reviewer(keys, who).sign(body), keys, ROLES, edited=edited, now=now)


def test_an_approved_call_carries_a_grant_that_works_once_and_for_nothing_else(
    store: HeldStore, keys: Path, tmp_path: Path
) -> None:
    held = store.hold(proposed(), Hold(by=("payments",)), "listed", now=NOW)
    done = say(store, held, keys)
    assert (done.status, done.final, done.edited) == ("approved", ARGUMENTS, False)
    ring = KeyRing.open(keys)
    grant = prove_grant(
        done.token, ring, tool="refund", arguments=ARGUMENTS, requester="shop", release="rel-1", now=NOW
    )
    assert grant.reviewers == ("ada",)
    for wrong, message in [
        ({"arguments": {**ARGUMENTS, "amount": 81}}, "other arguments"),
        ({"tool": "transfer"}, "for tool"),
        ({"requester": "thief"}, "for requester"),
        ({"release": "rel-2"}, "for release"),
        ({"quorum": 2}, "1 of 2"),
        ({"now": NOW + timedelta(minutes=16)}, "expired"),
    ]:
        with pytest.raises(ApprovalRefused, match=message):
            prove_grant(done.token, ring, **{"tool": "refund", "arguments": ARGUMENTS, "now": NOW, **wrong})  # type: ignore[arg-type]
    spent = Spent(tmp_path / "spent")
    spent.take(grant)
    with pytest.raises(ApprovalRefused, match="used before"):
        Spent(tmp_path / "spent").take(grant)


def test_the_pipelines_key_alone_grants_nothing(store: HeldStore, keys: Path) -> None:
    token = say(store, store.hold(proposed(), Hold(), "w", now=NOW), keys).token
    other = say(store, store.hold(proposed("r2"), Hold(), "w", now=NOW), keys, who="ben").token
    assert token and other
    ring, call = KeyRing.open(keys), {"tool": "refund", "arguments": ARGUMENTS, "now": NOW}
    for decisions in ([], other["decisions"]):  # none, and those on another call
        with pytest.raises(ApprovalRefused, match="0 of 1"):
            prove_grant({**token, "decisions": decisions}, ring, **call)  # type: ignore[arg-type]
    with pytest.raises(IntegrityError, match="no trusted pipeline key"):
        prove_grant({**token, "grant": token["decisions"][0]}, ring, **call)  # type: ignore[arg-type]
    revoke(keys, SigningKey.reviewer(keys, "ada").public.keyid, "2026-01-01T00:00:00Z", "stolen")
    with pytest.raises(IntegrityError, match="revoked"):
        prove_grant(token, KeyRing.open(keys), **call)  # type: ignore[arg-type]


def test_two_must_let_the_same_arguments_through(store: HeldStore, keys: Path) -> None:
    held = store.hold(proposed(), Hold(quorum=2), "w", now=NOW)
    assert say(store, held, keys).status == "waiting"
    assert say(store, held, keys).status == "waiting"  # the same word again adds nothing
    less = {**ARGUMENTS, "amount": 40}
    seen = say(store, held, keys, who="ben", edited=less)
    assert (seen.status, seen.edits) == ("waiting", {"ben": less})  # two words, but for two different refunds
    done = say(store, held, keys, who="cy", edited=less)
    assert (done.status, done.final, done.edited) == ("approved", less, True)
    grant = prove_grant(done.token, KeyRing.open(keys), tool="refund", arguments=less, now=NOW)
    assert grant.reviewers == ("ben", "cy")
    assert [call.held for call in store.settled(now=NOW)] == [held.held]
    store.followed(held.held)
    assert store.settled(now=NOW) == []


def test_one_rejection_rejects_and_silence_is_no_for_good(store: HeldStore, keys: Path) -> None:
    rejected = store.hold(proposed(), Hold(quorum=2), "w", now=NOW)
    say(store, rejected, keys)
    assert say(store, rejected, keys, "reject", who="ben").status == "rejected"
    with pytest.raises(ApprovalRefused, match="is rejected"):
        say(store, rejected, keys, who="cy")
    silent = store.hold(proposed("r2"), Hold(minutes=5), "w", now=NOW)
    late = NOW + timedelta(minutes=5)
    assert store.get(silent.held, now=late).status == "expired"
    with pytest.raises(ApprovalRefused, match="is expired"):  # a clock that was set back revives nothing
        say(store, silent, keys, now=NOW + timedelta(minutes=1))
    early = store.hold(proposed("r3"), Hold(), "w", now=NOW)
    with pytest.raises(IntegrityError, match="the clock says"):
        say(store, early, keys, now=NOW - timedelta(hours=1))


def test_who_may_not_decide(store: HeldStore, keys: Path) -> None:
    held = store.hold(proposed(requester="Ada"), Hold(by=("payments",)), "w", now=NOW)
    for who, message in [("ada", "may not decide"), ("cy", "payments to decide")]:
        with pytest.raises(ApprovalRefused, match=message):
            say(store, held, keys, who=who)
    with pytest.raises(ApprovalRefused, match="no reviewer in the policy"):
        say(store, held, keys, who="dan")
    with pytest.raises(ApprovalRefused, match="needs a reason"):
        store.draft(held, "approve", "ben", " ")
    body = store.draft(held, "approve", "ben", "checked", now=NOW)
    with pytest.raises(IntegrityError, match="in the name of ben"):
        store.decide(held.held, SigningKey.reviewer(keys, "cy").sign(body), keys, ROLES, now=NOW)
    signed = SigningKey.reviewer(keys, "ben").sign(body)
    with pytest.raises(IntegrityError, match="signed other arguments"):
        store.decide(held.held, signed, keys, ROLES, edited={"amount": 1}, now=NOW)
    other = store.hold(proposed("r2"), Hold(), "w", now=NOW)
    with pytest.raises(IntegrityError, match="on another call"):
        store.decide(other.held, signed, keys, ROLES, now=NOW)
    assert store.get(held.held, now=NOW).status == "waiting"


def test_a_text_is_held_like_a_call_and_needs_no_grant(store: HeldStore, keys: Path) -> None:
    held = store.hold(proposed(tool="", proposal="Take two pills."), Hold(), "medical", now=NOW)
    done = say(store, held, keys, edited="Please ask your doctor.")
    assert (done.status, done.final, done.token) == ("approved", "Please ask your doctor.", None)


def test_nothing_that_was_said_is_readable_at_rest(store: HeldStore, keys: Path) -> None:
    held = store.hold(proposed(), Hold(), "w", now=NOW)
    say(store, held, keys, edited={"order": "secret-edit", "amount": 1})
    stored = b"".join(path.read_bytes() for path in store.path.parent.iterdir())
    assert b"refund me" not in stored and b"A-1" not in stored and b"secret-edit" not in stored


def test_pages_follow_each_other(store: HeldStore) -> None:
    calls = [store.hold(proposed(str(n)), Hold(), "w", now=NOW + timedelta(seconds=n)).held for n in range(7)]
    first = store.page("waiting", limit=4, now=NOW)
    rest = store.page("waiting", after=first[-1].held, limit=4, now=NOW)
    assert [held.held for held in (*first, *rest)] == calls
    assert store.counts(now=NOW)["waiting"] == 7
    with pytest.raises(HeldNotFound):
        store.get("held_of_nobody")


def _hold_again(path: Path, start: Any, results: Any) -> None:
    start.wait()
    for number in range(20):
        results.put(HeldStore(path, LineCipher(bytes(32))).hold(proposed(f"r{number}"), Hold(), "w").held)


def _decide(path: Path, keys: Path, who: str, start: Any, results: Any) -> None:
    store = HeldStore(path, LineCipher(bytes(32)))
    start.wait()
    for held in store.page():
        try:
            body = store.draft(held, "approve" if who == "ada" else "reject", who, "quick")
            status = store.decide(held.held, SigningKey.reviewer(keys, who).sign(body), keys, ROLES).status
        except HallmarkError as error:
            status = type(error).__name__
        results.put((held.held, status))


def _race(targets: list[tuple[Callable[..., None], tuple[Any, ...]]], count: int) -> list[Any]:
    context = multiprocessing.get_context("fork")
    start, results = context.Event(), context.Queue()
    processes = [context.Process(target=target, args=(*arguments, start, results)) for target, arguments in targets]
    for process in processes:
        process.start()
    start.set()
    found = [results.get(timeout=60) for _ in range(count)]
    for process in processes:
        process.join(10)
        assert process.exitcode == 0
    return found


def test_two_processes_hold_a_call_once_and_decide_on_it_once(store: HeldStore, keys: Path) -> None:
    held = _race([(_hold_again, (store.path,))] * 2, 40)
    assert len(set(held)) == 20 and store.counts()["waiting"] == 20
    words = _race([(_decide, (store.path, keys, who)) for who in ("ada", "ben")], 40)
    for name in set(held):
        outcomes = sorted(status for call, status in words if call == name)
        assert outcomes in (["ApprovalRefused", "approved"], ["ApprovalRefused", "rejected"])


def test_a_full_disk_loses_nothing_and_says_so(store: HeldStore, monkeypatch: pytest.MonkeyPatch) -> None:
    before = store.hold(proposed(), Hold(), "w", now=NOW)
    connect = sqlite3.connect

    def full(*arguments: Any, **more: Any) -> sqlite3.Connection:
        database = connect(*arguments, **more)
        pages = database.execute("PRAGMA page_count").fetchone()[0]
        database.execute(f"PRAGMA max_page_count = {pages}")
        return database

    monkeypatch.setattr(sqlite3, "connect", full)
    with pytest.raises(StoreError, match="full"):
        for number in range(50):
            store.hold(proposed(f"more-{number}", proposal="x" * 5000), Hold(), "w", now=NOW)
    monkeypatch.undo()
    assert store.get(before.held, now=NOW).status == "waiting"
    assert utc(NOW) == store.get(before.held, now=NOW).created_at
