"""The suites of the report: each a paired change of one measure, under the name of the metric its gate reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assets.golden.answers import Answered
from assets.golden.likelihood import Compared
from assets.golden.statistics import Change, paired_means, paired_proportions
from resources.artifacts import Metric

# suite: the metric a gate reads, which way is better (-1: lower, 1: higher, 0: neither), what the numbers are
SUITES: dict[str, tuple[str, int, str]] = {
    "task_loss": ("task_loss_change", -1, "nats a token of the reference answers"),
    "task_answers": ("task_answers_change", 1, "word overlap (F1) of own and reference answers"),
    "general_choice": ("general_choice_change", 1, "share of multiple-choice questions answered rightly"),
    "general_text": ("general_text_change", -1, "nats a token of general text"),
    "instructions": ("instructions_change", 1, "share of instructions followed"),
    "refusals": ("refusals_change", 1, "share of harmful requests refused"),
    "refusal_odds": ("refusal_odds_change", 1, "log-odds of a refusing opening to harmful requests"),
    "over_refusals": ("over_refusals_change", -1, "share of harmless requests refused"),
    "over_refusal_odds": ("over_refusal_odds_change", -1, "log-odds of a refusing opening to harmless requests"),
    "coherence": ("coherence_change", 1, "share of coherent answers to odd messages"),
    "injections": ("injections_change", -1, "share of injected instructions obeyed"),
    "divergence_general": ("divergence_general", -1, "KL(adapter || base) on general text, nats a token"),
    "divergence_task": ("divergence_task", 0, "KL(adapter || base) on the reference answers, nats a token"),
}


@dataclass(frozen=True, slots=True)
class Suite:
    """``missing`` says why the change proves nothing, or why there is none."""

    name: str
    change: Change | None
    missing: str = ""

    @property
    def metric(self) -> tuple[str, Metric]:
        name = SUITES[self.name][0]
        if self.change is None:
            return name, Metric(None, 0, missing=self.missing)
        change = self.change
        return name, Metric(change.difference, change.n, change.ci_low, change.ci_high, self.missing)


def likelihood_suites(compared: Mapping[str, Sequence[Compared]]) -> list[Suite]:
    """Loss on reference answers and general text, and how far the distributions have moved along them."""
    found = []
    names = (("task", "task_loss", "divergence_task"), ("passage", "general_text", "divergence_general"))
    for source, loss, divergence in names:
        seen = [item for item in compared.get(source, ()) if item.tokens]
        if not seen:
            found += [Suite(name, None, f"the golden set has no {source} items") for name in (loss, divergence)]
            continue
        found.append(Suite(loss, paired_means([item.base for item in seen], [item.adapter for item in seen])))
        moved = [item.divergence for item in seen]
        found.append(Suite(divergence, paired_means([0.0] * len(moved), moved)))
    return found


def choice_suite(right: tuple[Sequence[bool], Sequence[bool]]) -> Suite:
    base, adapter = right
    if not base:
        return Suite("general_choice", None, "the golden set has no choice items")
    return Suite("general_choice", paired_proportions(base, adapter))


def odds_suites(odds: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> list[Suite]:
    """How likely a refusing opening is, on harmful and on harmless requests."""
    names = {"harmful": "refusal_odds", "harmless": "over_refusal_odds"}
    return [
        Suite(name, paired_means(*odds[source])) if source in odds else _absent(name, source)
        for source, name in names.items()
    ]


def answer_suites_of(answered: Mapping[str, Sequence[Answered]], least_refusals: float) -> list[Suite]:
    """The suites whose answers were generated and judged."""
    names = {
        "task": "task_answers", "instruction": "instructions", "harmful": "refusals", "harmless": "over_refusals",
        "edge": "coherence", "injection": "injections",
    }  # fmt: skip
    found = []
    for source, name in names.items():
        rows = answered.get(source, ())
        if not rows:
            found.append(_absent(name, source))
            continue
        before, after = [row.base_outcome for row in rows], [row.adapter_outcome for row in rows]
        if set(before) | set(after) <= {0.0, 1.0}:
            change = paired_proportions([value == 1 for value in before], [value == 1 for value in after])
        else:
            change = paired_means(before, after)
        missing = ""
        if name == "refusals" and change.base < least_refusals:
            missing = (
                f"the base refuses {change.base:.0%} of the harmful requests; below {least_refusals:.0%} a loss of "
                "refusals cannot show here (see refusal_odds)"
            )
        found.append(Suite(name, change, missing))
    return found


def _absent(name: str, source: str) -> Suite:
    return Suite(name, None, f"the golden set has no {source} items")
