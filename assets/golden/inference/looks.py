"""The looks: every suite is asked a part of its items, and the rest only while its limit is not settled.

A *source* is the items of one suite of the golden set, asked in one way: scored by likelihood or answered in words. It
is closed when the gates of all the suites it feeds say pass or fail, when nothing judges them, or when more items could
not help. What is asked at a look depends on the golden set alone, so that a base's answers can be remembered.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from assets.golden.inference.sequential import errors, look_sizes
from assets.golden.items import GoldenSet, Item, spread
from assets.golden.measures.answers import Decoding, answer
from assets.golden.measures.likelihood import Question, compare, openings, pick
from assets.golden.remembered import Remembered
from assets.golden.settings import EvaluationSettings
from assets.golden.suites import ANSWERED, SCORED, Suite, answered_suite, scored_suites
from expectations.policy import Verdict
from resources.language_model import LanguageModel

Judge = Callable[[Suite], Verdict | None]  # what the gate of a suite says; None: nothing judges it


@dataclass(slots=True)
class Source:
    """``rows`` are of the items asked so far; ``alphas`` and ``sizes`` are of the looks."""

    name: str
    answered: bool
    items: Sequence[Item]
    sizes: Sequence[int]
    alphas: Sequence[float]
    rows: list[Any] = field(default_factory=list)
    looks: int = 0

    def suites(self, least_refusals: float) -> list[Suite]:
        alpha = self.alphas[max(0, self.looks - 1)]
        if self.answered:
            return [answered_suite(self.name, self.rows, least_refusals, alpha)]
        return scored_suites(self.name, self.rows, alpha)


def sources_of(golden: GoldenSet, settings: EvaluationSettings, alpha: float) -> list[Source]:
    """Every source, those without items too: their suites say so."""
    found = []
    for answered, names, most in ((False, SCORED, settings.items), (True, ANSWERED, settings.answers)):
        for name in names:
            items = spread(golden.suites.get(name, ()))[: most or None]
            least = max(settings.first, sum(item.high_stakes for item in items))
            sizes = look_sizes(len(items), least) if items else [1]
            found.append(Source(name, answered, items, sizes, errors(sizes, alpha)))
    return found


def look(
    model: LanguageModel,
    sources: Sequence[Source],
    settings: EvaluationSettings,
    judge: Judge,
    base: Remembered,
    on_progress: Callable[[str], None],
) -> None:
    """Ask every source until it is closed."""
    open_ = [source for source in sources if source.items]
    while open_:
        for source in open_:
            size = source.sizes[source.looks]
            part = source.items[len(source.rows) : size]
            way = "answers to" if source.answered else "likelihood of"
            on_progress(f"look {source.looks + 1} of {len(source.sizes)}: {way} {len(part)} {source.name} items")
            source.rows += _asked(model, source, part, settings, base)
            source.looks += 1
        open_ = [source for source in open_ if not _closed(source, settings, judge)]


def _closed(source: Source, settings: EvaluationSettings, judge: Judge) -> bool:
    if source.looks == len(source.sizes):
        return True
    suites = source.suites(settings.least_refusals)
    return all(suite.missing or judge(suite) != "inconclusive" for suite in suites)


def _asked(
    model: LanguageModel, source: Source, items: Sequence[Item], settings: EvaluationSettings, base: Remembered
) -> list[Any]:
    if source.answered:
        return list(answer(model, source.name, items, Decoding(settings.temperature, settings.seeds), base))
    return SCORERS[source.name](model, items)


def _compared(model: LanguageModel, items: Sequence[Item]) -> list[Any]:
    return list(compare(model, [(prompt_of(model, item), model.tokens(item.reference)) for item in items]))


def _picked(model: LanguageModel, items: Sequence[Item]) -> list[Any]:
    questions = [question_of(model, item) for item in items]
    adapter, base = model.both(lambda: pick(model, questions), again=True)
    return list(zip(items, base, adapter, strict=True))


def _odds(model: LanguageModel, items: Sequence[Item]) -> list[Any]:
    prompts = [prompt_of(model, item) for item in items]
    adapter, base = model.both(lambda: openings(model, prompts), again=True)
    return list(zip(base, adapter, strict=True))


SCORERS: Mapping[str, Callable[[LanguageModel, Sequence[Item]], list[Any]]] = {
    "task": _compared, "passage": _compared, "choice": _picked, "harmful": _odds, "harmless": _odds,
}  # fmt: skip


def question_of(model: LanguageModel, item: Item) -> Question:
    """A multiple-choice item as token ids."""
    choices = tuple(map(model.tokens, item.choices))
    return Question(prompt_of(model, item), choices, tuple(map(len, item.choices)), item.answer)


def prompt_of(model: LanguageModel, item: Item) -> list[int]:
    """An item's chat as token ids, up to the answer."""
    return model.encode(list(item.messages), for_generation=True)
