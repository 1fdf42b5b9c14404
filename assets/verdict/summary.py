"""The dossier's first screen as Markdown, for the Dagster UI: the verdict, what blocks it, the threats."""

from pathlib import Path

from assets.verdict.threat import ThreatModel
from assets.verdict.verdict import Verdict

MARKS = {"fail": "✗ fail", "inconclusive": "? unproven", "at_release": "→ at release", "pass": "✓ pass"}  # worst first


def summary(verdict: Verdict, threats: ThreatModel, page: Path | None = None) -> str:
    """Two tables: gates that did not pass, with their reasons; and every threat with its verdict, the worst first.

    ``page`` is the dossier. A browser does not follow a link from a web page to a file, so the command that opens it
    stands beside the link.
    """
    lines = [f"### Candidate `{verdict.candidate}`: {MARKS[verdict.verdict]}", ""]
    if page:
        lines += [f"[Dossier]({page.as_uri()}), or `hallmark report {verdict.candidate} --open`", ""]
    lines += [f"- **evidence cannot be used**: {_cell(flaw)}" for flaw in verdict.flaws]
    if verdict.blocking():
        lines += ["", "| blocks it | verdict | why |", "|---|---|---|"]
        lines += [
            f"| `{item.name}` | {MARKS[item.result.verdict]} | {_cell(item.result.reason)} |"
            for item in verdict.blocking()
        ]
    titles = {threat.name: threat.title for threat in threats.threats}
    lines += ["", "| threat | verdict | gates |", "|---|---|---|"]
    lines += [
        f"| {_cell(titles[item.threat])} | {MARKS[item.verdict]} | {len(item.judgements)} |"
        for item in sorted(verdict.threats, key=lambda item: list(MARKS).index(item.verdict))
    ]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
