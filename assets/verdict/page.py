"""The dossier as one self-contained HTML page: no script, no font, no picture from anywhere else."""

from collections.abc import Mapping
from typing import Any

from assets.verdict import sections, trials
from assets.verdict.markup import facts, mark, moment, number, paragraph, text
from assets.verdict.stylesheet import CSS

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
MOST_NAMED = 8  # gates in the first box
Body = Mapping[str, Any]


def render(body: Body) -> str:
    """The page of a dossier (``assets.verdict.dossier.collect``)."""
    parts = [
        sections.blocking(body),
        sections.approvals(body),
        sections.threat_table(body),
        sections.data(body),
        trials.behaviour(body),
        trials.backdoor(body),
        trials.memorization(body),
        trials.extraction(body),
        sections.training(body),
        sections.untested(body),
        sections.judged_before(body),
        sections.gates(body),
        sections.threats_in_full(body),
        sections.digests(body),
    ]
    shown = [part for part in parts if part]
    links = "".join(f'<li><a href="#{name}">{text(title)}</a></li>' for name, title in map(_heading, shown))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light">'
        f"<title>Dossier of candidate {text(body['candidate'])}</title><style>{CSS}</style></head><body>"
        '<a class="skip" href="#main">Skip to the content</a>'
        f'<header>{_head(body)}</header><nav aria-label="Sections"><ul>{links}</ul></nav>'
        f'<main id="main">{"".join(shown)}</main>'
        "<footer>Made by Hallmark. This page is one of the files that the release signs; "
        "<code>hallmark verify</code> proves that it was not changed.</footer></body></html>"
    )


def _head(body: Body) -> str:
    verdict, approvals = str(body["verdict"]), body["approvals"]
    blocking = [gate for gate in body["gates"] if gate["verdict"] != "pass"]
    failed = [gate["name"] for gate in blocking if gate["verdict"] == "fail"]
    unproven = [gate["name"] for gate in blocking if gate["verdict"] == "inconclusive"]
    if verdict == "pass":
        told = "Every gate passes. A reviewer may approve it."
    elif verdict == "inconclusive":
        told = (
            f"Nothing failed, but {_gates(len(unproven))} could not be proven. A reviewer must accept each by name."
            f"{_names('Unproven', unproven)}"
        )
    else:
        told = (
            "It cannot be released. What blocks it is explained below, with what would pass and what can be done."
            f"{_names('The evidence itself', body['flaws'])}{_names('Failed', failed)}{_names('Unproven', unproven)}"
        )
    if approvals:
        accepted = sorted({gate for word in approvals for gate in word["overrides"]})
        by_name = (
            f" {_gates(len(accepted)).capitalize()} that did not pass {_was(len(accepted))} accepted by name."
            f"{_names('Accepted', accepted)}"
            if accepted
            else ""
        )
        told = f"Approved by {', '.join(text(word['reviewer']) for word in approvals)}.{by_name}"
    training = body["training"]
    admitted = sum(stages[-1]["passed"] for stages in body["data"]["drops"].values())
    return (
        '<p class="brand">Hallmark · dossier</p>'
        f"<h1>Candidate <span class='mono'>{text(body['candidate'] or 'without an adapter')}</span></h1>"
        f'<div class="verdict v-{text(verdict)}"><strong class="big">{mark(verdict)}</strong>{paragraph(told)}</div>'
        + facts(
            [
                ("Gates passed", f"{len(body['gates']) - len(blocking)} of {len(body['gates'])}"),
                ("Rows admitted", f"{admitted:,} from {len(body['data']['drops'])} drops"),
                ("Tokens trained on", number(training.get("tokens"))),
                ("Made", text(moment(body["made_at"]) or "–")),
                ("Author", text(body["author"] or "not recorded")),
                (
                    "Policy",
                    text(" · ".join(part.replace("_", " ") for part in (body["policy"], body["profile"]) if part)),
                ),
            ]
        )
    )


def _names(what: str, names: list[str]) -> str:
    """What did not pass, counted and named, as a line of the first box; the rest of many is left to the list below."""
    if not names:
        return ""
    few, rest = names[:MOST_NAMED], len(names) - MOST_NAMED
    listed = ", ".join(f"<code>{text(name)}</code>" for name in few) + (f" and {rest} more" if rest > 0 else "")
    return f"<br><strong>{what} ({len(names)}):</strong> {listed}"


def _gates(count: int) -> str:
    return "one gate" if count == 1 else f"{count} gates"


def _was(count: int) -> str:
    return "was" if count == 1 else "were"


def _heading(part: str) -> tuple[str, str]:
    """The anchor and the title of a section, read from its own HTML."""
    anchor = part.split('id="', 1)[1].split('"', 1)[0]
    title = part.split("<h2", 1)[1].split(">", 1)[1].split("</h2>", 1)[0]
    return anchor, title
