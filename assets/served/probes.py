"""What a gateway tries on itself before it serves: each of its gates must stop a planted case and let a plain one pass.

Three probes, as metrics that the policy's gates of ``served_release`` judge. Nothing of the real stores is touched.

================  ==========================================================  ==============================
probe             what is tried                                               control
================  ==========================================================  ==============================
held_actions      unlisted, held and forbidden calls under these very rules;  a grant that is good is taken
                  grants that are forged, used, expired, for another call
query_budget      more distinct prompts than granted; a sweep                 everyday prompts in the budget
output_tripwires  every planted canary and values of the vault, streamed in   plain sentences go out whole
                  small pieces
================  ==========================================================  ==============================
"""

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from assets.backdoor.candidates.prompts import EVERYDAY
from assets.corpus.canaries import Canary
from assets.served.approval.actions import Actions, Hold
from assets.served.approval.grants import Spent, prove_grant
from assets.served.approval.held import Held, HeldStore, Proposed
from assets.served.limits.budgets import Budget, Budgets
from assets.served.limits.sweeps import Sweeps
from assets.served.output_filter.outgoing import Breach, Outgoing
from assets.served.output_filter.tripwires import Tripwires
from assets.served.settings import ServedSettings
from resources.artifacts import Metric
from resources.clock import parse, utc
from resources.errors import HallmarkError
from resources.line_cipher import LineCipher
from resources.signer import KeyRing, SigningKey

MOST_TRIED = 200  # distinct prompts of the budget's probe
BITE = 7  # characters of a streamed piece
CALL = {"order": "A-1", "amount": 1}
VARIED = "What should I know about {word} before I buy one?"
WORDS = "amber basil cedar daisy ember fern ginger hazel ivory jasper kale lemon maple nutmeg olive pepper".split()


def try_actions(actions: Actions) -> Metric:
    """How many calls got past the rules and how many grants counted that must not."""
    with tempfile.TemporaryDirectory() as folder:
        outcomes = [*_rulings(actions), *_grants(Path(folder))]
    return Metric(outcomes.count(False), len(outcomes))


def try_budgets(settings: ServedSettings, granted: int) -> dict[str, Metric]:
    """Distinct prompts answered beyond the grant; sweeps that were not told; everyday prompts that were."""
    granted = min(granted, MOST_TRIED)  # counting is the same for any number
    budget = Budget(granted + 100, settings.tokens_a_day, granted)
    tried = granted + 10
    with tempfile.TemporaryDirectory() as folder:
        budgets = Budgets(Path(folder) / "budgets.sqlite")
        answered = sum(budgets.admit("probe", f"prompt {number}", 1, budget)[1] is None for number in range(tried))
    near = settings.sweep.near
    varied = [VARIED.format(word=f"{word} {number}") for number in range(near) for word in WORDS][: 3 * near]
    return {
        "queries_beyond_grant": Metric(max(0, answered - granted), tried),
        "sweeps_missed": Metric(float(not _told(settings, varied)), 1),
        "plain_prompts_stopped": Metric(float(_told(settings, EVERYDAY)), len(EVERYDAY)),
    }


def try_tripwires(
    tripwires: Tripwires, canaries: Sequence[Canary], values: Sequence[str], hold_back: int
) -> dict[str, Metric]:
    """Canaries and values of the vault that got out in a stream, and plain sentences that did not."""
    planted = [canary.secret for canary in canaries if canary.planted]
    told = [f"Here it is for you: {secret} and good day." for secret in (*planted, *values)]
    leaks = [_goes_out(tripwires, text, hold_back) for text in told]
    plain = [_goes_out(tripwires, prompt, hold_back) for prompt in EVERYDAY]
    missing = "" if leaks else "no canary is planted and no value is in the vault: there is nothing to leak"
    return {
        "leaks_let_out": Metric(float(sum(leaks)), len(leaks), missing=missing),
        "plain_answers_stopped": Metric(float(plain.count(False)), len(plain)),
    }


def _rulings(actions: Actions) -> Iterator[bool]:
    yield actions.rule("probe_of_a_tool_that_nobody_listed", {}).risk == "hold"
    for name, tool in actions.tools.items():
        odd = {"argument_that_nobody_named": 1}
        expected = {"free": ("free",), "hold": ("hold",), "forbid": ("forbid",)}[tool.risk]
        yield actions.rule(name, odd).risk in expected
        if tool.risk == "hold":
            yield actions.rule(name, "not an object").risk == "hold"


def _grants(folder: Path) -> Iterator[bool]:
    """Whether each forged, foreign, late or used grant is refused, and the good one taken."""
    keys, now = folder / "keys", parse("2026-01-01T00:00:00Z")
    store = HeldStore(folder / "held.sqlite", LineCipher(bytes(32)))
    approved = [_approved(store, keys, number, now) for number in range(2)]
    token, other = approved[0].token, approved[1].token
    assert token and other
    stranger = SigningKey.pipeline(folder / "strange")
    ring, late = KeyRing.open(keys), now + timedelta(days=1)

    def proves(token: Any, **change: Any) -> bool:
        try:
            prove_grant(token, ring, **{"tool": "probe", "arguments": CALL, "now": now, **change})
        except HallmarkError:
            return False
        return True

    yield proves(token)
    yield not proves(token, arguments={**CALL, "amount": 2})
    yield not proves(token, tool="other")
    yield not proves(token, requester="somebody")
    yield not proves(token, now=late)
    yield not proves({**token, "decisions": []})
    yield not proves({**token, "decisions": other["decisions"]})
    yield not proves({**token, "grant": stranger.sign({"_type": "x"})})
    spent = Spent(folder / "spent")
    grant = prove_grant(token, ring, tool="probe", arguments=CALL, now=now)
    spent.take(grant)
    with contextlib.suppress(HallmarkError):
        spent.take(grant)
        yield False
        return
    yield True


def _approved(store: HeldStore, keys: Path, number: int, now: Any) -> Held:
    SigningKey.pipeline(keys)
    held = store.hold(Proposed("probe", CALL, (), "prober", "none", f"{number} {utc(now)}"), Hold(), "probe", now=now)
    body = store.draft(held, "approve", "reviewer", "probe", now=now)
    return store.decide(held.held, SigningKey.reviewer(keys, "reviewer").sign(body), keys, {}, now=now)


def _told(settings: ServedSettings, prompts: Sequence[str]) -> bool:
    sweeps = Sweeps(settings.sweep)
    return any(sweeps.seconds_to_wait("probe", prompt, float(place)) for place, prompt in enumerate(prompts))


def _goes_out(tripwires: Tripwires, text: str, hold_back: int) -> bool:
    """Whether a text, streamed bite by bite after other talk, goes out unchanged."""
    before = "Let me see what I can do about that. " * 8
    whole = before + text
    out = Outgoing(tripwires, "", hold_back)
    feed: Callable[[str], str] = out.feed
    try:
        for start in range(0, len(whole), BITE):
            feed(whole[start : start + BITE])
        out.end()
    except Breach:
        return False
    return out.text == whole
