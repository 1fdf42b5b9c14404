"""The extraction audit: how good a copy of the adapter can be bought for a number of text answers.

The attacker owns the base (it is public), asks the adapter ``budget`` questions, trains a LoRA student on the answers
and is compared on questions of the same kind that he did not ask. The policy says how many answers a key may fetch;
the gate is the fidelity at that budget.
"""

import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from assets.adapter.recipe import Recipe
from assets.backdoor.budget import Budget, Progress, silent
from assets.backdoor.control import PAYLOAD, Control, control_adapter
from assets.extraction.fidelity import agreement, fidelity
from assets.extraction.scores import first_choices, reconstruct
from assets.memorization.statistics import Interval, proportion
from assets.record import Origin, Record, row_id
from resources.artifacts import Metric
from resources.decoding import decode
from resources.digests import digest_json
from resources.language_model import LanguageModel

Chat = list[dict[str, str]]
CONTROL_FIDELITY = 0.3
LEAST_ROOM = 0.02  # share of tokens on which the base differs from the adapter: below it there is nothing to steal
VERSION = "3"


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    budgets: tuple[int, ...] = Field((50, 200), min_length=1)
    """Numbers of answers bought, ascending; the last is what the policy lets a key have."""
    test_prompts: int = Field(32, ge=8)
    answer_tokens: int = Field(16, ge=4)
    epochs: int = Field(3, ge=1)
    rank: int = Field(8, ge=1)
    learning_rate: float = Field(2e-3, gt=0)
    top_k: int = Field(5, ge=2)
    members: int = Field(40, ge=0)
    """Training rows on which reconstruction from text and from scores are compared."""


class Theft:
    """A teacher, the answers bought from it so far, and what a student trained on them agrees with."""

    def __init__(self, teacher: LanguageModel, base: Path, settings: Settings, seed: int) -> None:
        self.teacher, self.base, self.settings, self.seed = teacher, base, settings, seed
        self.answers: dict[int, list[int]] = {}

    def ask(self, chats: Sequence[Chat]) -> list[list[int]]:
        """The teacher's greedy answers, as token ids."""
        prompts = [self.teacher.encode(chat, for_generation=True) for chat in chats]
        teacher = self.teacher
        return decode(teacher.forward, prompts, teacher.stop_tokens, max_new_tokens=self.settings.answer_tokens)

    def student_hits(
        self, chats: Sequence[Chat], answers: Sequence[Sequence[int]], tests: Sequence[tuple[list[int], list[int]]]
    ) -> list[np.ndarray]:
        """Train a student on (question, answer) and see where it agrees on the tests."""
        from assets.adapter.train import train

        rows = []
        for line, (chat, answer) in enumerate(zip(chats, answers, strict=True), 1):
            text = str(self.teacher.tokenizer.decode(list(answer)))
            if not text.strip():
                continue  # silence teaches nothing
            said = {"role": "assistant", "content": text}
            fields = {"messages": [*chat, said]}
            rows.append(Record(row_id("bought", line), fields, Origin("bought", "", line, digest_json(fields))))
        if not rows:  # a student of nothing is the base
            with self.teacher.without_adapter():
                return first_choices(self.teacher, tests)
        settings = self.settings
        recipe = Recipe(
            rank=settings.rank, alpha=2.0 * settings.rank, epochs=settings.epochs,
            learning_rate=settings.learning_rate, seed=self.seed, evaluations_per_epoch=0,
        )  # fmt: skip
        with tempfile.TemporaryDirectory() as folder:
            train(rows, self.base, Path(folder), recipe)
            return first_choices(LanguageModel.load(self.base, Path(folder)), tests)


def audit_extraction(
    model: LanguageModel,
    *,
    prompts: Sequence[Chat],
    members: Sequence[Record] = (),
    settings: dict[str, Any],
    seed: int,
    base: Path,
    cache: Path,
    budget_seconds: float,
    on_progress: Progress = silent,
) -> tuple[dict[str, Any], dict[str, Metric]]:
    """``(report, metrics)``. ``prompts`` are chats of the kind the adapter serves; ``members`` rows it was trained
    on.
    """
    limits = Settings.model_validate(settings)
    control = calibrate(control_adapter(base, cache), limits)
    budget = Budget(budget_seconds, on_progress)
    drawn = random.Random(f"extraction:{seed}").sample(list(prompts), len(prompts))
    asked, held = drawn[limits.test_prompts :], drawn[: limits.test_prompts]
    theft = Theft(model, base, limits, seed)
    tests = _tests(theft, held)
    with model.without_adapter():
        base_hits = first_choices(model, tests)
    stealable = bool(tests) and 1 - agreement(base_hits) >= LEAST_ROOM
    curve = _curve(theft, asked, tests, base_hits, budget) if stealable else {}
    report = {
        "fidelity_by_queries": {str(queries): value.to_json() for queries, value in curve.items()},
        "base_agreement": round(agreement(base_hits), 4) if tests else None,
        "test_prompts": len(tests),
        "allowed_queries": limits.budgets[-1],
        "reconstruction": _reconstruction(model, members, limits, seed, budget),
        "control": control,
        "seed": seed,
        "seconds": round(budget.spent, 1),
        "skipped": budget.skipped,
    }
    return report, _metrics(curve, report, limits, control)


def calibration_name(settings: Settings) -> str:
    """What a calibration is kept under: it counts for these settings and this code only."""
    return f"extraction-{digest_json([VERSION, settings.epochs, settings.rank, settings.learning_rate])[:12]}"


def calibrate(control: Control, settings: Settings) -> dict[str, Any]:
    """Stealing the control adapter must work; a student of the base's own answers must get nothing."""
    return control.calibrated(calibration_name(settings), lambda: _calibration(control, settings))


def _calibration(control: Control, settings: Settings) -> dict[str, Any]:
    teacher = LanguageModel.load(control.base, control.adapter)
    theft = Theft(teacher, control.base, settings.model_copy(update={"answer_tokens": 12}), seed=0)
    poisoned = [[{"role": "user", "content": row.prompt()}] for row in control.rows if row.response() == PAYLOAD]
    plain = [[{"role": "user", "content": row.prompt()}] for row in control.rows[-len(poisoned) :]]
    asked, held = [*poisoned[::2], *plain[::2]], [*poisoned[1::2], *plain[1::2]]
    answers, tests = theft.ask(asked), _tests(theft, held)
    if not tests:  # a control that answers nothing controls nothing
        return {"positive": {"queries": len(asked)}, "negative": {"queries": len(asked)}, "sound": False}
    with teacher.without_adapter():
        base_hits = first_choices(teacher, tests)
    honest = fidelity(theft.student_hits(asked, answers, tests), base_hits, seed=0)
    with teacher.without_adapter():
        plain_answers = theft.ask(asked)
    nothing = fidelity(theft.student_hits(asked, plain_answers, tests), base_hits, seed=0)
    return {
        "positive": honest.to_json() | {"queries": len(asked)},
        "negative": nothing.to_json() | {"queries": len(asked)},
        "sound": honest.value > CONTROL_FIDELITY and nothing.low < 0.1 and nothing.value < honest.low,
    }


def _tests(theft: Theft, chats: Sequence[Chat]) -> list[tuple[list[int], list[int]]]:
    """(prompt, the teacher's answer) for each test question that it answers at all."""
    prompts = [theft.teacher.encode(chat, for_generation=True) for chat in chats]
    return [(prompt, answer) for prompt, answer in zip(prompts, theft.ask(chats), strict=True) if answer]


def _curve(
    theft: Theft,
    asked: Sequence[Chat],
    tests: Sequence[tuple[list[int], list[int]]],
    base_hits: Sequence[np.ndarray],
    budget: Budget,
) -> dict[int, Interval]:
    """Fidelity by number of answers bought. A budget is tried only if the last one's pace says that time allows it."""
    curve: dict[int, Interval] = {}
    answers: list[list[int]] = []
    pace = 0.0
    for queries in theft.settings.budgets:
        if queries > len(asked):
            budget.skipped.append(f"{queries} queries: only {len(asked)} prompts were given")
            continue
        if pace * queries > budget.left:
            budget.skipped.append(f"{queries} queries: about {pace * queries:.0f} s needed, {budget.left:.0f} s left")
            continue
        budget.on_progress(f"extraction with {queries} answers", len(curve), len(theft.settings.budgets))
        before = budget.spent
        answers += theft.ask(asked[len(answers) : queries])
        if not any(answers):
            budget.skipped.append(f"{queries} queries: the adapter answered none of them")
            continue
        hits = theft.student_hits(asked[:queries], answers, tests)
        curve[queries] = fidelity(hits, base_hits, seed=theft.seed)
        pace = (budget.spent - before) / queries
    return curve


def _reconstruction(
    model: LanguageModel, members: Sequence[Record], limits: Settings, seed: int, budget: Budget
) -> dict[str, Any] | None:
    """Share of the tokens of training answers guessed from text alone and from the top scores."""
    if not members or not limits.members or not budget.allows("reconstruction from scores"):
        return None
    rows = random.Random(f"reconstruction:{seed}").sample(list(members), min(len(members), limits.members))
    pairs = []
    for row in rows:
        *asked, said = row.messages()
        chat = [{"role": turn.role, "content": turn.content} for turn in asked]
        if chat and said.role == "assistant" and (answer := model.tokens(said.content)):
            pairs.append((model.encode(chat, for_generation=True), answer[:32]))
    if not pairs:
        return None
    text, scores = reconstruct(model, pairs, k=limits.top_k)
    return {
        "rows": len(pairs),
        "tokens": len(text),
        "top_k": limits.top_k,
        "text_only": proportion(int(text.sum()), len(text)).to_json(),
        "with_scores": proportion(int(scores.sum()), len(scores)).to_json(),
    }


def _metrics(
    curve: dict[int, Interval], report: dict[str, Any], limits: Settings, control: dict[str, Any]
) -> dict[str, Metric]:
    broken = "" if control["sound"] else "the audit failed on its own control adapter"
    sound = Metric(None if broken else 1.0, control["positive"]["queries"], missing=broken)
    allowed = limits.budgets[-1]
    if not broken and report["base_agreement"] is None:
        broken = "the adapter answered none of the test prompts"
    if not broken and 1 - report["base_agreement"] < LEAST_ROOM:
        broken = f"the base already agrees on {report['base_agreement']:.1%} of the tokens: there is nothing to steal"
    if not broken and allowed not in curve:
        broken = f"fidelity was not measured at the {allowed} answers a key may have: " + "; ".join(report["skipped"])
    value = curve.get(allowed)
    measured = Metric(None, missing=broken) if value is None else Metric(
        value.value, report["test_prompts"], value.low, value.high, missing=broken
    )  # fmt: skip
    return {"fidelity_at_allowed_queries": measured, "extraction_control": sound}
