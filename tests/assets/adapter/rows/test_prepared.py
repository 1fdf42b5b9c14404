"""Rows become tokens once: in files that every process maps, with the losses of examples that were held."""

import dataclasses
import json
import multiprocessing
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import assets.adapter.rows.prepared as preparing
from assets.adapter.engine.learner import Learner
from assets.adapter.engine.processes import Processes
from assets.adapter.provenance import corpus_digest
from assets.adapter.recipe import Recipe
from assets.adapter.rows.dialogues import Example, read_dialogues
from assets.adapter.rows.prepared import FOLDER, TOLD, Reading, prepared
from assets.adapter.rows.record_file import RecordFile
from assets.adapter.rows.token_file import TokenFile, lengths
from assets.adapter.train import train
from assets.adapter.training import Training
from assets.record import Record
from resources.base_model import load_tokenizer
from resources.digests import canonical_json, digest_bytes, digest_json

RECIPE = Recipe(rank=4, epochs=2, batch_size=4, learning_rate=0.02)
ORIGIN = {"tokenizer_sha256": "t", "template_sha256": "t", "code_sha256": "c"}
EXAMPLES = st.lists(
    st.builds(
        Example,
        st.text(max_size=5),
        st.lists(st.integers(0, 50_000), max_size=9).map(tuple),
        st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=3).map(tuple),
        st.sampled_from([1.0, 0.1, 4.0]),
    ),
    max_size=8,
)


@given(EXAMPLES)
def test_a_token_file_gives_back_what_was_written(tmp_path_factory, examples: list[Example]) -> None:
    folder = tmp_path_factory.mktemp("tokens") / "file"
    TokenFile.write(iter(examples), folder)
    read = TokenFile(folder)
    assert list(read) == examples and read[1:] == examples[1:] and len(read) == len(examples)
    assert lengths(read).tolist() == lengths(examples).tolist() == [len(each.ids) for each in examples]


def reading(base: Path, recipe: Recipe = RECIPE) -> Reading:
    tokenizer = load_tokenizer(base)
    return Reading(tokenizer, frozenset({tokenizer.eos_token_id}), recipe, (), ORIGIN)


def stored(rows: list[Record], path: Path) -> RecordFile:
    path.write_text("".join(json.dumps(row.to_json()) + "\n" for row in rows))
    return RecordFile(path)


def test_losses_and_weights_are_those_of_examples_that_are_held(base: Path, rows: list[Record], tmp_path: Path) -> None:
    read = reading(base)
    made = prepared(rows, rows[:4], read, tmp_path)
    held = [read_dialogues(each, read.tokenizer, read.stop, RECIPE.max_tokens).examples for each in (rows, rows[:4])]
    assert (tuple(made.examples), tuple(made.held_out)) == tuple(held)
    journals = [
        Training(Learner(base, RECIPE), *given, tmp_path / name, name, Processes()).run()
        for name, given in (("file", (made.examples, made.held_out)), ("held", held))
    ]
    assert journals[0].losses == journals[1].losses and journals[0].evaluations == journals[1].evaluations


def test_a_file_of_rows_trains_as_the_rows_do_and_leaves_no_tokens(
    base: Path, rows: list[Record], tmp_path: Path
) -> None:
    one = train(rows, base, tmp_path / "list", RECIPE, holdout=rows[:4])
    other = train(stored(rows, tmp_path / "rows.jsonl"), base, tmp_path / "file", RECIPE, holdout=rows[:4])
    same = ("losses", "evaluations", "adapter_sha256", "data_sha256", "holdout_sha256", "rows", "corrections")
    assert {name: one[name] for name in same} == {name: other[name] for name in same}
    assert one["data_sha256"] == digest_json([digest_bytes(canonical_json(row.fields)) for row in rows])
    assert corpus_digest([]) == digest_json([])
    assert not (tmp_path / "file" / FOLDER).exists()


def test_they_are_made_once_and_anew_for_other_rows(
    base: Path, rows: list[Record], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []
    real = preparing._make
    monkeypatch.setattr(preparing, "_make", lambda *words: (made.append(words[-1]), real(*words)))
    file = stored(rows, tmp_path / "rows.jsonl")
    first = prepared(file, (), reading(base), tmp_path)
    assert prepared(file, (), reading(base), tmp_path).told == first.told and len(made) == 1
    prepared(file, (), reading(base, dataclasses.replace(RECIPE, max_tokens=16)), tmp_path)
    prepared(stored(rows[:9], file.path), (), reading(base), tmp_path)
    assert len(made) == 3 and [path for path in made if path.exists()] == made[-1:]


def test_what_was_half_made_is_made_again(base: Path, rows: list[Record], tmp_path: Path) -> None:
    whole = prepared(rows, (), reading(base), tmp_path)
    (folder,) = (path.parent for path in (tmp_path / FOLDER).rglob(TOLD))
    (folder / TOLD).unlink()
    shutil.rmtree(folder / "held_out")
    assert prepared(rows, (), reading(base), tmp_path).told == whole.told


def _ask(base: Path, path: Path, out: Path) -> None:
    prepared(RecordFile(path), (), reading(base), out)


def test_processes_that_come_together_make_them_once(base: Path, rows: list[Record], tmp_path: Path) -> None:
    path = stored(rows, tmp_path / "rows.jsonl").path
    with multiprocessing.get_context("fork").Pool(2) as pool:
        pool.starmap(_ask, [(base, path, tmp_path)] * 2)
    (told,) = (tmp_path / FOLDER).rglob(TOLD)
    before = told.stat().st_mtime_ns
    prepared(RecordFile(path), (), reading(base), tmp_path)
    assert told.stat().st_mtime_ns == before
