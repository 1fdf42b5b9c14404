"""Surveys of the parts of a drop as files, and the survey of the whole merged from them.

A part has its own list of words, in the order in which they first occur. The parts' lists, one after another without
what is known already, are that of the whole, so that its tokens have the numbers that one reading of all rows gives
them. Token ids are memory-mapped: of all rows, the merged survey holds the words, but no text.
"""

import dataclasses
import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from assets.record import Record
from assets.screened.drift.source_shift import Sources
from assets.screened.safety.evidence import Evidence
from assets.screened.survey.survey import RowsAt, Survey, in_order
from assets.screened.text.token_index import Side, TokenIndex

SIDES = ("prompts", "responses")
WORDS, TOLD, LINES = "words.json", "told.json", "lines.npy"
FILES = (WORDS, TOLD, LINES, *(f"{side}{what}.npy" for side in SIDES for what in ("", "_offsets")))
CHUNK = 1 << 24  # bytes read at a time


def write(survey: Survey, rows: Path, folder: Path) -> None:
    """The survey of the rows of the file ``rows``, one a line, into ``folder``."""
    index = survey.index
    for name, side in zip(SIDES, (index.prompts, index.responses), strict=True):
        np.save(folder / f"{name}.npy", side.ids)
        np.save(folder / f"{name}_offsets.npy", side.offsets)
    np.save(folder / LINES, _lines(rows))
    (folder / WORDS).write_text(json.dumps(index.words))
    told = {
        "functions": sorted(survey.functions),
        "months": survey.months,
        "sources": survey.sources.to_json(),
        "evidence": [dataclasses.asdict(each) for each in survey.evidence],
        "languages": survey.languages,
    }
    (folder / TOLD).write_text(json.dumps(told))


def merged(parts: Sequence[Path], rows: Sequence[Path], scratch: Path, seed: int) -> Survey:
    """The survey of the whole from the folders of its ``parts``, in order, and the files with their ``rows``.

    ``scratch``: an empty folder for the tokens, which must outlive the survey.
    """
    index = _index(parts, scratch)
    functions, sources = set[str](), Sources(seed)
    months, languages, evidence = dict[str, Counter[str]](), Counter[str](), list[Evidence]()
    lines = [np.load(part / LINES) for part in parts]
    starts = _starts([len(each) for each in lines])
    for part, start in zip(parts, starts, strict=True):
        told: dict[str, Any] = json.loads((part / TOLD).read_bytes())
        functions.update(told["functions"])
        for source, counts in told["months"].items():
            months.setdefault(source, Counter()).update(counts)
        sources.take(told["sources"])
        evidence += (Evidence(**each).moved(start) for each in told["evidence"])
        languages.update(told["languages"])
    at = _seeking(rows, lines, starts)
    return Survey(index, frozenset(functions), months, sources, tuple(evidence), in_order(languages), at)


def _index(parts: Sequence[Path], scratch: Path) -> TokenIndex:
    numbers: dict[str, int] = {}
    ids = [
        np.array([numbers.setdefault(word, len(numbers)) for word in json.loads((part / WORDS).read_bytes())], np.int32)
        for part in parts
    ]
    prompts, responses = (_side(name, parts, ids, scratch) for name in SIDES)
    return TokenIndex(list(numbers), numbers, prompts, responses)


def _side(name: str, parts: Sequence[Path], ids: Sequence[np.ndarray], scratch: Path) -> Side:
    """One side of all rows; ``ids``: of each part, its tokens' numbers in the whole."""
    offsets = [np.load(part / f"{name}_offsets.npy") for part in parts]
    starts = _starts([int(each[-1]) for each in offsets])
    total = starts[-1] + int(offsets[-1][-1])
    if not total:
        return Side(np.zeros(0, np.int32), np.zeros(sum(len(each) - 1 for each in offsets) + 1, np.int64))
    path = scratch / f"{name}.npy"
    whole = np.lib.format.open_memmap(path, mode="w+", dtype=np.int32, shape=(total,))
    for part, numbers, start in zip(parts, ids, starts, strict=True):
        own = np.load(part / f"{name}.npy", mmap_mode="r") if numbers.size else np.zeros(0, np.int32)
        whole[start : start + len(own)] = numbers[own]
    whole.flush()
    moved = [each[1:] + start for each, start in zip(offsets, starts, strict=True)]
    return Side(np.load(path, mmap_mode="r").view(np.ndarray), np.concatenate([[0], *moved]))


def _starts(sizes: Sequence[int]) -> list[int]:
    return list(accumulate(sizes[:-1], initial=0))


def _seeking(rows: Sequence[Path], lines: Sequence[np.ndarray], starts: Sequence[int]) -> RowsAt:
    """Exact rows of files of which it is known where each line begins."""

    def at(wanted: Collection[int]) -> Iterator[tuple[int, Record]]:
        numbers = np.array(sorted(wanted), dtype=np.int64)
        part = np.searchsorted(starts, numbers, "right") - 1
        for each in np.unique(part):
            with rows[each].open("rb") as stream:
                for number in numbers[part == each]:
                    if (place := int(number) - starts[each]) >= len(lines[each]):
                        return
                    stream.seek(int(lines[each][place]))
                    yield int(number), Record.from_json(json.loads(stream.readline()))

    return at


def _lines(path: Path) -> np.ndarray:
    """Where each line of a file begins, in bytes: int64 ``[lines]``."""
    ends, at = [np.zeros(1, dtype=np.int64)], 0
    with path.open("rb") as stream:
        while data := stream.read(CHUNK):
            ends.append(np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n")) + at + 1)
            at += len(data)
    begins = np.concatenate(ends)
    return begins[begins < at]
