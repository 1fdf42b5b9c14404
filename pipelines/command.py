"""The ``hallmark`` command: a table of contents. Each subcommand is a module of ``pipelines.commands``.

In    the words of a command line
Out   a report, and an exit status: 0 pass, 1 findings, 2 error, 3 inconclusive, 4 wrong usage
Read  commands/ (a module a command), report.py (what all reports begin with), reading.py (how they read rows)
"""

import importlib
import os
import sys
import traceback

import click

from resources.errors import HallmarkError
from resources.process import settle

LOG_WIDTH = "120"  # columns of tables, where stderr is a file or a pipe
COMMANDS = {
    "run": "the whole lineage, from raw drops to a tried candidate",
    "sanitize": "remove personal data and secrets from a file",
    "screen": "look for poisoned rows in a file",
    "train": "train a LoRA adapter on a file",
    "evaluate": "compare an adapter with its base model",
    "redteam": "attack an adapter: backdoors, memorization, extraction",
    "review": "decide on quarantined rows",
    "approve": "sign the approval of a candidate",
    "reject": "sign the rejection of a candidate",
    "releases": "list the releases",
    "verify": "check a release, byte by byte, offline",
    "rollback": "unplug the current release",
    "serve": "serve the current release: held actions, budgets, tripwires",
    "keys": "make, list and revoke the keys of the gateway",
    "report": "print or open a candidate's dossier",
    "stage": "run one stage of the lineage, for another engine",
    "export": "write the lineage as a pipeline for another engine",
    "desk": "decide in a browser, signed with a passkey",
    "ui": "webserver, daemon, desk and a local S3 endpoint on this machine",
}


class _Lazy(click.Group):
    """Loads a subcommand's module only when it is called, so that ``hallmark --help`` is instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"pipelines.commands.{name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(package_name="hallmark")
def hallmark() -> None:
    """Prove training data, try the adapter, release only what passed.

    Every stage also works alone on a file. Exit status: 0 pass; 1 findings or fail; 2 error; 3 inconclusive or nothing
    to check; 4 usage.
    """


def main() -> None:
    """Entry point: run, and turn every error Hallmark raises on purpose into one line and its exit status."""
    settle()
    if not sys.stderr.isatty():
        os.environ.setdefault("COLUMNS", LOG_WIDTH)
    try:
        status = hallmark.main(standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.Abort:
        click.echo("aborted", err=True)
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(4)
    except HallmarkError as error:
        click.echo(f"hallmark: {error}", err=True)
        sys.exit(error.exit_status)
    except Exception as error:  # a defect: its message may quote a row, so only its kind and place are told
        click.echo(f"hallmark: {_defect(error)}", err=True)
        sys.exit(2)


def _defect(error: Exception) -> str:
    """A sentence on an error nobody foresaw; with ``HALLMARK_TRACEBACK`` set the traceback goes before it."""
    if os.environ.get("HALLMARK_TRACEBACK"):
        traceback.print_exception(error)
    place = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"this should not happen: {type(error).__name__} in {place.filename}:{place.lineno} ({place.name}). "
        "Nothing was decided. HALLMARK_TRACEBACK=1 shows more, which may quote rows"
    )


if __name__ == "__main__":
    main()
