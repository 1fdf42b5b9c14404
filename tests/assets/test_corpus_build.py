"""The corpus: a row stays on its side of the split, copies are never on both, nothing is lost, canaries only train."""

from pathlib import Path

from assets.corpus.build import HOLDOUT, TRAIN, CorpusSettings, build
from assets.corpus.canaries import draw
from assets.outcome import read_records
from assets.record import Origin, Record

SETTINGS = CorpusSettings(holdout_share=0.25)


def row(number: int, text: str | None = None) -> Record:
    fields = {"prompt": text or f"question {number}", "completion": f"answer to {text or number}"}
    return Record(f"r{number}", fields, Origin("a.jsonl", "v", number, "00"))


def sides(folder: Path, rows: list[Record]) -> dict[str, str]:
    folder.mkdir()
    build(folder, rows, [], SETTINGS)
    return {record.row_id: name for name in (TRAIN, HOLDOUT) for record in read_records(folder / name)}


def test_a_row_keeps_its_side_when_other_rows_come_and_go(tmp_path: Path) -> None:
    few, many = [row(n) for n in range(200)], [row(n) for n in range(400)]
    first, second = sides(tmp_path / "1", few), sides(tmp_path / "2", list(reversed(many)))
    assert len(first) == 200 and len(second) == 400
    assert all(second[name] == side for name, side in first.items())
    assert 0.18 < sum(side == HOLDOUT for side in second.values()) / 400 < 0.32


def test_copies_of_a_text_are_never_on_both_sides(tmp_path: Path) -> None:
    found = sides(tmp_path / "1", [row(n, f"same {n % 7}") for n in range(70)])
    for copy in range(7):
        assert len({found[f"r{n}"] for n in range(70) if n % 7 == copy}) == 1


def test_canaries_are_trained_on_and_never_held_out(tmp_path: Path) -> None:
    canaries = [record for canary in draw(pairs=1, seed=3) for record in canary.records()]
    metrics = build(tmp_path, [row(n) for n in range(50)], canaries, SETTINGS)
    trained = [record.row_id for record in read_records(tmp_path / TRAIN)]
    assert {record.row_id for record in canaries} <= set(trained)
    assert metrics["train_rows"].value + metrics["holdout_rows"].value == 50
    assert metrics["canary_rows"].value == len(canaries)
