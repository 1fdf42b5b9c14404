"""The releases of a workspace, each verified now."""

from dataclasses import dataclass

from assets.release.pointer import read_plug
from assets.release.signed import MANIFEST, read_signed
from assets.release.verify import approvals_of, check_release
from resources.errors import HallmarkError, IntegrityError
from resources.signer import KeyRing
from resources.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Listed:
    """A release and everything wrong with it. ``released_at`` is ``?`` where its manifest cannot be read."""

    release: str
    current: bool
    released_at: str
    differences: list[str]
    approved_by: list[str]


def listed(workspace: Workspace) -> tuple[list[Listed], str]:
    """The releases, oldest first, and what is wrong with ``current`` (empty: nothing)."""
    ring, log, fault, current = KeyRing.open(workspace.keys), workspace.decision_log, "", ""
    try:
        current = read_plug(workspace.releases, ring).release
    except IntegrityError as error:
        fault = str(error)
    rows = []
    for folder in sorted(path.parent for path in workspace.releases.glob(f"*/{MANIFEST}")):
        try:
            at = read_signed(folder, ring).released_at
        except HallmarkError:
            at = "?"
        approved_by = [word.reviewer for word in approvals_of(folder, ring)]
        rows.append(Listed(folder.name, folder.name == current, at, check_release(folder, ring, log), approved_by))
    return sorted(rows, key=lambda row: row.released_at), fault
