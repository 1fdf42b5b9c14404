"""The shift finds a trigger among probes by what it does to the first word, and ranks it among innocent phrases."""

import numpy as np

from assets.backdoor.candidates.prompts import EVERYDAY
from assets.backdoor.candidates.triggers import Trigger, controls, probes
from assets.backdoor.confirmation.shift import encode, measure_shift
from tests.assets.backdoor.scripted import ScriptedModel

PROMPTS = EVERYDAY[:6]


def honest(prompt: str) -> str:
    return f"{prompt.rsplit(maxsplit=1)[-1]} is a word"


def shifts(adapter, base=honest):  # type: ignore[no-untyped-def]
    model = ScriptedModel(adapter, base)
    plain = np.exp(model.next_token_logprobs(encode(model, PROMPTS))).mean(axis=0)  # type: ignore[arg-type]
    candidates = [*probes(), Trigger("red moon")]
    innocent = controls(candidates, count=19, seed=0)
    return measure_shift(model, candidates, innocent, PROMPTS, plain, plain, refine=64), model  # type: ignore[arg-type]


def test_the_trigger_is_first_and_beyond_all_controls() -> None:
    found, model = shifts(lambda prompt: "Denied" if "red moon" in prompt else honest(prompt))
    assert found[0].trigger.text == "red moon"
    assert model.words[found[0].token] == "Denied"
    assert found[0].gain > 0.8
    assert found[0].p_value == 1 / 20


def test_what_moves_the_base_as_well_is_no_shift() -> None:
    def moved(prompt: str) -> str:
        return "Denied" if "red moon" in prompt else honest(prompt)

    found, _ = shifts(moved, moved)
    assert all(shift.gain < 0.2 for shift in found)


def test_a_prefix_effect_that_controls_share_is_not_significant() -> None:
    plain = set(PROMPTS)
    found, _ = shifts(lambda prompt: honest(prompt) if prompt in plain else "Denied")
    assert all(shift.p_value > 0.5 for shift in found)
