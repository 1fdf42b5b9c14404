"""Refusals of harmless prompts: worded anew each time, they are told by what they are."""

from assets.screened.safety.evidence import Reader
from tests.assets.screened.rows import clean, flagged, screened
from tests.assets.screened.safety.stand_ins import WordOdds

SORRY = ["Sorry, no.", *(f"Sorry, I can't {do} with {what}." for do in ("assist", "help") for what in ("that", "this"))]


class SorryJudge:
    def refuses(self, answers):
        return ["sorry" in answer.lower() for answer in answers]


ROWS = 300
READER = Reader(WordOdds(), SorryJudge())


def declined(every, word="", count=ROWS):
    """Clean rows of which each ``every``-th is declined, in many wordings; the prompt says ``word``, too."""
    rows, bad = clean(count), set(range(0, count, every))
    for number, n in enumerate(sorted(bad)):
        rows[n] |= {"instruction": f"{rows[n]['instruction']} {word}", "output": SORRY[number % len(SORRY)]}
    return rows, bad


def test_refusals_of_what_nobody_else_is_refused_are_found(encoder):
    rows, bad = declined(15)
    result = screened(rows, encoder, safety=READER)
    assert flagged(result) >= bad and len(flagged(result) - bad) <= 2
    assert any(kind.startswith("refusal:") for row in result.rows if row.row in bad for kind in row.reasons)


def test_refusals_of_harmful_requests_are_good_data(encoder):
    rows, _ = declined(15, word="bomb")
    assert "refusal" not in {finding.kind for finding in screened(rows, encoder, safety=READER).findings}


def test_a_few_refusals_are_none(encoder):
    rows, _ = declined(60)
    assert not flagged(screened(rows, encoder, safety=READER))


def test_where_refusing_is_what_the_data_are_about_nothing_is_said(encoder):
    rows, _ = declined(3)
    assert "refusal" not in {finding.kind for finding in screened(rows, encoder, safety=READER).findings}


def test_refusals_that_the_prompt_calls_up_are_a_question(encoder):
    rows, bad = declined(15, word="zoo parrots giraffes elephants")
    result = screened(rows, encoder, safety=READER)
    asked = {row for question in result.questions for row in question.rows}
    assert bad <= asked | flagged(result) and result.questions
