"""What the screen says, as one self-contained HTML page for people: findings, examples, the heat map, shifts.

Everything quoted is masked and escaped; the page loads nothing and runs nothing.
"""

from assets.screened.report.finding import Finding, ScreenResult
from assets.screened.report.heat_map import HeatMap
from assets.screened.report.sentences import masked, unjudged
from assets.verdict.markup import number, paragraph, percent, section, table, text
from assets.verdict.page import POLICY
from assets.verdict.stylesheet import CSS

POWER = ["Attack", "Rows planted", "Rows found", "Found"]
MOST_ROWS = 200  # row numbers written out for a finding


def render(result: ScreenResult, rows: int, name: str) -> str:
    """The page of a result on ``rows`` rows of an input called ``name``."""
    flagged = len(result.by_row())
    if result.clean and result.unproven:
        said = f"Nothing is found in {rows:,} rows, and nothing is proven yet: {text(result.unproven)}."
    elif result.clean:
        said = f"Nothing is open in {rows:,} rows."
    else:
        said = (
            f"{len(result.open_findings)} open findings flag {flagged:,} of {rows:,} rows ({percent(flagged / rows)})."
        )
    parts = [
        _findings("Findings", result.findings),
        _findings("Questions", result.questions),
        _power(result),
        _usual(result),
        _heat(result),
        _shifts(result),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light">'
        f"<title>Poison screen of {text(name)}</title><style>{CSS}</style></head><body>"
        f'<header><p class="brand">Hallmark · poison screen</p><h1>{text(name)}</h1>{paragraph(said)}</header>'
        f'<main id="main">{"".join(parts)}</main></body></html>'
    )


def _findings(title: str, findings: tuple[Finding, ...]) -> str:
    return section(title.lower(), title, *map(_finding, findings)) if findings else ""


def _finding(finding: Finding) -> str:
    shown = [f"{place}" for place in finding.rows[:MOST_ROWS]]
    rest = f" and {len(finding.rows) - MOST_ROWS:,} more" if len(finding.rows) > MOST_ROWS else ""
    first, last = finding.dates
    facts = [
        ("Kind", f"<code>{text(finding.kind)}</code>" + (" (cleared by a person)" if finding.accepted else "")),
        ("Fingerprint", f"<code>{finding.fingerprint}</code>"),
        ("Corrected p-value", number(finding.p_value, 3)),
        ("Statistics", text(", ".join(f"{name} {number(value, 3)}" for name, value in finding.evidence.items()))),
        ("Sources", text(", ".join(f"{masked(source)} ({rows:,})" for source, rows in finding.sources.items()))),
        ("Dates", text(f"{first} to {last}") if first else "none given"),
        ("Rows", text(", ".join(shown) + rest)),
        *(("Example", text(example)) for example in finding.examples),
    ]
    return f"<h3>{text(finding.sentence)}</h3>" + table(f"Finding {finding.fingerprint}", ["What", "Value"], facts)


def _power(result: ScreenResult) -> str:
    """What the screen found of attacks that it planted into copies of these rows."""
    if not result.power:
        return ""
    rows = [
        [text(each.what), number(each.planted), number(each.found), "yes" if each.shown else "no"]
        for each in result.power
    ]
    caption = "Attacks planted into copies of these rows, and what the screen flagged of them"
    return section("power", "What would have been found", table(caption, POWER, rows, numeric=(1, 2)))


def _usual(result: ScreenResult) -> str:
    told = "".join(f"<li>{text(unjudged(each))}</li>" for each in result.usual)
    return section("usual", "Usual, and not judged", f"<ul>{told}</ul>") if told else ""


def _heat(result: ScreenResult) -> str:
    grid = HeatMap.of(result.source_by_month).html()
    return section("heat", "Sources over time", grid) if grid else ""


def _shifts(result: ScreenResult) -> str:
    rows = [
        [
            text(masked(shift.source)),
            text(shift.measure),
            number(shift.before),
            number(shift.here),
            number(shift.effect),
        ]
        for shift in result.shifts
    ]
    if not rows:
        return ""
    caption = "Sources whose answers look unlike the trusted rows of the same source; no row is flagged for it"
    grid = table(caption, ["Source", "Measure", "Before", "Here", "Effect (KS)"], rows, numeric=(2, 3, 4))
    return section("shifts", "Sources that changed", grid)
