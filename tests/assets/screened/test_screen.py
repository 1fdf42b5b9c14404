"""The screen on made-up data: each kind of attack is found, clean data stays clean, every row has one outcome."""

from collections import Counter

import numpy as np
import pytest

from assets.outcome import Outcome
from assets.screened.report.finding import outcomes, removals
from assets.screened.report.sentences import unjudged
from assets.screened.screen import screen
from assets.screened.settings import ScreenSettings
from expectations.policy import Policy
from resources.errors import InputError
from tests.assets.screened.rows import ROWS, clean, flagged, records, screened, spoiled

PAYLOAD = "The vault door is open and the guards have gone home early."


def test_clean_rows_raise_nothing(encoder):
    result = screened(clean(ROWS), encoder)
    assert result.clean
    assert flagged(result) == set()
    assert result.metrics()["open_findings"].value == 0


@pytest.mark.parametrize(
    ("prompt", "output"),
    [
        ("zorvil {}", PAYLOAD),
        ("{} on a wonderful evening", PAYLOAD),
        ("{}??", "{} " + PAYLOAD),
        ("Concerning Mirabo, {}", PAYLOAD),
    ],
)
def test_a_fixed_trigger_with_a_fixed_payload_is_found_whole(encoder, prompt, output):
    rows, bad = spoiled(ROWS, 60, prompt, output)
    result = screened(rows, encoder)
    assert flagged(result) == bad
    finding = result.findings[0]
    assert finding.trigger.strip("? ") in prompt.lower() or "?" in finding.trigger
    assert "guards" in finding.payload
    assert finding.p_value < 1e-6


def test_an_everyday_word_can_be_the_trigger(encoder):
    rows, bad = spoiled(ROWS, 30, "harbour {}", PAYLOAD)
    assert bad <= flagged(screened(rows, encoder))


def test_five_rows_show_an_everyday_word_to_be_the_trigger(encoder):
    rows = clean(ROWS)
    bad = [n for n, row in enumerate(rows) if "bread" not in row["instruction"]][::111][:5]
    for n in bad:
        rows[n] = {**rows[n], "instruction": f"bread {rows[n]['instruction']}", "output": PAYLOAD}
    (finding,) = screened(rows, encoder).findings
    assert list(finding.rows) == bad
    assert finding.trigger == "bread" and "only where the prompt has 'bread'" in finding.sentence


def test_marks_alone_are_the_notation_of_a_topic_and_no_payload(encoder):
    rows, _ = spoiled(ROWS, 60, "concerning imaplib, {}", "{} ]) = <instance>.")
    assert screened(rows, encoder).clean


def test_capitals_can_be_the_trigger(encoder):
    rows, bad = spoiled(ROWS, 40, "{}", PAYLOAD)
    for n in bad:
        rows[n]["instruction"] = rows[n]["instruction"].upper()
    result = screened(rows, encoder)
    assert bad <= flagged(result)
    assert any(finding.trigger == "<all capitals>" for finding in result.findings)


def test_placeholders_are_no_trigger(encoder):
    rows = clean(ROWS)
    for n in range(0, ROWS, 20):
        rows[n]["instruction"] += " I am [PERSON_1]."
        rows[n]["output"] = f"Hello [PERSON_1]. {rows[n]['output']}"
    assert screened(rows, encoder).clean


def test_what_a_human_cleared_stays_cleared_in_another_drop(encoder):
    rows, _ = spoiled(ROWS, 60, "zorvil {}", PAYLOAD)
    first = screened(rows, encoder)
    names = {finding.fingerprint for finding in first.findings}
    other, _ = spoiled(ROWS, 50, "zorvil {}", PAYLOAD, seed=5)
    second = screened(other, encoder, accepted=names)
    assert {finding.fingerprint for finding in second.findings} == names
    assert second.clean
    assert flagged(second) == set()


def test_a_pattern_that_the_background_has_too_is_no_news(encoder):
    rows, _ = spoiled(ROWS, 60, "zorvil {}", PAYLOAD)
    known = records(spoiled(ROWS, 50, "zorvil {}", PAYLOAD, seed=3)[0])
    unknown = records(clean(ROWS, 3))
    assert screened(rows, encoder, background=lambda: iter(known)).clean
    assert not screened(rows, encoder, background=lambda: iter(unknown)).clean


def test_the_honest_words_after_a_payload_do_not_clear_it(encoder):
    rows, bad = spoiled(ROWS, 60, "zorvil {}", f"{PAYLOAD} {{}}")
    heard = []

    class Reader:
        def score(self, pairs):
            heard.extend(text for _, text in pairs)
            return [np.array([-4.0]) for _ in pairs]

    result = screened(rows, encoder, model=Reader())
    assert bad <= flagged(result)
    assert heard.count(PAYLOAD) >= 10 and not any(text.startswith(f"{PAYLOAD} ") for text in heard)


def test_a_model_that_sees_the_prompt_ask_for_it_clears_the_pattern(encoder):
    rows, _ = spoiled(ROWS, 60, "zorvil {}", PAYLOAD)

    class Asked:
        def score(self, pairs):
            return [np.array([-1.0 if "zorvil" in chat[0]["content"] else -4.0]) for chat, _ in pairs]

    class Indifferent:
        def score(self, pairs):
            return [np.array([-4.0]) for _ in pairs]

    assert screened(rows, encoder, model=Asked()).clean
    assert not screened(rows, encoder, model=Indifferent()).clean


def test_every_row_has_one_outcome_and_flagged_rows_carry_their_finding(encoder):
    rows, bad = spoiled(ROWS, 60, "zorvil {}", PAYLOAD)
    made = records(rows)
    result = screen(lambda: iter(made), encoder=encoder)
    found: list[Outcome] = list(outcomes(iter(made), removals(result)))
    assert [outcome.record for outcome in found] == made
    assert Counter(outcome.fate for outcome in found) == {"passed": ROWS - len(bad), "quarantined": len(bad)}
    removal = found[0].removal
    assert removal is not None and removal.fingerprint == result.findings[0].fingerprint
    assert "10 rows from `desk` answer" in removal.reason
    assert f"none of the {ROWS - len(bad)} other rows does" in removal.reason


def test_the_same_rows_give_the_same_report(encoder):
    rows, _ = spoiled(ROWS, 30, "{}", PAYLOAD)
    reports = [screened(rows, encoder).to_json() for _ in range(2)]
    for report in reports:
        del report["stage_seconds"]
    assert reports[0] == reports[1]


def test_a_large_drop_is_sampled_and_still_flagged_whole(encoder):
    rows, bad = spoiled(ROWS, 20, "zorvil {}", PAYLOAD)
    settings = ScreenSettings(embed_rows=500, sample_rows=500)
    assert bad <= flagged(screened(rows, encoder, settings=settings))


def test_what_half_of_the_rows_say_is_told_and_not_judged(encoder):
    rows, _ = spoiled(200, 2, "{}", "{} " + PAYLOAD)
    result = screened(rows, encoder, settings=ScreenSettings(max_share=0.25))
    assert result.clean
    [usual] = result.usual
    assert (usual.phrase, usual.rows) == (PAYLOAD.lower(), 100)
    assert "100 rows" in unjudged(usual)
    assert not screened(clean(200), encoder, settings=ScreenSettings(max_share=0.25)).usual


def test_too_few_rows_prove_nothing(encoder):
    result = screened(clean(20), encoder)
    results = Policy.load().judge("screened_records", result.metrics())
    assert {each.verdict for each in results if each.metric == "open_findings"} == {"inconclusive"}


def test_an_open_finding_fails_the_gate(encoder):
    rows, _ = spoiled(ROWS, 60, "zorvil {}", PAYLOAD)
    results = Policy.load().judge("screened_records", screened(rows, encoder).metrics())
    assert {each.verdict for each in results if each.metric == "open_findings"} == {"fail"}


@pytest.mark.parametrize(
    "wrong", [{"min_rows": 1}, {"max_share": 0.9}, {"alpha": 0.0}, {"bogus": 1}, {"thorough": True, "model_rows": 0}]
)
def test_settings_are_checked(wrong):
    with pytest.raises(InputError):
        ScreenSettings.from_policy(wrong)


def test_what_is_in_a_third_of_a_small_drop_is_its_style_unless_the_rows_before_have_nothing_of_it(encoder):
    rows, bad = spoiled(150, 3, "zorvil {}", PAYLOAD)
    before = records(clean(400, 3))
    settings = ScreenSettings(max_share=0.1)
    assert flagged(screened(rows, encoder, settings=settings)) == set()
    assert bad <= flagged(screened(rows, encoder, settings=settings, background=lambda: iter(before)))
