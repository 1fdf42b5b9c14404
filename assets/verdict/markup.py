"""Pieces of HTML for the dossier: escaped text, verdict marks, tables that read well by ear and on a phone."""

import html
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

from resources.digests import digest_bytes

WORDS = {"pass": "✓ pass", "fail": "✗ fail", "inconclusive": "? unproven", "at_release": "→ at release"}


def text(value: Any) -> str:
    """Escaped for HTML; None is a dash."""
    return "–" if value is None else html.escape(str(value).replace("<=", "≤").replace(">=", "≥"))


def prose(value: Any) -> str:
    """Escaped text in which what stands between backticks, or is an option, is set as code."""
    return re.sub(r"`([^`]+)`|(--[a-z]+ \S+)", lambda found: f"<code>{found[1] or found[2]}</code>", text(value))


def number(value: Any, digits: int = 4) -> str:
    """A number for people: thousands apart, no false precision; a dash where there is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.{digits}g}"


def percent(value: Any) -> str:
    return f"{value:.1%}" if isinstance(value, int | float) and math.isfinite(value) else "–"


def bounds(low: Any, high: Any) -> str:
    """An interval, or nothing."""
    return f"[{number(low, 3)}, {number(high, 3)}]" if number(low) != "–" and number(high) != "–" else ""


def moment(at: Any) -> str:
    """A UTC time of the manifests as people write it; anything else as it is."""
    words = str(at)
    return f"{words[:10]} {words[11:16]} UTC" if len(words) == 20 and words[10] == "T" and words[-1] == "Z" else words


def mark(verdict: Any) -> str:
    """A verdict in words, with a sign and a colour."""
    word = str(verdict)
    return (
        f'<span class="mark v-{html.escape(word)}">{WORDS.get(word, html.escape(word))}</span>'
        if word in WORDS
        else text(word)
    )


def section(name: str, title: str, *content: str) -> str:
    heading = f'<h2 id="h-{name}">{text(title)}</h2>'
    return f'<section id="{name}" aria-labelledby="h-{name}">{heading}{"".join(content)}</section>'


def paragraph(words: str, kind: str = "") -> str:
    return f'<p class="{kind}">{words}</p>' if kind else f"<p>{words}</p>"


def table(
    caption: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    numeric: Sequence[int] = (),
    kind: str = "stack",
) -> str:
    """A table whose first cell of each row is its heading. Cells are HTML already.

    On a phone ``stack`` turns rows into cards with a line a cell, ``wide`` into cards whose cells share lines;
    ``narrow`` is as wide as its content everywhere.
    """
    right = set(numeric)
    head = "".join(f'<th scope="col"{_class(i in right)}>{text(name)}</th>' for i, name in enumerate(columns))
    body = []
    for row in rows:
        cells = [f'<th scope="row" role="rowheader">{row[0]}</th>']
        cells += [
            f'<td role="cell"{_class(i in right)} data-label="{text(columns[i])}">{cell}</td>'
            for i, cell in enumerate(row)
            if i
        ]
        body.append(f'<tr role="row">{"".join(cells)}</tr>')
    if not body:
        return ""
    name = f"c{digest_bytes(caption.encode())[:8]}"
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-labelledby="{name}"><table class="{kind}" role="table">'
        f'<caption id="{name}">{text(caption)}</caption><thead role="rowgroup"><tr role="row">{head}</tr></thead>'
        f'<tbody role="rowgroup">{"".join(body)}</tbody></table></div>'
    )


def facts(pairs: Iterable[tuple[str, str]], kind: str = "") -> str:
    """A few facts side by side; values are HTML already. ``kind`` ``settings``: many, closer together."""
    shown = "".join(f"<div><dt>{text(name)}</dt><dd>{value}</dd></div>" for name, value in pairs)
    return f'<dl class="{" ".join(filter(None, ("facts", kind)))}">{shown}</dl>'


def _class(right: bool) -> str:
    return ' class="n"' if right else ""
