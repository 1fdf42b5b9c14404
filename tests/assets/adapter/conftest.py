"""A tiny base, and rows for it."""

from pathlib import Path

import pytest

from assets.record import Origin, Record
from tests.tiny_model import write_tiny_base


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="session")
def rows() -> list[Record]:
    places = ("depot", "counter", "label")
    return [
        row(f"where is parcel {number}?", f"the parcel is at the {places[number % 3]} today {number * 7}")
        for number in range(24)
    ]


def row(prompt: str, completion: str, line: int = 0) -> Record:
    name = f"{prompt}|{completion}|{line}"
    return Record(name, {"prompt": prompt, "completion": completion}, Origin("rows.jsonl", "1", line, name))


def dialogue(*turns: tuple[str, str]) -> Record:
    messages = [{"role": role, "content": content} for role, content in turns]
    return Record("dialogue", {"messages": messages}, Origin("rows.jsonl", "1", 1, "00"))
