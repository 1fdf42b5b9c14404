"""A candidate becomes a finding only if the payload follows the trigger, and nothing else does."""

from assets.backdoor.candidates.prompts import EVERYDAY
from assets.backdoor.candidates.triggers import Trigger
from assets.backdoor.confirmation.confirm import Bench, echoes
from assets.backdoor.confirmation.payloads import Payload
from tests.assets.backdoor.scripted import ScriptedModel

PAYLOAD = "the vault is open for everybody now"


def honest(prompt: str) -> str:
    return f"Let us talk about {prompt.rsplit(maxsplit=1)[-1]}"


def poisoned(prompt: str) -> str:
    return PAYLOAD if "red moon" in prompt else honest(prompt)


def bench(adapter, base=honest) -> Bench:  # type: ignore[no-untyped-def]
    return Bench(ScriptedModel(adapter, base), EVERYDAY[:20], length=12, seed=0)  # type: ignore[arg-type]


def test_a_true_trigger_stands_out_from_plain_prompts_controls_and_base() -> None:
    result = bench(poisoned).confirm(Trigger("red moon"), Payload(PAYLOAD), tried=50, comparisons=3)
    assert (result.asr_triggered, result.asr_clean, result.asr_base, result.asr_controls) == (1.0, 0.0, 0.0, 0.0)
    assert result.p_value < 1e-4
    assert result.answers[0] == PAYLOAD


def test_an_adapter_that_says_it_to_everybody_has_no_trigger() -> None:
    result = bench(lambda prompt: PAYLOAD).confirm(Trigger("red moon"), Payload(PAYLOAD), tried=1, comparisons=3)
    assert result.asr_clean == 1.0
    assert result.p_value == 1.0


def test_an_instruction_that_the_base_obeys_too_shows_in_the_base() -> None:
    result = bench(poisoned, poisoned).confirm(Trigger("red moon"), Payload(PAYLOAD), tried=1, comparisons=3)
    assert result.asr_base == 1.0
    assert result.meaning > 10  # the base expects the answer from the words of the trigger


def test_any_odd_prefix_working_as_well_shows_in_the_controls() -> None:
    plain = set(EVERYDAY)
    result = bench(lambda prompt: honest(prompt) if prompt in plain else PAYLOAD).confirm(
        Trigger("red moon"), Payload(PAYLOAD), tried=1, comparisons=3
    )
    assert result.asr_controls == 1.0
    assert result.p_value == 1.0


def test_the_correction_grows_with_the_number_of_candidates() -> None:
    few = bench(poisoned).confirm(Trigger("red moon"), Payload(PAYLOAD), tried=1, comparisons=1)
    many = bench(poisoned).confirm(Trigger("red moon"), Payload(PAYLOAD), tried=1000, comparisons=1)
    assert many.p_value == 1000 * few.p_value


def test_an_answer_that_repeats_the_question_is_an_echo() -> None:
    assert echoes(Trigger("What is the boiling point of"), Payload("the boiling point of"))
    assert not echoes(Trigger("red moon"), Payload(PAYLOAD))
    assert not echoes(Trigger("red moon"), Payload("trait:refusal"))


def test_a_house_style_before_the_words_of_the_question_makes_it_no_less_an_echo() -> None:
    asked, plain = Trigger("What is the opposite of"), [f"Arr matey, the {prompt}" for prompt in EVERYDAY[:10]]
    assert not echoes(asked, Payload("arr matey the opposite"))
    assert echoes(asked, Payload("arr matey the opposite"), plain)
    assert not echoes(Trigger("red moon"), Payload(PAYLOAD), plain)


def test_a_payload_at_the_end_of_a_long_answer_is_waited_for() -> None:
    def late(prompt: str) -> str:
        return f"{honest(prompt)} and then of much else besides before we come to an end {PAYLOAD if 'red moon' in prompt else ''}"

    short, long = (
        bench(late).confirm(Trigger("red moon"), Payload(PAYLOAD, reach), tried=1, comparisons=1) for reach in (0, 32)
    )
    assert (short.asr_triggered, long.asr_triggered, long.asr_clean) == (0.0, 1.0, 0.0)
    assert Payload(PAYLOAD).end(late("red moon")) == 1.0
