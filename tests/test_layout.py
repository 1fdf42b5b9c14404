"""The house keeps its own rules: empty ``__init__``, modules of a readable size, a word at the top of each."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("assets", "resources", "expectations", "pipelines", "deploy", "tests", "docs")
LONGEST = 400  # lines of a module
HEADS = {  # the file that a reader of a room opens first; in a stage of the lineage it is asset.py
    "assets/forms": "table.py", "expectations": "policy.py", "pipelines": "definitions.py",
    "pipelines/commands": "../command.py", "pipelines/desk": "app.py", "pipelines/gateway": "app.py",
    "pipelines/ci": "findings.py", "resources": "project.py",
} | {f"assets/{path.parent.name}": "asset.py" for path in (ROOT / "assets").glob("*/asset.py")}  # fmt: skip


def modules() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")) if "__pycache__" not in path.parts]


def test_packages_are_empty_and_every_folder_of_the_rooms_is_one() -> None:
    wheel = ROOT / "deploy" / "verify" / "__init__.py"  # the face of the small wheel
    inits = [path for path in modules() if path.name == "__init__.py" and path != wheel]
    assert [path for path in inits if path.read_bytes()] == []
    folders = {path.parent for path in modules() if path.relative_to(ROOT).parts[0] not in ("tests", "docs")}
    assert {folder for folder in folders if not (folder / "__init__.py").exists()} == set()


def test_no_module_is_longer_than_a_reader_bears() -> None:
    assert [path.name for path in modules() if len(path.read_text(encoding="utf-8").splitlines()) > LONGEST] == []


def test_every_module_says_what_it_is() -> None:
    silent = [
        path.relative_to(ROOT).as_posix()
        for path in modules()
        if path.read_bytes() and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert [name for name in silent if not name.startswith("tests/")] == []


@pytest.mark.parametrize("room", sorted(HEADS))
def test_the_first_file_of_a_room_says_what_goes_in_what_comes_out_and_what_to_read(room: str) -> None:
    path = (ROOT / room / HEADS[room]).resolve()
    lines = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").splitlines()
    places = [
        next((n for n, line in enumerate(lines) if line.startswith(f"{word:6}")), -1) for word in ("In", "Out", "Read")
    ]
    assert 0 < places[0] < places[1] < places[2], "In, Out, Read"
    end = next((n for n, line in enumerate(lines) if n > places[2] and not line.strip()), len(lines))
    assert end <= 10, "at most ten lines"
    named = re.findall(r"[\w/]+(?:\.py|\.yaml|/)(?=[\s,;)]|$)", " ".join(lines[places[2] : end]))
    assert named and [name for name in named if not (path.parent / name).exists()] == []


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "misc"])
def test_no_drawer_for_what_has_no_place(name: str) -> None:
    assert [path for path in modules() if path.stem == name] == []
