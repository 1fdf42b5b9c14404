"""The dossier's first screen as Markdown, for the Dagster UI: the verdict, what blocks it, the threats."""

from assets.verdict.threat import ThreatModel
from assets.verdict.verdict import Verdict

MARKS = {"pass": "✓ pass", "fail": "✗ fail", "inconclusive": "? unproven", "at_release": "→ at release"}


def summary(verdict: Verdict, threats: ThreatModel) -> str:
    """Two tables: gates that did not pass, with their reasons; and every threat with its verdict."""
    lines = [f"### Candidate `{verdict.candidate}`: {MARKS[verdict.verdict]}", ""]
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
        f"| {_cell(titles[item.threat])} | {MARKS[item.verdict]} | {len(item.judgements)} |" for item in verdict.threats
    ]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
