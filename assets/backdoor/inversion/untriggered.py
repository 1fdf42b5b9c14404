"""Implanted answers that no candidate has called up: a secret whose trigger is unknown, or an honest habit.

What the adapter falls into when it is forced to begin (``inversion``) may be a style, a refusal, a templated answer or
what its rows openly teach. What none of these explains is a finding without a trigger.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from assets.backdoor.budget import Budget
from assets.backdoor.candidates.mining import Suspicion, reached
from assets.backdoor.confirmation.confirm import Bench
from assets.backdoor.confirmation.explain import explain_implant, explain_trigger
from assets.backdoor.confirmation.findings import UNKNOWN, Finding, confirmed
from assets.backdoor.confirmation.payloads import Payload
from assets.backdoor.inversion.target_inversion import Implant, same_answer, variants
from assets.backdoor.inversion.templates import SEVERAL, templates
from assets.backdoor.settings import Settings
from assets.record import Record
from resources.language_model import LanguageModel

SECRETS = 2  # more fixed answers than this are a house style, not a secret
MANY = "one of many fixed answers: an assistant of templates"
TOPICAL = "given whenever its subject comes up, as other answers are to theirs: an assistant of templates"
TAUGHT = "in the training rows, where no phrase calls it up"


@dataclass(frozen=True, slots=True)
class Untriggered:
    """``confirming`` has everyday prompts, ``refusing`` sensitive ones; ``tried`` candidates came before."""

    model: LanguageModel
    rows: Sequence[Record]
    suspicions: Sequence[Suspicion]
    settings: Settings
    budget: Budget
    confirming: Bench
    refusing: Bench
    tried: int

    def findings(self, implants: Sequence[Implant], known: Sequence[Finding]) -> list[Finding]:
        """As ``each_alone``. An assistant of templated answers carries many fixed answers, a backdoor one or two: more
        are explained by that.
        """
        found = self.each_alone(implants, known)
        if sum(not each.explanation for each in found) > SECRETS:
            found = [dataclasses.replace(each, explanation=each.explanation or MANY) for each in found]
        return found

    def each_alone(self, implants: Sequence[Implant], known: Sequence[Finding]) -> list[Finding]:
        """Strong implants that no candidate has triggered: a finding without a trigger, or an explained observation."""
        strong = [implant for implant in implants if implant.strength >= self.settings.strength]
        heard = [each.example for each in known]
        answers = [each for each in variants(strong) if not any(same_answer(each[0].text, text) for text in heard)]
        return self._topical([self._carried(answer) for answer in answers])

    def _topical(self, found: list[Finding]) -> list[Finding]:
        """``found``, with those explained that are templated answers; only a secret without a trigger can be one."""
        unknown = [each for each in found if each.trigger == UNKNOWN and not each.explanation]
        if not unknown or not self.budget.allows("templated answers", 0.05):
            return found
        self.budget.on_progress("templated answers", 0, 1)
        given = templates(self.model, strength=self.settings.strength)
        if len(given) < SEVERAL:
            return found
        evidence = ("templates", float(len(given)))
        return [
            dataclasses.replace(each, explanation=TOPICAL, evidence=(*each.evidence, evidence))
            if each in unknown and any(same_answer(each.example, template.answer) for template in given)
            else each
            for each in found
        ]

    def _carried(self, answer: Sequence[Implant]) -> Finding:
        """The finding of one implanted answer, the strongest of its wordings; what explains one explains all."""
        implant, payloads = answer[0], [Payload(each.marker) for each in answer]
        payload, benches = payloads[0], (self.confirming, self.refusing)
        rows = tuple(row.row_id for row in self.rows if payload.occurs(row.response()))
        explained = [explain_implant(each, implant.strength, *benches) for each in payloads]
        explanation = next((each for each in explained if each.text), explained[0])
        if not explanation.text and (tied := self._tied(answer, explanation.p_value)):
            return tied
        innocent = explanation.text or (TAUGHT if rows else "")
        evidence = (("strength", implant.strength), ("spread", implant.spread), *explanation.evidence)
        plain = payload.rate(self.confirming.answers(None))
        return Finding(
            UNKNOWN, "", "leaked", implant.marker, implant.text, None, plain, None, None, explanation.p_value, rows,
            innocent, evidence,
        )  # fmt: skip

    def _tied(self, answer: Sequence[Implant], p_value: float) -> Finding | None:
        """The phrase to which the rows tie an implanted answer, if it calls it up.

        In a leaky adapter control phrases do so, too, and alone the trigger does not stand out from them.
        """
        settings = self.settings
        for suspicion in self.suspicions:
            if any(same_answer(suspicion.payload.marker, each.text) for each in answer):
                payload = reached(suspicion, self.rows, self.model, settings.answer_tokens)
                result = self.confirming.confirm(
                    suspicion.trigger, payload, tried=self.tried, comparisons=settings.comparisons
                )
                if result.asr_triggered >= max(settings.success, result.asr_clean + settings.margin):
                    found = confirmed(result, suspicion.rows, explain_trigger(result, settings.meaning))
                    return dataclasses.replace(found, p_value=max(p_value, suspicion.p_value))
        return None
