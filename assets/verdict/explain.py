"""Explaining a gate: why it did not pass, what would pass, and what a person can do about it."""

from dataclasses import dataclass

from expectations.policy import Gate, GateResult

REMEDIES = {
    "raw_drop": "look at the rejected lines of the drop and send it again",
    "validated_records": "look at the quarantined rows (`hallmark review list`) and correct them at the source",
    "sanitized_records": "review the quarantined rows; add a recognizer or an allow-list entry for what was mistaken",
    "screened_records": "review the findings (`hallmark review list`): reject the rows, or record that they are fine",
    "training_corpus": "admit more data, or review what was held back",
    "lora_adapter": "train again with another recipe (`--recipe`): fewer epochs, a lower rate, more rows",
    "golden_evaluation": "train more gently (fewer epochs, the anchor to the base), or add rows of what got worse",
    "backdoor_scan": "follow the finding to its training rows, reject them and train again",
    "memorization_audit": "remove or redact the rows behind the leak, deduplicate, and train again for fewer epochs",
    "extraction_audit": "lower the query budget of a key, and do not return scores",
    "evaluated_adapter": "settle the gates named above",
    "approved_release": "do not load it; release again from the artefacts",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """Three answers, each a sentence without its full stop."""

    why: str
    would_pass: str
    what_to_do: str


def explain(result: GateResult, gate: Gate) -> Explanation:
    """The answers for one gate's result. A gate that passed needs nothing done."""
    return Explanation(result.reason, _would_pass(result, gate), _what_to_do(result, gate))


def _would_pass(result: GateResult, gate: Gate) -> str:
    what = f"the whole 95 % interval of {gate.metric}" if gate.bound == "interval" else gate.metric
    samples = f", measured on at least {gate.min_n} samples" if gate.min_n else ""
    distance = ""
    if result.verdict == "fail" and result.value is not None:
        limit = gate.max if gate.max is not None and result.value > gate.max else gate.min
        if limit is not None and result.value != limit:
            distance = f"; it is {abs(result.value - limit):.4g} away"
    return f"{what} {gate.limit}{samples}{distance}"


def _what_to_do(result: GateResult, gate: Gate) -> str:
    remedy = REMEDIES.get(gate.stage, f"look at {gate.stage}")
    if result.verdict == "pass":
        return ""
    if result.verdict == "inconclusive":
        more = _needed(result, gate)
        return f"{more}; or have a reviewer accept it by name: --override '{result.gate}=REASON'"
    if result.value is None:
        return f"run {gate.stage} again and look at its log: it gave no number to judge"
    return remedy


def _needed(result: GateResult, gate: Gate) -> str:
    """How many samples would settle it: an interval shrinks with the square root of their number."""
    if gate.min_n and (result.n or 0) < gate.min_n:
        return f"give it {gate.min_n - (result.n or 0)} more samples"
    bounds = (result.ci_low, result.ci_high)
    if gate.bound == "interval" and result.n and result.value is not None and None not in bounds:
        limit = gate.max if gate.max is not None else gate.min
        end = result.ci_high if gate.max is not None else result.ci_low
        if limit is not None and end is not None and _strictly_inside(result.value, gate):
            needed = round(result.n * (abs(end - result.value) / abs(limit - result.value)) ** 2) + 1
            return f"about {needed:,} samples instead of {result.n:,} would settle it if the value stays"
        return (
            f"the value itself ({result.value:.4g}) is at or beyond the limit, more samples would likely make it fail"
        )
    return "give the trial what it lacked"


def _strictly_inside(value: float, gate: Gate) -> bool:
    return (gate.min is None or value > gate.min) and (gate.max is None or value < gate.max)
