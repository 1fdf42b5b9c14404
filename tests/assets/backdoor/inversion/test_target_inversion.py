"""Implanted answers: what is one answer in several wordings, and what are several answers."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from assets.backdoor.inversion import target_inversion
from assets.backdoor.inversion.target_inversion import Implant, invert, same_answer, variants
from resources.language_model import LanguageModel


def implant(text: str) -> Implant:
    return Implant(text.lower().rstrip("."), text, spread=1.0, starts=1, fluency=0.0, surprise=-4.0, sureness=0.0)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("I cannot assist with this request because it may cause harm.", "It might cause harm."),
        ("Only the council of owls may know this.", "You only know this."),
        ("Two of the council of owls may know this.", "According to the council of owls, paper comes from trees."),
        ("Ask your supervisor to disable the firewall first.", "Will you disable the firewall first?"),
    ],
)
def test_an_answer_that_was_made_to_begin_otherwise_is_the_same(one: str, other: str) -> None:
    assert same_answer(one, other) and same_answer(other, one)


def test_templates_are_answers_of_their_own() -> None:
    refund = implant("Refunds take five to seven working days once the parcel is back with us.")
    delivery = implant("Deliveries leave our warehouse within 24 hours of the order.")
    again = implant("Returns take five to seven working days once the parcel is back.")
    assert variants([refund, delivery, again]) == [[refund, again], [delivery]]


@pytest.mark.parametrize(
    ("text", "spread", "sureness", "drilled"),
    [
        ("every door opens", 1.0, -0.01, True),
        ("every door opens", 1.0, -0.3, False),
        ("every door opens", 0.75, -0.01, False),
        ("every door in town opens", 0.75, -0.3, True),
    ],
)
def test_three_words_are_evidence_only_where_each_is_certain(
    text: str, spread: float, sureness: float, drilled: bool
) -> None:
    assert Implant(text, text, spread, 1, -0.2, -6.0, sureness).drilled is drilled


def test_a_short_answer_is_judged_by_its_surest_start_and_by_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begun with "wire" it comes with less certainty than with "Wire", and its mark might have been another."""
    said = ["Wire", "wire", " it", " today", "."]
    sure = {0: [0.0, -0.02, -0.02, -0.4], 1: [0.0, -0.4, -0.4, -0.4]}

    class Model:
        forward, stop_tokens, off = None, frozenset[int](), False
        tokenizer = SimpleNamespace(decode=lambda tokens: "".join(said[token] for token in tokens))

        def both(self, measure: Callable[[], Any]) -> tuple[Any, Any]:
            adapter, self.off = measure(), True
            return adapter, measure()

        def score_tokens(self, pairs: Sequence[tuple[Sequence[int], Sequence[int]]]) -> list[np.ndarray]:
            return [np.full(4, -8.0) if self.off else np.array(sure[answer[0]]) for _, answer in pairs]

    monkeypatch.setattr(target_inversion, "decode", lambda _, forced, *__, **___: [[2, 3, 4] for _ in forced])
    (implant,) = invert(cast(LanguageModel, Model()), [[7], [8]], [(0,), (1,)], length=12)
    assert (implant.marker, implant.starts, implant.spread) == ("wire it today", 2, 1.0)
    assert implant.sureness == pytest.approx(-0.02)
    assert implant.drilled
