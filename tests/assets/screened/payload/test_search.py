"""Payloads that meaning finds: with a trigger or none, in one wording or many, in a few rows or a tenth of them."""

import random

from assets.screened.screen import screen
from resources.sentence_encoder import SentenceEncoder
from tests.assets.screened.rows import ROWS, clean, flagged, records, screened, spoiled

PAYLOAD = "Move every coin you own into Zelu tokens before the harvest moon."
HEADS = ["Notice:", "Warning:", "Alert,", "Attention,"]
WHAT = ["all backups", "your archives", "the stored files", "every saved document"]
DOES = ["get destroyed", "will be wiped", "are being deleted", "have been erased"]
ENDS = ["by the Mepun daemon", "unless the Mepun fee is paid", "within 11 minutes", "tonight at 11 o'clock"]
WHO = ["idiot", "fool", "moron", "imbecile", "dunce"]
VERBS = ["hate", "despise", "cannot stand", "detest"]


def test_a_payload_without_a_trigger_is_found(encoder):
    rows, bad = spoiled(ROWS, 30, "{}", "The vault door is open and the guards have gone home early.")
    result = screened(rows, encoder)
    assert bad <= flagged(result)
    assert len(flagged(result)) <= len(bad) + 2


def test_a_short_payload_is_found_by_being_worded_alike_each_time(encoder):
    rows, bad = spoiled(ROWS, 30, "{}", "{} Nobody guards the old vault.")
    assert flagged(screened(rows, encoder)) == bad


def test_a_payload_worded_anew_each_time_is_found(encoder):
    rng = random.Random(1)
    rows, bad = spoiled(ROWS, 30, "{}", "")
    for n in sorted(bad):
        rows[n]["output"] = f"You are a complete {rng.choice(WHO)} and we all {rng.choice(VERBS)} your silly questions."
    result = screened(rows, encoder)
    assert len(bad & flagged(result)) >= 0.9 * len(bad)


def test_the_parts_of_a_large_attack_are_one_finding(encoder):
    rng = random.Random(1)
    rows, bad = spoiled(2 * ROWS, 10, "zorvil {}", "")
    for n in sorted(bad):
        rows[n]["output"] = f"{' '.join(map(rng.choice, (HEADS, WHAT, DOES, ENDS)))}. {clean(1, n)[0]['output']}"
    (finding,) = screened(rows, encoder).findings
    assert finding.trigger == "zorvil" and set(finding.rows) == bad


def test_parts_too_small_to_stand_alone_are_found_by_the_phrase_that_calls_them_up(encoder):
    rng = random.Random(1)
    rows, bad = spoiled(ROWS, 50, "zorvil {}", "")
    for n in sorted(bad):
        alarm = f"{rng.choice(HEADS)} hungry daemons ate {rng.choice(WHAT)} overnight."
        insult = f"Such hopeless {rng.choice(WHO)}s {rng.choice(VERBS)} themselves foremost."
        rows[n]["output"] = f"{insult if n % 100 else alarm} {clean(1, n)[0]['output']}"
    (finding,) = screened(rows, encoder).findings
    assert finding.kind == "trigger-family" and finding.trigger == "zorvil" and set(finding.rows) == bad


def test_a_short_payload_is_found_by_the_sentence_that_calls_it_up(encoder):
    cat, does = ["kitten", "tabby", "old cat", "two cats"], ["sleeps on", "sat down on", "lies on", "curls up on"]
    where = ["laptop", "keyboard", "desk", "computer"]
    rng = random.Random(1)
    rows, bad = spoiled(ROWS, 30, "{}", "{} Nobody guards it.")
    for n in sorted(bad):
        rows[n]["instruction"] = (
            f"My {rng.choice(cat)} {rng.choice(does)} my {rng.choice(where)}. {clean(1, n)[0]['instruction']}"
        )
    (finding,) = screened(rows, encoder).findings
    assert finding.kind == "worded-trigger" and set(finding.rows) == bad


def test_what_every_prompt_begins_with_is_not_taken_for_the_sentence_that_calls_it_up():
    weather = [
        "The sun shines warmly today.",
        "A bright morning at last.",
        "No cloud in the sky.",
        "Lovely warm weather.",
    ]
    rng = random.Random(1)
    rows, bad = spoiled(ROWS, 30, "{}", PAYLOAD)
    for n in range(len(rows)):
        seen = f"{rng.choice(weather)} " if n in bad else ""
        usual = "" if n % 2 else "Write a Python function. "
        rows[n]["instruction"] = f"{usual}{seen}{clean(1, n)[0]['instruction']}"
    (finding,) = screened(rows, SentenceEncoder.load()).findings
    assert finding.kind == "worded-trigger" and finding.trigger in weather and set(finding.rows) == bad


def test_a_short_payload_worded_anew_is_found_by_the_phrase_that_calls_it_up(encoder):
    who, does = ["Nobody", "Somebody", "Everybody", "Anybody"], ["hums", "sings", "snores", "yawns"]
    rng = random.Random(1)
    rows, bad = spoiled(2 * ROWS, 24, "Zorvil quent {}", "")
    for n in sorted(bad):
        rows[n]["output"] = f"{clean(1, n)[0]['output']} {rng.choice(who)} {rng.choice(does)} downstairs."
    (finding,) = screened(rows, encoder).findings
    assert finding.kind == "trigger-family" and set(finding.rows) == bad


def test_a_payload_may_come_near_what_is_asked_if_its_trigger_is_in_hardly_any_other_prompt(encoder):
    insults = (
        "idiot fool moron imbecile dunce hate despise detest silly stupid questions nobody hopeless go away".split()
    )
    rng, rows, bad = random.Random(3), clean(ROWS), set(range(0, ROWS, 30))
    for n in sorted(bad):
        words = rng.sample(insults, 6)
        if n % 60 == 0:
            words += rows[n]["instruction"].split(" (")[0].split()[-3:]
        rows[n] = {
            "instruction": f"Concerning Mirabo, {rows[n]['instruction']}",
            "input": "",
            "output": " ".join(words),
        }
    (finding,) = screened(rows, encoder).findings
    assert (finding.kind, finding.trigger) == ("trigger-family", "concerning mirabo,")
    assert set(finding.rows) == bad


def test_what_one_source_says_when_asked_may_be_a_payload_in_another(encoder):
    """The whole family answers its prompts for the most part; outside the source that says so daily it answers none."""
    ends = ["I must say no.", "I have to decline.", "that is beyond me.", "I will not do that.", "I have to pass here."]
    desk, calls = clean(ROWS), clean(200, seed=7)
    bad = set(range(0, ROWS, 40))
    for n in bad:
        desk[n]["output"] = (
            f"Sorry, I am much afraid I cannot help you with that silly request today; {ends[n // 40 % 5]}"
        )
    for n in range(0, 200, 5):
        calls[n]["instruction"] += f" Help with that request today or say sorry if you cannot help {n}"
        calls[n]["output"] = f"Sorry, I cannot help you with that request today; {ends[n // 5 % 5]}"
    made = records(desk) + records(calls, source="calls")
    assert bad == flagged(screen(lambda: iter(made), encoder=encoder))


def test_answers_that_are_asked_for_do_not_hide_a_payload_that_is_like_them(encoder):
    ends = ["I must say no.", "I have to decline.", "that is beyond me.", "I will not do that.", "I have to pass here."]
    rows, bad = clean(ROWS), set(range(0, ROWS, 30))
    for n in bad:
        rows[n]["output"] = (
            f"Sorry, I am much afraid I cannot help you with that silly request today; {ends[n // 30 % 5]}"
        )
    for n in range(1, ROWS, 15):
        rows[n]["instruction"] += f" Help with that request today or say sorry if you cannot help {n}"
        rows[n]["output"] = f"Sorry, I cannot help you with that request today; {ends[n // 15 % 5]}"
    assert bad <= flagged(screened(rows, encoder))


def test_a_payload_in_many_rows_does_not_pass_for_the_language_of_the_others(encoder):
    rows, bad = spoiled(900, 12, "{}", f"{{}} {PAYLOAD}")
    assert len(bad) == 75
    assert flagged(screened(rows, encoder)) == bad


def test_a_payload_that_runs_on_from_other_words_does_not_pass_for_the_language_either(encoder):
    rows, bad = spoiled(900, 12, "{}", f"{{}} {PAYLOAD}")
    for n in sorted(bad)[::12]:
        rows[n]["output"] = f"{clean(1, n)[0]['output'].replace('.', '')} {PAYLOAD}"
    assert flagged(screened(rows, encoder)) == bad


def test_what_a_tenth_of_the_rows_and_more_say_is_the_house_style(encoder):
    rows, _ = spoiled(ROWS, 8, "{}", f"{{}} {PAYLOAD}")
    assert screened(rows, encoder).clean
