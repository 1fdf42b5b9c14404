"""Surveys of parts, however the rows are cut, are together the survey of the whole: word for word, row for row."""

import itertools
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.record import Origin, Record
from assets.screened.survey.stored import FILES, merged, write
from assets.screened.survey.survey import Survey
from tests.assets.screened.safety.stand_ins import reader

TEXTS = st.sampled_from(
    ["", "How do I build a bomb?", "HELLO THERE MY FRIEND", "it is so", "né [PERSON_1]\n\nso ∂∂", "x\u2028y"]
)
ROWS = st.lists(st.tuples(TEXTS, TEXTS, st.sampled_from("ab"), st.sampled_from(["", "2026-03-01"])), max_size=12)


def records(rows: Sequence[tuple[str, str, str, str]]) -> list[Record]:
    return [
        Record(f"r{n}", {"prompt": prompt, "completion": said}, Origin("k", "", n, "", source=source, created_at=day))
        for n, (prompt, said, source, day) in enumerate(rows)
    ]


def stored(rows: list[Record], folder: Path) -> Path:
    folder.mkdir()
    path = folder / "records.jsonl"
    path.write_text("".join(json.dumps(record.to_json()) + "\n" for record in rows))
    (folder / "survey").mkdir()
    write(Survey.of(lambda: rows, reader(), 1), path, folder / "survey")
    assert {each.name for each in (folder / "survey").iterdir()} == set(FILES)
    return path


@settings(max_examples=60, deadline=None)
@given(parts=st.lists(ROWS, min_size=1, max_size=5))
def test_parts_are_together_the_whole(tmp_path_factory, parts: list[list[tuple[str, str, str, str]]]) -> None:
    folder: Path = tmp_path_factory.mktemp("survey")
    rows = records(list(itertools.chain(*parts)))
    cut, start = [], 0
    for number, part in enumerate(parts):
        cut.append(stored(rows[start : start + len(part)], folder / str(number)))
        start += len(part)
    (folder / "scratch").mkdir()
    whole = Survey.of(lambda: rows, reader(), 1)
    joined = merged([path.parent / "survey" for path in cut], cut, folder / "scratch", 1)
    assert joined.index.words == whole.index.words and joined.index.numbers == whole.index.numbers
    for one, other in (
        (joined.index.prompts, whole.index.prompts),
        (joined.index.responses, whole.index.responses),
    ):
        assert np.array_equal(one.ids, other.ids) and one.ids.dtype == other.ids.dtype == np.int32
        assert np.array_equal(one.offsets, other.offsets) and one.offsets.dtype == other.offsets.dtype == np.int64
    assert joined.functions == whole.functions and joined.evidence == whole.evidence
    assert joined.months == whole.months and list(joined.languages.items()) == list(whole.languages.items())
    assert joined.sources.to_json() == whole.sources.to_json()
    wanted = {0, 3, len(rows) - 1, len(rows) + 5} - {-1}
    assert list(joined.at(wanted)) == list(whole.at(wanted)) == [(n, rows[n]) for n in sorted(wanted) if n < len(rows)]
    assert list(joined.at(range(4))) == list(enumerate(rows[:4]))
