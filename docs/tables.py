"""The tables of measured figures: written into the pages from ``figures.json``, between marks, and never by hand.

    <!-- figures: NAME -->
    ... what this module writes ...
    <!-- end -->

``python docs/tables.py`` writes them into every page; building the documentation (this is a MkDocs hook) fails where a
page says something else than the file. ``docs/figures.yaml`` names every figure with its command; one that was not
measured yet says so.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page

HERE = Path(__file__).parent
MEASURED, PUBLISHED = HERE / "figures.json", HERE / "figures.yaml"
MARKED = re.compile(r"(<!-- figures: ([a-z0-9-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
DIGITS = 3
Entry = Mapping[str, Any]


def published() -> dict[str, Entry]:
    """What the documentation publishes, by name: stage, command, what it depends on."""
    body: dict[str, Entry] = yaml.safe_load(PUBLISHED.read_text(encoding="utf-8"))["figures"]
    return body


def measured() -> dict[str, Entry]:
    """What was measured, by name."""
    body: dict[str, Entry] = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else {}
    return body


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> None:
    """Refuse a page whose tables are not those of ``figures.json``."""
    if filled(markdown, published(), measured()) != markdown:
        raise PluginError(f"{page.file.src_uri}: its tables are not those of figures.json; run python docs/tables.py")


def filled(text: str, named: Mapping[str, Entry], found: Mapping[str, Entry]) -> str:
    """The page with every marked table as measured. ``KeyError`` where a mark names no published figure."""

    def table(mark: re.Match[str]) -> str:
        name = mark[2]
        if name not in named:
            raise KeyError(f"{name} is no figure of figures.yaml")
        entry = found.get(name)
        lines = [*_table(entry), *_caption(entry, named[name])] if entry else [_unmeasured(named[name])]
        return mark[1] + "\n".join(lines) + "\n" + mark[3]

    return MARKED.sub(table, text)


def _unmeasured(entry: Entry) -> str:
    return f"Not measured yet: `{entry['command']}`"


def _table(entry: Entry) -> Iterator[str]:
    """A row a thing measured, a column a side of it; the samples in a column of their own where all share them."""
    figures = entry["figures"]
    rows, columns = (list(dict.fromkeys(each.get(key, "") for each in figures)) for key in ("what", "of"))
    cells = {(each["what"], each.get("of", "")): each for each in figures}
    samples = {row: {each.get("n") for each in figures if each["what"] == row} for row in rows}
    apart = all(len(sizes) == 1 for sizes in samples.values()) and any(sizes != {None} for sizes in samples.values())
    yield _line(["", *(["n"] if apart else []), *columns])
    yield _line(["---"] * (1 + apart + len(columns)))
    for row in rows:
        n = next(iter(samples[row]))
        shown = [_cell(cells.get((row, column)), samples=not apart) for column in columns]
        yield _line([row, *([f"{n:,}" if n else ""] if apart else []), *shown])


def _cell(figure: Entry | None, *, samples: bool) -> str:
    if figure is None:
        return ""
    unit, n, note = figure.get("unit", ""), figure.get("n"), figure.get("note")
    text = _number(figure["value"], unit)
    if "low" in figure:
        text += f" [{_number(figure['low'], unit)}, {_number(figure['high'], unit)}]"
    if unit not in ("", "share"):
        text += f" {unit}"
    if samples and n:
        text += f" of {n:,}"
    return f"{text} ({note})" if note else text


def _number(value: float, unit: str) -> str:
    """A share with three places; else three digits, or the whole number where it has more."""
    if unit == "share":
        return f"{value:.{DIGITS}f}"
    return f"{value:,.0f}" if abs(value) >= 10**DIGITS or value == int(value) else f"{value:.{DIGITS}g}"


def _caption(entry: Entry, named: Entry) -> Iterator[str]:
    machine = entry["machine"]
    yield ""
    yield f"`{entry['command']}`, {entry['date']}, {machine}. {' '.join(str(named.get('note', '')).split())}".rstrip()


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def main() -> None:
    named, found = published(), measured()
    for page in (HERE.parent / "README.md", *sorted(HERE.rglob("*.md"))):
        text = page.read_text(encoding="utf-8")
        if (new := filled(text, named, found)) != text:
            page.write_text(new, encoding="utf-8")
            print(page.relative_to(HERE.parent))


if __name__ == "__main__":
    main()
