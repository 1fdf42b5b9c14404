"""The sections of the dossier that are about the decision, the threats, the data and the training."""

import json
from collections.abc import Mapping
from typing import Any

from assets.screened.report.heat_map import HeatMap
from assets.verdict.drawing import Step, curve, flow
from assets.verdict.markup import bounds, facts, mark, moment, number, paragraph, percent, prose, section, table, text

Body = Mapping[str, Any]
VERDICTS = ("fail", "inconclusive", "at_release", "pass")  # the worst first
SEVERITIES = ("critical", "high", "medium", "low")
STAGE_WORDS = {
    "raw_drop": "read",
    "validated_records": "validated",
    "sanitized_records": "sanitised",
    "screened_records": "screened",
}


def blocking(body: Body) -> str:
    """What stands between the candidate and a release, the worst first, each with its way out."""
    parts = []
    if body["flaws"]:
        listed = "".join(f"<li>{text(flaw)}</li>" for flaw in body["flaws"])
        advice = paragraph("Nobody can override this: run those stages again.", "small soft")
        parts.append(
            f'<div class="block v-fail"><h3>{mark("fail")} · the evidence itself</h3><ul>{listed}</ul>{advice}</div>'
        )
    gates = [gate for gate in body["gates"] if gate["verdict"] != "pass" and not _not_run(gate, body["flaws"])]
    for gate in sorted(gates, key=lambda gate: VERDICTS.index(gate["verdict"])):
        parts.append(
            f'<div class="block v-{gate["verdict"]}">'
            f'<h3>{mark(gate["verdict"])} · <span class="mono">{text(gate["name"])}</span></h3>'
            + (paragraph(text(_sentence(gate["explain"]))) if gate["explain"] else "")
            + paragraph(f"<strong>Why:</strong> {text(gate['reason'])}")
            + paragraph(f"<strong>Would pass:</strong> {text(gate['would_pass'])}")
            + paragraph(f"<strong>What can be done:</strong> {prose(gate['what_to_do'])}")
            + "</div>"
        )
    nothing = paragraph(f"Nothing: all {len(body['gates'])} gates pass.")
    title = "What did not pass, and was accepted" if body["approvals"] else "What blocks it"
    return section("blocking", title, "".join(parts) or nothing, _command(body))


def _not_run(gate: Mapping[str, Any], flaws: list[str]) -> bool:
    """Whether the gate failed for no other reason than that its stage was not run, which is said once."""
    place = gate["stage"] if gate["partition"] == "all" else f"{gate['stage']}/{gate['partition']}"
    return f"{place} was not run" in flaws


def _command(body: Body) -> str:
    if body["verdict"] == "fail" or body["approvals"]:
        return ""
    unproven = [gate["name"] for gate in body["gates"] if gate["verdict"] == "inconclusive"]
    overrides = "".join(f" \\\n    --override '{name}=WHY'" for name in unproven)
    command = f"hallmark approve {body['candidate']} --reviewer YOU --reason 'WHY'{overrides}"
    return paragraph("To approve it:") + f"<pre>{text(command)}</pre>"


def approvals(body: Body) -> str:
    if not body["approvals"]:
        return ""
    rows, overrides = [], []
    for word in body["approvals"]:
        rows.append(
            [
                text(word["reviewer"]),
                text(word["reason"]),
                text(moment(word["issued_at"])),
                f"<code>{text(word['keyid'][:16])}</code>",
            ]
        )
        overrides += [
            [f"<code>{text(gate)}</code>", text(why), text(word["reviewer"])] for gate, why in word["overrides"].items()
        ]
    return section(
        "approvals",
        "Who approved it",
        table("Approvals, each signed with the reviewer's own key", ["Reviewer", "Reason", "When", "Key"], rows),
        table("Gates that did not pass and were accepted by name", ["Gate", "Reason", "By"], overrides),
    )


def threat_table(body: Body) -> str:
    gates = {gate["name"]: gate for gate in body["gates"]}
    rows = []
    for threat in sorted(body["threats"], key=_gravity):
        judged = [gates[name] for name in threat["judgements"] if name in gates]
        passed = sum(gate["verdict"] == "pass" for gate in judged)
        open_ones = ", ".join(f"<code>{text(gate['name'])}</code>" for gate in judged if gate["verdict"] != "pass")
        told = f"{passed} of {len(judged)} gates pass" if judged else "by the gates of approval and release"
        tags = " · ".join([*threat["owasp"], *threat["atlas"]])
        rows.append(
            [
                f'{text(threat["title"])}<span class="tags">{text(tags)}</span>',
                mark(threat["verdict"]),
                text(threat["severity"]),
                told + (f"; not: {open_ones}" if open_ones else ""),
                text(threat["impact"]),
            ]
        )
    caption = (
        "Each threat of the threat model, with the worst verdict of the gates that judge it; what failed comes first"
    )
    return section("threats", "Threats", table(caption, ["Threat", "Verdict", "Severity", "Judged", "Impact"], rows))


def threats_in_full(body: Body) -> str:
    parts = []
    for threat in body["threats"]:
        probes = "; ".join(
            f"<code>{text(probe['name'])}</code> {text(probe['what'])}"
            + (f" (control: {text(probe['control'])})" if probe["control"] else "")
            for probe in threat["probes"]
        )
        tags = " · ".join([*threat["owasp"], *threat["atlas"], *threat["nist"]])
        lines = [
            ("Vector", text(threat["vector"])),
            ("Actor", text(threat["actor"])),
            ("Motivation", text(threat["motivation"])),
            ("Probes", probes),
            ("Cannot be seen", text(threat["limits"])),
            ("Left over", text(threat["residual"])),
            ("Tags", text(tags)),
        ]
        listed = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in lines)
        parts.append(
            f'<div class="threat"><h3>{text(threat["title"])} · {mark(threat["verdict"])}</h3>'
            f'<dl class="small">{listed}</dl></div>'
        )
    return section("threat-model", "The threat model in full", *parts)


def data(body: Body) -> str:
    drops: Mapping[str, list[dict[str, Any]]] = body["data"]["drops"]
    steps = [
        Step(
            STAGE_WORDS.get(name, name),
            *(
                sum(stage[field] for stages in drops.values() for stage in stages if stage["stage"] == name)
                for field in ("rows_in", "passed", "quarantined", "rejected")
            ),
        )
        for name in STAGE_WORDS
        if any(stage["stage"] == name for stages in drops.values() for stage in stages)
    ]
    rows: list[list[str]] = []
    rules: dict[tuple[str, str], dict[str, int]] = {}
    for drop, stages in drops.items():
        left = sum(stage["quarantined"] + stage["rejected"] for stage in stages)
        known = body["data"]["sources"].get(drop, {})
        kind = f"corrected by {known.get('reviewer') or 'nobody named'}" if known.get("kind") == "feedback" else ""
        source = " · ".join(text(part) for part in (known.get("source"), kind) if part)
        named = f'<code>{text(drop)}</code><span class="tags">{source}</span>'
        rows.append(
            [
                named,
                number(stages[0]["rows_in"]),
                number(stages[-1]["passed"]),
                number(left),
                percent(stages[-1]["passed"] / stages[0]["rows_in"]) if stages[0]["rows_in"] else "–",
            ]
        )
        for stage in stages:
            word = STAGE_WORDS.get(stage["stage"], stage["stage"])
            for rule, n in stage["rules"].items():
                rules.setdefault((rule, word), {})[drop] = n
    left_by = [
        [
            f"<code>{text(rule)}</code>",
            text(word),
            number(sum(by.values())),
            ", ".join(f"{text(drop)}: {n:,}" for drop, n in by.items() if n),
        ]
        for (rule, word), by in rules.items()
        if any(by.values())
    ]
    decided = [
        [
            text(moment(item["at"])),
            text(item["reviewer"] or "–"),
            text(item["decision"] or item["kind"]),
            text(item["reason"] or "–"),
        ]
        for item in body["decisions"]
    ]
    corpus = [
        (name.replace("_", " "), number(value))
        for name, value in body["data"]["corpus"].items()
        if number(value) != "–"
    ]
    return section(
        "data",
        "Data",
        paragraph(
            "Every row that came in is accounted for: admitted, held back for a person, or rejected with a reason."
        ),
        flow(steps),
        table(
            "Rows by drop", ["Drop", "Came in", "Admitted", "Left", "Share"], rows, numeric=(1, 2, 3, 4), kind="wide"
        ),
        table("Why rows left", ["Rule", "Stage", "Rows", "Where"], left_by, numeric=(2,)),
        _removed(body["data"]["removed"]),
        table(
            "What the poison screen found; these rows did not pass",
            ["Finding", "Drop"],
            [[text(item["sentence"]), f"<code>{text(item['drop'])}</code>"] for item in body["data"]["findings"]],
        ),
        table(
            "What the poison screen found of attacks that it planted into copies of the drop",
            ["Attack", "Found", "Drop"],
            [
                [text(each["sentence"]), "yes" if each["found"] else "no", f"<code>{text(each['drop'])}</code>"]
                for each in body["data"].get("power") or []
            ],
        ),
        HeatMap.of(body["data"].get("source_by_month") or {}).html(),
        table("What people decided about rows", ["When", "Who", "Decision", "Reason"], decided),
        f"<h3>The corpus</h3>{facts(corpus)}" if corpus else "",
    )


def _removed(removed: Mapping[str, int]) -> str:
    """Values taken out of rows that stayed, by type, with a bar beside each number."""
    most = max(removed.values(), default=1) or 1
    rows = [
        [text(kind), number(n), f'<span class="bar" style="width:{12 * n / most:.2f}rem"></span>']
        for kind, n in sorted(removed.items(), key=lambda item: -item[1])
    ]
    return table(
        "Values removed from rows that stayed, by type", ["Type", "Values", "Share"], rows, numeric=(1,), kind="narrow"
    )


def training(body: Body) -> str:
    made: Mapping[str, Any] = body["training"]
    if not made:
        return section("training", "Training", paragraph("No adapter was trained."))
    losses = [(float(i * made["loss_step"]), float(loss)) for i, loss in enumerate(made["losses"])]
    recipe = [
        (name.replace("_", " "), text(value if isinstance(value, str) else json.dumps(value)))
        for name, value in sorted(made["recipe"].items())
    ]
    cost = [[text(item["what"].replace("/", " · ")), number(item["seconds"])] for item in body["cost"]]
    total = sum(item["seconds"] for item in body["cost"])
    shown = [
        ("Tokens", number(made.get("tokens"))),
        ("Seconds", number(made.get("seconds"))),
        ("Tokens a second", number(made.get("tokens_per_second"))),
        ("Device", text(made.get("device"))),
    ]
    return section(
        "training",
        "Training and cost",
        facts(shown),
        _corrections(made.get("corrections") or {}),
        curve(losses, title="Training loss", x="step", y="loss"),
        f"<h3>The recipe</h3>{facts(recipe, 'settings')}" if recipe else "",
        table(
            f"What it took, in seconds; {number(total)} in all", ["Stage", "Seconds"], cost, numeric=(1,), kind="narrow"
        ),
    )


def _corrections(made: Body) -> str:
    """Who corrected how many of the rows that were learnt, and what they weighed."""
    if not made:
        return paragraph("No row was a correction by a person.", "small soft")
    rows = [[text(name), number(n)] for name, n in made["by_reviewer"].items()]
    caption = (
        f"Answers that people corrected: {number(made.get('rows'))} rows from {len(made['drops'])} drops, "
        f"each token counted {number(made.get('weight'))} times"
    )
    return table(caption, ["Reviewer", "Rows"], rows, numeric=(1,), kind="narrow")


def untested(body: Body) -> str:
    rows = [[text(item["what"]), text(item["why"])] for item in body["untested"]]
    return section(
        "untested",
        "What was not tested",
        paragraph(
            "Nothing here may be taken for proven. A verdict speaks about what was tried, with the power stated."
        ),
        table("Not run, not proven, or beyond what the probes can see", ["What", "Why"], rows),
    )


def judged_before(body: Body) -> str:
    if not body["judged_before"]:
        return ""
    rows = [
        [text(moment(item["at"])), f"<code>{text(item['candidate'])}</code>", mark(item["verdict"])]
        for item in reversed(body["judged_before"])
    ]
    failed = sum(item["verdict"] == "fail" for item in body["judged_before"])
    told = f"{failed} of the {len(rows)} before it failed. Many failures and then a pass may be luck."
    caption = "Verdicts in the log of decisions, the latest first"
    return section(
        "before", "Candidates judged before", paragraph(told), table(caption, ["When", "Candidate", "Verdict"], rows)
    )


def gates(body: Body) -> str:
    """Every gate once; of a gate on drops the worst verdict, and the range over them."""
    by_gate: dict[str, list[Mapping[str, Any]]] = {}
    for gate in body["gates"]:
        by_gate.setdefault(gate["gate"], []).append(gate)
    rows = []
    for name, results in by_gate.items():
        worst = min(results, key=lambda result: VERDICTS.index(result["verdict"]))
        drops = f"worst of {len(results)} drops" if worst["partition"] != "all" else ""
        told = f'<span class="tags">{text(" · ".join(filter(None, (drops, worst["explain"]))))}</span>'
        value = " ".join(part for part in (_range(results), bounds(worst["ci_low"], worst["ci_high"])) if part)
        n = number(worst["n"]) if len(results) == 1 else "–"
        rows.append([f"<code>{text(name)}</code>{told}", mark(worst["verdict"]), value, text(worst["limit"]), n])
    caption = "Every gate of the policy, in the order of the lineage"
    return section(
        "gates", "All gates", table(caption, ["Gate", "Verdict", "Value", "Limit", "n"], rows, numeric=(2, 3, 4))
    )


def _range(results: list[Mapping[str, Any]]) -> str:
    values = sorted(result["value"] for result in results if result["value"] is not None)
    ends = [number(values[0]), number(values[-1])] if values else ["–"]
    return ends[0] if ends[0] == ends[-1] else " … ".join(ends)


def digests(body: Body) -> str:
    rows = [
        [text(name), f"<code>{text(digest or 'unknown')}</code>"] for name, digest in sorted(body["digests"].items())
    ]
    rows.append(["evaluation (this verdict)", f"<code>{text(body['evaluation'])}</code>"])
    evidence = [
        [text(item["stage"]), f"<code>{text(item['partition'])}</code>", f"<code>{text(item['digest'])}</code>"]
        for item in body["evidence"]
    ]
    return section(
        "digests",
        "Digests",
        table("What an approval is bound to (SHA-256)", ["Part", "Digest"], rows),
        table(
            "The artefacts that were judged, by the digest of their manifest",
            ["Stage", "Partition", "Digest"],
            evidence,
        ),
    )


def _gravity(threat: Mapping[str, Any]) -> tuple[int, int]:
    """What failed first, then what matters most."""
    return VERDICTS.index(threat["verdict"]), SEVERITIES.index(threat["severity"])


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + ("" if words.endswith(".") else ".")
