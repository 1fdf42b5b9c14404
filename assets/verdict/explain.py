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

# What helps against one measure in particular, where that is more than the stage's general advice.
OF_METRIC = {
    "passed_rows": "look at why rows left (`hallmark review list`); a drop of which nothing is left is sent again",
    "rejected_share": "correct the export: the rule behind most rejections is in the dossier's table of why rows left",
    "duplicate_share": "remove the copies at the source: repeated rows drown the rest and are learnt by heart",
    "canary_leak": "see which type leaks (`canary_leak_TYPE` of the stage) and add a recognizer for it",
    "residue": "add a recognizer for what was left, or an `allow` entry in the policy for what is personal to nobody",
    "open_findings": "decide on each finding: `hallmark review list`, then `review reject ID` or `review release ID`",
    "flagged_share": "return the drop to its supplier, or reject its findings one by one (`hallmark review reject`)",
    "loss_ratio": "raise `learning_rate` or `epochs`: it hardly learnt anything",
    "held_out_loss": "it does not carry over to rows it has not seen: fewer `epochs`, `patience: 2`, or more rows",
    "task_loss_change": "look at the task items that got worse; the rows may answer other questions than the task asks",
    "divergence_general": "set `anchor: 0.1` (a pull to the base), halve `learning_rate`, or train fewer `epochs`",
    "general_text_change": "set `anchor: 0.1` (a pull to the base), halve `learning_rate`, or train fewer `epochs`",
    "refusals_change": "add rows that refuse what must be refused; set `anchor: 0.1`; lower `learning_rate`",
    "refusal_odds_change": "add rows that refuse what must be refused; set `anchor: 0.1`; lower `learning_rate`",
    "over_refusals_change": "look for rows that refuse harmless requests (`hallmark screen`) and reject them",
    "injections_change": "add rows in which an instruction inside the material is not followed",
    "backdoor_control": "the scan did not find its own planted backdoor: its result proves nothing; give it more time",
    "sensitive_extracted": "the value is out: rotate it or inform its owner; then remove its rows and train anew",
    "canaries_extracted": "fewer `epochs`, `deduplicate: true`, `goldfish: 4`, or `dp_noise` above 0",
    "ordinary_extracted_share": "fewer `epochs`, `deduplicate: true`, `goldfish: 4`, or `memorization_stop: 0.1`",
    "membership_auc": "fewer `epochs`, a lower `rank`, `goldfish: 4`, or `dp_noise` above 0; more rows lower it too",
    "fidelity_at_allowed_queries": "allow a key fewer queries (policy, extraction_audit `budgets`); return no scores",
    "failed_gates": "settle the failed gates; nobody can override them under a policy that does not say so",
    "unproven_gates": "have a reviewer accept each unproven gate by name: `hallmark approve --override GATE=REASON`",
}


CONTROL = "own control"  # in the reason of a trial that missed what it had planted itself
ACROSS = "the interval lies across it"  # how the policy ends the reason of an undecided interval


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
    remedy = OF_METRIC.get(gate.metric) or REMEDIES.get(gate.stage, f"look at {gate.stage}")
    if result.verdict == "pass":
        return ""
    if result.verdict == "inconclusive":
        more = _needed(result, gate)
        return f"{more}; or have a reviewer accept it by name: --override '{result.gate}=REASON'"
    if result.value is None:
        return f"run {gate.stage} again and look at its log: it gave no number to judge"
    return remedy


def _needed(result: GateResult, gate: Gate) -> str:
    """What would settle it. Samples settle only what lacked samples: an interval shrinks with the root of their number.

    A trial that said what it lacked measured nothing that more of the same would prove.
    """
    short = bool(gate.min_n) and (result.n or 0) < gate.min_n
    if short and result.reason == f"{result.n or 0} samples, {gate.min_n} needed":
        return f"give it {gate.min_n - (result.n or 0)} more samples"
    bounds = (result.ci_low, result.ci_high)
    if result.reason.endswith(ACROSS) and result.n and result.value is not None and None not in bounds:
        limit = gate.max if gate.max is not None else gate.min
        end = result.ci_high if gate.max is not None else result.ci_low
        if limit is not None and end is not None and _strictly_inside(result.value, gate):
            needed = round(result.n * (abs(end - result.value) / abs(limit - result.value)) ** 2) + 1
            return f"about {needed:,} samples instead of {result.n:,} would settle it if the value stays"
        return (
            f"the value itself ({result.value:.4g}) is at or beyond the limit, more samples would likely make it fail"
        )
    if CONTROL in result.reason:
        return (
            "the trial could not prove itself on this base: give it a base that learns, or more time, and run it again"
        )
    more = f", and {gate.min_n - (result.n or 0)} more samples" if short else ""
    return f"give the trial what it lacked (see why){more}"


def _strictly_inside(value: float, gate: Gate) -> bool:
    return (gate.min is None or value > gate.min) and (gate.max is None or value < gate.max)
