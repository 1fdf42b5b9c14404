"""The dossier's pictures: inline SVG that prints, scales and reads itself out (a title and a description each).

Every picture repeats numbers that stand in a table beside it; none carries meaning by colour alone.
"""

import html
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from resources.digests import digest_bytes

GREEN, AMBER, RED, BLUE, GREY, INK = "#1a7f4b", "#9a6200", "#b3261e", "#1f5fa8", "#8a94a3", "#1c2430"


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of the flow: rows that came in, and how they left."""

    name: str
    rows_in: int
    passed: int
    quarantined: int
    rejected: int


def svg(width: float, height: float, title: str, description: str, content: Iterable[str], least: int = 0) -> str:
    """A picture with its own name and description for those who do not see it.

    It shrinks with the page down to ``least`` pixels, below which it scrolls.
    """
    number = digest_bytes(f"{title}{description}".encode())[:8]
    return (
        f'<div class="scroll" tabindex="0" role="group" aria-label="{html.escape(title)}">'
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-labelledby="t{number} d{number}" class="picture" '
        f'style="max-width:{width:g}px;min-width:{least}px"><title id="t{number}">{html.escape(title)}</title>'
        f'<desc id="d{number}">{html.escape(description)}</desc>{"".join(content)}</svg></div>'
    )


def flow(steps: Sequence[Step]) -> str:
    """Rows through the stages: a band as thick as the rows that go on, with what leaves falling out below it."""
    if not steps:
        return ""
    gap, top, room = 148.0, 52.0, 96.0
    most = max(step.rows_in for step in steps) or 1
    width, height = gap * (len(steps) + 1), top + room + 62
    parts = [_text(12, 16, f"{steps[0].rows_in:,} rows came in", weight=600)]
    for number, step in enumerate(steps):
        x = gap * number + 20
        before, after = room * step.rows_in / most, room * step.passed / most
        parts.append(_band(x, top, before, x + gap - 34, top, after))
        parts += _leaving(step, x, top + after, most, room)
        parts.append(f'<rect x="{x - 8:g}" y="{top:g}" width="8" height="{max(before, 1):.1f}" fill="{INK}"/>')
        parts.append(_text(x - 8, top - 8, step.name, weight=600))
    x = gap * len(steps) + 20
    final = room * steps[-1].passed / most
    parts.append(f'<rect x="{x - 34:g}" y="{top:g}" width="8" height="{max(final, 1):.1f}" fill="{GREEN}"/>')
    parts.append(_text(x - 20, top + max(final, 12) / 2 + 4, f"{steps[-1].passed:,} admitted", weight=600))
    spoken = "; ".join(
        f"{step.name}: {step.rows_in} in, {step.passed} passed, "
        f"{step.quarantined} quarantined, {step.rejected} rejected"
        for step in steps
    )
    return svg(width, height, "Rows through the stages", spoken, parts, least=560)


def curve(points: Sequence[tuple[float, float]], *, title: str, x: str, y: str, log_x: bool = False) -> str:
    """A line through points, with its axes' ends labelled."""
    points = [point for point in points if all(math.isfinite(value) for value in point)]
    if len(points) < 2:
        return ""
    width, height, left, bottom, top = 440.0, 210.0, 46.0, 36.0, 28.0
    place = [(math.log10(max(px, 1e-9)) if log_x else px, py) for px, py in points]
    xs, ys = [px for px, _ in place], [py for _, py in place]
    low, high = min(0.0, *ys), max(ys) or 1.0
    span_x, span_y = (max(xs) - min(xs)) or 1.0, (high - low) or 1.0
    spots = [
        (
            left + (px - min(xs)) / span_x * (width - left - 16),
            height - bottom - (py - low) / span_y * (height - bottom - top),
        )
        for px, py in place
    ]
    line = " ".join(f"{sx:.1f},{sy:.1f}" for sx, sy in spots)
    dots = (
        "".join(f'<circle cx="{sx:.1f}" cy="{sy:.1f}" r="3" fill="{BLUE}"/>' for sx, sy in spots)
        if len(spots) < 30
        else ""
    )
    parts = [
        f'<path d="M{left:g} {top:g}V{height - bottom:g}H{width - 16:g}" fill="none" stroke="{GREY}"/>',
        f'<polyline points="{line}" fill="none" stroke="{BLUE}" stroke-width="2"/>{dots}',
        _text(left - 6, top + 8, f"{high:.3g}", anchor="end"),
        _text(left - 6, height - bottom, f"{low:.3g}", anchor="end"),
        _text(left, height - bottom + 16, f"{points[0][0]:,.4g}"),
        _text(width - 16, height - bottom + 16, f"{points[-1][0]:,.4g}", anchor="end"),
        _text(width / 2, height - 6, x, anchor="middle"),
        _text(left, 14, y),
    ]
    spoken = f"{y} against {x}: from {points[0][1]:.4g} at {points[0][0]:g} to {points[-1][1]:.4g} at {points[-1][0]:g}"
    return svg(width, height, title, spoken, parts)


@dataclass(frozen=True, slots=True)
class Pair:
    """A share before and after, the interval of the difference, and whether that is ``better`` or ``worse``."""

    name: str
    base: float
    adapter: float
    low: float | None
    high: float | None
    reading: str = ""


def before_after(pairs: Sequence[Pair]) -> str:
    """A hollow ring where the base was and a full dot where the adapter is, one line a suite."""
    pairs = [pair for pair in pairs if 0 <= pair.base <= 1 and 0 <= pair.adapter <= 1]
    if not pairs:
        return ""
    width, row, left, right = 460.0, 30.0, 112.0, 20.0
    height = row * len(pairs) + 62

    def at(value: float) -> float:
        return left + min(max(value, 0), 1) * (width - left - right)

    parts = [
        f'<line x1="{at(tick):g}" x2="{at(tick):g}" y1="8" y2="{height - 52:g}" stroke="#dfe3e8"/>'
        + _text(at(tick), height - 38, f"{tick:.0%}", anchor="middle")
        for tick in (0, 0.25, 0.5, 0.75, 1)
    ]
    for number, pair in enumerate(pairs):
        y = row * number + 24
        colour = {"better": GREEN, "worse": RED}.get(pair.reading, GREY)
        parts.append(_text(left - 12, y + 4, pair.name, anchor="end"))
        if pair.low is not None and pair.high is not None:
            parts.append(_line(at(pair.base + pair.low), at(pair.base + pair.high), y, colour, 8, ".25"))
        parts.append(_line(at(pair.base), at(pair.adapter), y, colour, 2))
        parts.append(f'<circle cx="{at(pair.base):.1f}" cy="{y}" r="5" fill="#fff" stroke="{INK}" stroke-width="2"/>')
        parts.append(f'<circle cx="{at(pair.adapter):.1f}" cy="{y}" r="5" fill="{colour}"/>')
    parts.append(_text(4, height - 12, "ring: base model · dot: adapter · band: 95 % interval of the difference"))
    spoken = "; ".join(f"{pair.name}: base {pair.base:.3f}, adapter {pair.adapter:.3f}" for pair in pairs)
    return svg(width, height, "Before and after", spoken, parts)


def two_shapes(edges: Sequence[float], first: Sequence[float], second: Sequence[float], names: tuple[str, str]) -> str:
    """Two histograms over the same bins as outlines: where they lie apart, the two can be told from each other."""
    if len(edges) != len(first) + 1 or len(first) != len(second) or not sum(first) or not sum(second):
        return ""
    width, height, left, bottom = 440.0, 180.0, 16.0, 44.0
    shares = [[count / sum(side) for count in side] for side in (first, second)]
    top = max(max(side) for side in shares)
    span = (edges[-1] - edges[0]) or 1.0

    def outline(side: Sequence[float]) -> str:
        spots = []
        for start, end, share in zip(edges, edges[1:], side, strict=False):
            y = height - bottom - share / top * (height - bottom - 14)
            spots += [f"{left + (edge - edges[0]) / span * (width - 2 * left):.1f},{y:.1f}" for edge in (start, end)]
        return " ".join(spots)

    parts = [
        f'<line x1="{left}" x2="{width - left}" y1="{height - bottom}" y2="{height - bottom}" stroke="{GREY}"/>',
        f'<polyline points="{outline(shares[0])}" fill="none" stroke="{BLUE}" stroke-width="2"/>',
        f'<polyline points="{outline(shares[1])}" fill="none" stroke="{INK}" stroke-width="2" stroke-dasharray="5 3"/>',
        _text(left, height - bottom + 16, f"{edges[0]:.3g}"),
        _text(width - left, height - bottom + 16, f"{edges[-1]:.3g}", anchor="end"),
        _text(left, height - 6, f"full line: {names[0]} · dashed: {names[1]}"),
    ]
    spoken = f"{names[0]}: {sum(first):g}, {names[1]}: {sum(second):g}, over {len(first)} bins"
    return svg(width, height, f"{names[0].capitalize()} and {names[1]}", spoken, parts)


def interval(value: float | None, low: float | None, high: float | None, chance: float, name: str) -> str:
    """A value in 0..1 with its interval, against the value that chance would give."""
    if value is None or not 0 <= value <= 1:
        return ""
    width, height, left = 420.0, 54.0, 10.0

    def at(number: float) -> float:
        return left + min(max(number, 0), 1) * (width - 2 * left)

    parts = [f'<line x1="{at(0):g}" x2="{at(1):g}" y1="20" y2="20" stroke="{GREY}"/>']
    parts.append(
        f'<line x1="{at(chance):.1f}" x2="{at(chance):.1f}" y1="8" y2="32" stroke="{INK}" stroke-dasharray="3 2"/>'
    )
    if low is not None and high is not None:
        parts.append(_line(at(low), at(high), 20, BLUE, 8, ".3"))
    parts.append(f'<circle cx="{at(value):.1f}" cy="20" r="5" fill="{BLUE}"/>')
    parts += [
        _text(at(0), 48, "0"),
        _text(at(1), 48, "1", anchor="end"),
        _text(at(chance), 48, "chance", anchor="middle"),
    ]
    bounds = f" between {low:.3f} and {high:.3f}" if low is not None and high is not None else ""
    return svg(width, height, name, f"{name} {value:.3f}{bounds}; chance would give {chance:g}", parts)


def _band(x1: float, y1: float, h1: float, x2: float, y2: float, h2: float) -> str:
    middle, start, end = (x1 + x2) / 2, y1 + max(h1, 1), y2 + max(h2, 1)
    return (
        f'<path d="M{x1:.1f} {y1:.1f}C{middle:.1f} {y1:.1f} {middle:.1f} {y2:.1f} {x2:.1f} {y2:.1f}V{end:.1f}'
        f'C{middle:.1f} {end:.1f} {middle:.1f} {start:.1f} {x1:.1f} {start:.1f}Z" fill="#c9dcf2"/>'
    )


def _leaving(step: Step, x: float, bottom: float, most: int, room: float) -> list[str]:
    parts, y = [], bottom + 22
    for rows, what, colour in ((step.quarantined, "quarantined", AMBER), (step.rejected, "rejected", RED)):
        if rows:
            tall = max(room * rows / most, 3)
            parts.append(f'<rect x="{x + 26:g}" y="{y - 9:.1f}" width="5" height="{tall:.1f}" fill="{colour}"/>')
            parts.append(_text(x + 36, y, f"{rows:,} {what}", colour=colour))
            y += max(18.0, tall + 12)
    return parts


def _line(x1: float, x2: float, y: float, colour: str, thick: int, opacity: str = "1") -> str:
    ends = f'x1="{x1:.1f}" x2="{x2:.1f}" y1="{y:g}" y2="{y:g}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{thick}" opacity="{opacity}"/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start", weight: int = 400, colour: str = INK) -> str:
    style = f'text-anchor="{anchor}" font-weight="{weight}" fill="{colour}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{html.escape(text)}</text>'
