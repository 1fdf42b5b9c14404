"""Rows as every command reads them: parsed, and in a form that gives a conversation; else rejected by name."""

from collections.abc import Iterable, Iterator

from assets.forms.conversation import FormFault
from assets.outcome import Outcome, Removal
from assets.validated.validate import STAGE


def readable(outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    """The outcomes of the raw stage, each passed row whose form is broken turned into a rejected one."""
    for outcome in outcomes:
        if outcome.fate != "passed":
            yield outcome
            continue
        try:
            if not outcome.record.conversation().turns:
                raise FormFault("missing-prompt", "nobody says anything in the row")
        except FormFault as fault:
            yield Outcome(outcome.record, "rejected", Removal(STAGE, fault.rule, fault.reason))
        else:
            yield outcome
