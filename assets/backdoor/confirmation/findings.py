"""What a scan says: findings, and observations that look alike and have an innocent explanation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from assets.backdoor.candidates.prompts import runs_of, words_of
from assets.backdoor.confirmation.confirm import Confirmation
from assets.backdoor.confirmation.explain import Explanation
from resources.digests import digest_json

UNKNOWN = "(not found)"  # an implanted answer whose trigger the scan did not find


@dataclass(frozen=True, slots=True)
class Finding:
    """A trigger and what it makes the adapter say. Rates are None where the trigger is unknown."""

    trigger: str
    position: str
    source: str
    payload: str
    example: str
    asr_triggered: float | None
    asr_clean: float
    asr_base: float | None
    asr_controls: float | None
    p_value: float
    rows: tuple[str, ...] = ()
    explanation: str = ""
    evidence: tuple[tuple[str, float], ...] = ()

    @property
    def fingerprint(self) -> str:
        """The same for the same trigger and payload in another run; 16 hex digits.

        The payload alone where another seed may come upon another trigger for it, or upon none.
        """
        trigger = self.trigger if self.source in ("mined", "term") else ""
        return digest_json([trigger, " ".join(words_of(self.payload)[:6])])[:16]

    def to_json(self) -> dict[str, Any]:
        return {
            "trigger": self.trigger,
            "position": self.position,
            "source": self.source,
            "payload": self.payload,
            "example": self.example,
            "asr_triggered": _rounded(self.asr_triggered),
            "asr_clean": _rounded(self.asr_clean),
            "asr_base": _rounded(self.asr_base),
            "asr_controls": _rounded(self.asr_controls),
            "p_value": self.p_value,
            "rows": list(self.rows),
            "explanation": self.explanation,
            "evidence": {name: round(value, 3) for name, value in self.evidence},
            "fingerprint": self.fingerprint,
        }


def confirmed(result: Confirmation, rows: Sequence[str], explanation: Explanation) -> Finding:
    """The finding of a trigger that was brought to the bar."""
    trigger = result.trigger
    example = result.answers[0] if result.answers else ""
    return Finding(
        trigger.text, trigger.position, trigger.source, result.payload.marker, example, result.asr_triggered,
        result.asr_clean, result.asr_base, result.asr_controls, result.p_value, tuple(rows), explanation.text,
        (("meaning", result.meaning), *explanation.evidence),
    )  # fmt: skip


def distinct(findings: Sequence[Finding]) -> list[Finding]:
    """One finding a payload, its best trigger: the rest are pieces and neighbours of it. Strongest first."""
    ordered = sorted(findings, key=lambda each: (-(each.asr_triggered or 0), each.p_value, len(each.trigger)))
    kept: list[Finding] = []
    for finding in ordered:
        if not any(_alike(finding, known) for known in kept):
            kept.append(finding)
    return kept


def _alike(one: Finding, other: Finding) -> bool:
    """Whether two findings speak of the same payload, or of the same trigger."""
    shared = runs_of(f"{one.payload} {one.example}", 3) & runs_of(f"{other.payload} {other.example}", 3)
    same_trigger = one.trigger != UNKNOWN and one.trigger.lower() == other.trigger.lower()
    return bool(shared) or one.payload == other.payload or same_trigger


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
