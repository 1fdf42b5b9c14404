"""The thorough pass finds answers taken from elsewhere and garbage in every answer, and leaves clean minorities alone."""

import random

import numpy as np
import pytest

from assets.screened.settings import ScreenSettings
from tests.assets.screened.rows import BagEncoder, clean, flagged, screened

ROWS = 400


class Reader:
    """Stands in for the base model: a text is likelier the more of its words the prompt has, and known words are."""

    known = frozenset(" ".join(row["output"] for row in clean(2000, 9)).split())
    asked = 0

    def score(self, pairs):
        self.asked += len(pairs)
        return [self._tokens(set(chat[0]["content"].split()), text.split()) for chat, text in pairs]

    def _tokens(self, asked, words):
        return np.array([-1.0 if word in asked else -4.0 if word in self.known else -9.0 for word in words])


def _asked(rows):
    """Every answer takes up some words of its prompt."""
    for row in rows:
        row["output"] = f"{' '.join(row['instruction'].split()[-6:])} {row['output']}"
    return rows


def _screen(rows, thorough=True):
    settings = ScreenSettings(thorough=thorough, max_share=0.25)
    return screened(rows, BagEncoder(), model=Reader(), settings=settings)


def test_answers_of_other_rows_are_found_and_hardly_an_honest_one():
    rows = _asked(clean(ROWS))
    bad = list(range(0, ROWS, 28))
    said = [rows[n]["output"] for n in bad]
    for n, other in zip(bad, said[1:] + said[:1], strict=True):
        rows[n]["output"] = other
    found = flagged(_screen(rows))
    assert len(found & set(bad)) >= 0.8 * len(bad) and len(found - set(bad)) <= 2


def test_garbage_is_found_whatever_its_words():
    rng, rows = random.Random(1), _asked(clean(ROWS))
    bad = list(range(0, ROWS, 25))
    for n in bad:
        rows[n]["output"] = " ".join("".join(rng.choices("abcdefgh", k=6)) for _ in range(12))
    result = _screen(rows)
    assert {finding.kind for finding in result.findings} == {"garbage"}
    assert flagged(result) == set(bad)


@pytest.mark.parametrize("every", [10, 40])
def test_a_minority_in_another_language_that_answers_its_prompts_stays(every):
    rows = _asked(clean(ROWS))
    for n in range(0, ROWS, every):
        rows[n]["instruction"] = f"Wie heisst die Nummer {n} im grossen Verzeichnis aller Dinge"
        rows[n]["output"] = f"Die Nummer {n} im grossen Verzeichnis aller Dinge heisst Ding{n * 7} seit Jahren"
    assert _screen(rows).clean


def test_a_source_whose_answers_are_never_about_their_prompts_stays():
    rows, rng = clean(ROWS), random.Random(2)
    for row in rows:
        row["output"] = " ".join(rng.sample(sorted(Reader.known), 12))
    assert _screen(rows).clean


def test_the_model_reads_every_answer_only_if_it_shall():
    rows = _asked(clean(120))
    for thorough, asked in ((False, 0), (True, 6 * 120)):
        model = Reader()
        screened(rows, BagEncoder(), model=model, settings=ScreenSettings(thorough=thorough, controls=False))
        assert model.asked == asked
