"""The reference pages, written from the code when the documentation is built, so that they cannot grow stale.

MkDocs calls ``on_files`` (a hook, see ``mkdocs.yml``); every page is a function that returns Markdown.
"""

import ast
import dataclasses
import importlib
import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence

import click
import yaml
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from assets.adapter.recipe import Recipe
from expectations.policy import DEFAULT_POLICY, Policy
from expectations.profiles import PROFILES
from expectations.threats import STAGE_OF, load_threats
from pipelines.command import COMMANDS, hallmark


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages to those in the folder."""
    for name, page in PAGES.items():
        files.append(File.generated(config, f"reference/{name}.md", content=page()))
    return files


def commands() -> str:
    """Every command with its arguments and options, as ``--help`` tells them."""
    lines = ["# Commands", "", inspect.cleandoc(hallmark.help or ""), ""]
    for name in COMMANDS:
        command = importlib.import_module(f"pipelines.commands.{name}").command
        lines += _command(f"hallmark {name}", command)
    return "\n".join(lines)


def _command(path: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=path)
    yield from (f"## {path}", "", "```", command.get_usage(context).removeprefix("Usage: "), "```", "")
    yield from (inspect.cleandoc(command.help or ""), "")
    options = [record for each in command.get_params(context) if (record := each.get_help_record(context))]
    if options:
        yield from _table(("Option", ""), ([f"`{option}`", text] for option, text in options))
    for name, inner in getattr(command, "commands", {}).items():
        yield from _command(f"{path} {name}", inner)


def policy() -> str:
    """Every gate of the default policy, by stage, and the settings as they stand in the file."""
    default = Policy.load(DEFAULT_POLICY)
    lines = [
        "# Policy", "",
        "Limits are data. Copy `expectations/policy.yaml`, edit it, and name it with `--policy` or `HALLMARK_POLICY`.",
        "A gate passes only on a finite metric inside its limit. *Interval* asks the whole confidence interval to be",
        "inside; with fewer samples than *at least* the gate is inconclusive.", "",
    ]  # fmt: skip
    for stage in dict.fromkeys(gate.stage for gate in default.gates):
        lines += [f"## {stage}", ""]
        rows = (
            [f"`{gate.name}`", f"`{gate.metric}`", gate.limit, gate.bound, str(gate.min_n or ""), gate.explain]
            for gate in default.gates_of(stage)
        )
        lines += _table(("Gate", "Metric", "Limit", "Bound", "At least", "Why"), rows)
    text = DEFAULT_POLICY.read_text(encoding="utf-8")
    return "\n".join([*lines, "## Settings", "", "```yaml", text[text.index("\nsettings:") + 1 :].rstrip(), "```", ""])


def recipe() -> str:
    """Every field of the recipe with its default and what its docstring says."""
    lines = [
        "# Recipe",
        "",
        inspect.cleandoc(Recipe.__doc__ or ""),
        "",
        "A YAML file; what it does not name keeps its default.",
        "",
    ]
    told = _docstrings_of_fields(Recipe)
    rows = ([f"`{each.name}`", f"`{each.default!r}`", told.get(each.name, "")] for each in dataclasses.fields(Recipe))
    return "\n".join([*lines, *_table(("Field", "Default", ""), rows)])


def _docstrings_of_fields(cls: type) -> dict[str, str]:
    """The string that stands below each field in the source."""
    tree = ast.parse(inspect.getsource(cls))
    told, last = {}, ""
    for node in ast.walk(tree):
        for each in getattr(node, "body", []) if isinstance(node, ast.ClassDef) else []:
            if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
                last = each.target.id
            elif isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant) and last:
                told[last], last = " ".join(str(each.value.value).split()), ""
            else:
                last = ""
    return told


def threats() -> str:
    """Every threat with actor, impact, probes and gates; then every probe."""
    model = load_threats()
    lines = [
        "# Threat model",
        "",
        "What is tested is what a threat names. Copy `expectations/threats.yaml` and edit it.",
        "",
    ]
    for threat in model.threats:
        rows = [
            ("Vector", threat.vector), ("Actor", threat.actor), ("Motivation", threat.motivation),
            ("Impact", threat.impact), ("Probes", _names(threat.probes)), ("Gates", _names(threat.gates)),
            ("Limits", threat.limits), ("What remains", threat.residual),
        ]  # fmt: skip
        lines += [f"## {threat.title}", "", f"Severity: {threat.severity}.", "", *_table(("", ""), rows)]
    probes = ([f"`{each.name}`", STAGE_OF.get(each.name, ""), each.what, each.control] for each in model.probes)
    return "\n".join([*lines, "## Probes", "", *_table(("Probe", "Stage", "What it does", "Control"), probes)])


def profiles() -> str:
    """Every kind of use with what it changes."""
    lines = [
        "# Profiles",
        "",
        "A kind of use, named in the policy or with `HALLMARK_PROFILE`; it changes only what it names.",
        "",
    ]
    for profile in yaml.safe_load(PROFILES.read_text(encoding="utf-8"))["profiles"]:
        name, what = profile.pop("name"), profile.pop("what")
        lines += [
            f"## {name}",
            "",
            f"{what[0].upper()}{what[1:]}.",
            "",
            "```yaml",
            yaml.safe_dump(profile, sort_keys=False).rstrip(),
            "```",
            "",
        ]
    return "\n".join(lines)


def automation() -> str:
    """Every schedule and sensor with its time and what it does."""
    from pipelines import schedules, sensors

    timed = ([f"`{each.name}`", f"`{each.cron_schedule}`", each.description or ""] for each in schedules.ALL)
    asked = (
        [f"`{each.name}`", f"every {each.minimum_interval_seconds} s", each.description or ""] for each in sensors.ALL
    )
    lines = ["# Automation", "", "What Dagster's daemon does by itself. Times are UTC.", ""]
    return "\n".join([*lines, *_table(("Name", "When", "What it does"), [*timed, *asked])])


def _names(names: Sequence[str]) -> str:
    return ", ".join(f"`{each}`" for each in names)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(" ".join(str(cell).split()).replace("|", "\\|") for cell in cells) + " |"

    return [line(head), line(["---"] * len(head)), *map(line, rows), ""]


PAGES: dict[str, Callable[[], str]] = {
    "commands": commands,
    "policy": policy,
    "recipe": recipe,
    "threats": threats,
    "profiles": profiles,
    "automation": automation,
}
