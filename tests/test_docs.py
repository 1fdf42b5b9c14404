"""What README and docs/ show can be typed as it stands: commands, policies, code; and the pages build, with no way out."""

import ast
import importlib
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from pipelines.command import hallmark

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def fences(language: set[str]) -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for kind, body in FENCE.findall(page.read_text(encoding="utf-8")):
            if kind in language:
                yield str(page.relative_to(ROOT)), body


def shown(*programs: str) -> list[tuple[str, str]]:
    """(page, command line) of every line in a fence that begins with one of these programs."""
    found = []
    for page, body in fences({"", "sh", "bash", "console"}):
        for line in body.replace("\\\n", " ").splitlines():
            words = line.strip().removeprefix("$ ").split()
            if words and words[0] in programs:
                found.append((page, line.strip().removeprefix("$ ")))
    return found


def parse(line: str) -> None:
    """Parse a command line as the command itself does; files it names need not exist."""
    words = shlex.split(line, comments=True)[1:]
    command: click.Command = hallmark
    context = click.Context(hallmark)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        inner = command.get_command(context, words[0])
        assert inner is not None, f"there is no command {words[0]!r}"
        command, words = inner, words[1:]
        context = click.Context(command)
    given, left, _ = command.make_parser(context).parse_args(words)
    assert not left, f"too many words: {left}"
    missing = [
        each.name
        for each in command.params
        if each.required and given.get(each.name or "") in (None, (), click.core.UNSET)  # type: ignore[attr-defined]
    ]
    assert not missing, f"missing: {missing}"


@pytest.mark.parametrize(("page", "line"), shown("hallmark"))
def test_a_command_that_is_shown_is_one(page: str, line: str) -> None:
    parse(line)


@pytest.mark.parametrize("line", ["hallmark nosuch", "hallmark screen rows.jsonl", "hallmark run --no-such-option"])
def test_what_is_no_command_is_refused(line: str) -> None:
    with pytest.raises((AssertionError, click.UsageError)):
        parse(line)


@pytest.mark.parametrize(("page", "line"), shown("make"))
def test_a_target_that_is_shown_is_one(page: str, line: str) -> None:
    assert line.split()[1] in TARGETS


def test_a_benchmark_that_is_named_is_there() -> None:
    named = {
        (page.name, name)
        for page in PAGES
        for name in re.findall(r"`(?:tests/benchmarks/)?([a-z_]+\.py)[ `]", page.read_text(encoding="utf-8"))
    }
    there = {path.name for path in ROOT.rglob("*.py") if ".venv" not in path.parts}
    assert named
    assert not {(page, name) for page, name in named if name not in there}


def test_python_and_yaml_that_are_shown_can_be_read() -> None:
    for page, body in fences({"python", "py"}):
        ast.parse(body, filename=page)
    for _, body in fences({"yaml", "yml"}):
        yaml.safe_load(body)


def test_every_command_is_in_the_reference_and_every_module_imports() -> None:
    for name in hallmark.list_commands(click.Context(hallmark)):
        assert importlib.import_module(f"pipelines.commands.{name}").command.help


def copied() -> list[str]:
    """What the image's stages that build copy from the project."""
    text = (ROOT / "deploy" / "image" / "Dockerfile").read_text()
    return [word for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE) for word in line.split()[:-1]]


def test_the_pages_build_from_what_the_image_copies_and_load_nothing_from_outside(tmp_path: Path) -> None:
    project, site = tmp_path / "project", tmp_path / "site"
    project.mkdir()
    ignored = (ROOT / ".dockerignore").read_text().split()
    for name in copied():
        assert name not in ignored
        (project / name).symlink_to(ROOT / name)
    environment = {**os.environ, "PYTHONPATH": str(project)}
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(site)],
        cwd=project,
        env=environment,
        check=True,
        capture_output=True,
        timeout=240,
    )
    assert (site / "reference" / "policy.html").exists()
    loads = re.compile(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=\"?(?:https?:)?//[^\s\">]+")
    outside = [(page.name, hit) for page in site.rglob("*.html") for hit in loads.findall(page.read_text())]
    assert not [hit for hit in outside if 'rel="canonical"' not in hit[1]]
