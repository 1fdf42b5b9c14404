"""``hallmark verify``: prove a release, byte by byte, offline, with public keys only."""

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from assets.release.approval import Approval
from assets.release.pointer import read_plug
from assets.release.signed import MANIFEST
from assets.release.verify import approvals_of, check_release
from pipelines.governance import home_option
from pipelines.report import console
from resources.artifacts import write_whole
from resources.digests import digest_file
from resources.errors import UsageError
from resources.signer import KeyRing
from resources.workspace import Workspace


@click.command("verify")
@click.argument("release", default="current")
@click.option(
    "--keys", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder of trusted public keys."
)
@click.option("--report", type=click.Path(dir_okay=False, path_type=Path), help="Where the JSON report goes.")
@click.option("--json", "as_json", is_flag=True, help="Print the report.")
@home_option
def command(release: str, keys: Path | None, report: Path | None, as_json: bool, home: Path | None) -> int:
    """Verify RELEASE: a name in the workspace, a folder, or `current` (the default).

    A release of the workspace is also held against its log of decisions; a folder from elsewhere is proven by what it
    carries and by the keys in --keys. Every difference is listed, and who approved the release, when and why. Exit
    status 0: it holds; 1: it does not.
    """
    started = time.time()
    workspace = Workspace.locate(home)
    ring = KeyRing.open(keys or workspace.keys)
    if not ring.of("pipeline"):
        raise UsageError(
            f"{keys or workspace.keys} holds no public key of a pipeline to trust; --keys names the folder of those "
            "that you were given, such as the keys/*.pub of the workspace that made the release"
        )
    folder = _folder(release, workspace, ring)
    at_home = folder.parent == workspace.releases
    log = workspace.decision_log if at_home else None
    found, words = check_release(folder, ring, log), approvals_of(folder, ring)
    body = _report(folder, found, words, started, at_home)
    if report:
        write_whole(report, json.dumps(body, indent=1).encode() + b"\n")
    if as_json:
        sys.stdout.write(json.dumps(body, indent=1) + "\n")
    for line in found:
        console.print(f"  {line}", style="red", highlight=False, markup=False, soft_wrap=True)
    for word in words:
        overrode = f"; overrode {', '.join(sorted(word.overrides))}" if word.overrides else ""
        line = f"  approved by {word.reviewer} (key {word.keyid[:12]}) at {word.issued_at}: {word.reason}{overrode}"
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    outcome = "[red bold]does not verify[/]" if found else "[green bold]verifies[/]"
    beside = "" if at_home else "; no log of decisions to hold it against"
    count = f"{len(found)} difference{'s' * (len(found) != 1)}"
    console.print(f"{folder.name} {outcome} ({count}, {time.time() - started:.1f} s{beside})", highlight=False)
    return 1 if found else 0


def _folder(release: str, workspace: Workspace, ring: KeyRing) -> Path:
    if release == "current":
        name = read_plug(workspace.releases, ring).release
        if not name:
            raise UsageError("no release is plugged in; name one of those that `hallmark releases` lists, or a folder")
        return workspace.releases / name
    named = workspace.releases / release
    folder = named if Path(release).name == release and named.exists() else Path(release)
    if not folder.exists():
        raise UsageError(f"there is no release {release}")
    return folder if folder.is_symlink() else folder.resolve()


def _report(folder: Path, found: list[str], words: list[Approval], started: float, at_home: bool) -> dict[str, Any]:
    manifest = folder / MANIFEST
    return {
        "tool": "verify",
        "version": version("hallmark"),
        "verdict": "fail" if found else "pass",
        "started_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
        "seconds": round(time.time() - started, 3),
        "input": {"path": str(folder), "sha256": digest_file(manifest) if manifest.is_file() else "", "rows": 0},
        "differences": found,
        "approvals": [word.to_json() for word in words],
        "log_checked": at_home,
    }
