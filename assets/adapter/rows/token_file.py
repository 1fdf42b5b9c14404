"""Training examples as memory-mapped arrays: made once, read by every process, and nothing of them held.

A Python tuple of token ids takes nine times the four bytes that a token takes here, and each process had its own.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import overload

import numpy as np

from assets.adapter.rows.dialogues import Example

CHUNK = 1 << 20  # tokens written at a time
IDS, ENDS, SPANS, SPAN_ENDS, WEIGHTS, NAMES, NAME_ENDS = (
    f"{name}.npy" for name in ("ids", "ends", "spans", "span_ends", "weights", "names", "name_ends")
)


class TokenFile(Sequence[Example]):
    """The examples in a folder, by number. ``lengths``: tokens of each, int64 ``[examples]``."""

    def __init__(self, folder: Path) -> None:
        self._ids, self._spans, self._names = (_mapped(folder / name) for name in (IDS, SPANS, NAMES))
        self._ends, self._span_ends, self._name_ends = (_mapped(folder / n) for n in (ENDS, SPAN_ENDS, NAME_ENDS))
        self._weights = _mapped(folder / WEIGHTS)

    @classmethod
    def write(cls, examples: Iterable[Example], folder: Path) -> "TokenFile":
        """Stream the examples into an empty folder."""
        folder.mkdir(parents=True)
        counts: list[tuple[int, int, int]] = []
        weights: list[float] = []
        with (
            _Array(folder / IDS, np.int32, ()) as ids,
            _Array(folder / SPANS, np.int32, (2,)) as spans,
            _Array(folder / NAMES, np.uint8, ()) as names,
        ):
            for example in examples:
                name = example.row_id.encode()
                ids.add(example.ids)
                spans.add(example.spans)
                names.add(name)
                counts.append((len(example.ids), len(example.spans), len(name)))
                weights.append(example.weight)
        ends = np.cumsum(np.array(counts, dtype=np.int64).reshape(-1, 3), axis=0)
        for column, file in enumerate((ENDS, SPAN_ENDS, NAME_ENDS)):
            np.save(folder / file, np.ascontiguousarray(ends[:, column]))
        np.save(folder / WEIGHTS, np.array(weights, dtype=np.float64))
        return cls(folder)

    @property
    def lengths(self) -> np.ndarray:
        return np.diff(self._ends, prepend=0)

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, number: int) -> Example: ...

    @overload
    def __getitem__(self, number: slice) -> list[Example]: ...

    def __getitem__(self, number: int | slice) -> Example | list[Example]:
        if isinstance(number, slice):
            return [self[each] for each in range(*number.indices(len(self)))]
        place = range(len(self))[number]
        ids, spans, name = (
            values[int(ends[place - 1]) if place else 0 : int(ends[place])]
            for values, ends in (
                (self._ids, self._ends), (self._spans, self._span_ends), (self._names, self._name_ends),
            )
        )  # fmt: skip
        pairs = tuple((start, end) for start, end in spans.tolist())
        return Example(name.tobytes().decode(), tuple(ids.tolist()), pairs, float(self._weights[place]))

    def __iter__(self) -> Iterator[Example]:
        return (self[place] for place in range(len(self)))


def lengths(examples: Sequence[Example]) -> np.ndarray:
    """Tokens of each example, int64 ``[examples]``."""
    if isinstance(examples, TokenFile):
        return examples.lengths
    return np.array([len(example.ids) for example in examples], dtype=np.int64)


class _Array:
    """A ``.npy`` file that is appended to; its header is written last, when its length is known."""

    ROOM = 128  # bytes of the header, whatever the length

    def __init__(self, path: Path, kind: type[np.generic], shape: tuple[int, ...]) -> None:
        self._path, self._kind, self._shape = path, np.dtype(kind), shape
        self._waiting: list[object] = []
        self._rows = 0

    def __enter__(self) -> "_Array":
        self._stream = self._path.open("wb")
        self._stream.write(bytes(self.ROOM))
        return self

    def __exit__(self, *failed: object) -> None:
        with self._stream as stream:
            self._flush()
            stream.seek(0)
            header = repr({"descr": self._kind.str, "fortran_order": False, "shape": (self._rows, *self._shape)})
            stream.write(np.lib.format.magic(1, 0) + (self.ROOM - 10).to_bytes(2, "little"))
            stream.write(header.encode().ljust(self.ROOM - 11) + b"\n")

    def add(self, values: Iterable[object]) -> None:
        self._waiting.extend(values)
        if len(self._waiting) >= CHUNK:
            self._flush()

    def _flush(self) -> None:
        block = np.array(self._waiting, dtype=self._kind).reshape(-1, *self._shape)
        self._stream.write(block.tobytes())
        self._rows += len(block)
        self._waiting = []


def _mapped(path: Path) -> np.ndarray:
    try:
        array: np.ndarray = np.load(path, mmap_mode="r").view(np.ndarray)
    except ValueError:  # an empty file cannot be mapped
        array = np.load(path)
    return array
