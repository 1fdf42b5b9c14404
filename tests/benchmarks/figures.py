"""A published figure, and how a benchmark hands its figures over: ``--json FILE``, beside what it prints.

    parser = argparse.ArgumentParser(...)
    figures.option(parser)
    ...
    figures.write(given.json, [figures.of_share("persons", hits, n), Figure("speed", 617, unit="tokens/s")])

``make figures`` runs the benchmarks of ``docs/figures.yaml`` and keeps what they hand over in ``docs/figures.json``, from
which the tables of the documentation are made (``docs/tables.py``).
"""

import argparse
import dataclasses
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """``what`` names the row of its table, ``of`` the column. ``low`` and ``high``: 95 % interval, or the least and the
    greatest of several rounds where ``note`` says so. ``n``: samples. ``unit``: "share", "s", "tokens/s", "times" ..."""

    what: str
    value: float
    of: str = ""
    n: int | None = None
    low: float | None = None
    high: float | None = None
    unit: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        numbers = [each for each in (self.value, self.low, self.high) if each is not None]
        if not all(map(math.isfinite, numbers)):
            raise ValueError(f"{self.what}: a figure is a finite number")


def of_share(what: str, hits: int, n: int, of: str = "") -> Figure:
    """A share with Wilson's 95 % interval; ``ValueError`` of nothing."""
    from assets.golden.inference.statistics import share_interval  # a peer that runs a benchmark has none of it

    if not n:
        raise ValueError(f"{what}: a share of nothing")
    low, high = share_interval(hits, n)
    return Figure(what, hits / n, of, n, low, high, "share")


def option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", type=Path, help="write the figures there too, for the documentation")


def write(path: Path | None, found: Iterable[Figure]) -> None:
    """As JSON, without what is empty; nothing where no file was asked for."""
    if path is not None:
        told = [
            {name: value for name, value in dataclasses.asdict(each).items() if value not in ("", None)}
            for each in found
        ]
        path.write_text(json.dumps(told) + "\n", encoding="utf-8")
