"""For serving code: the plugged-in adapter, or nothing, but never one whose release does not verify.

It needs the releases folder and a folder of trusted public keys, no pipeline and no private key::

    from pathlib import Path
    from assets.release.loader import plugged_in, verified_adapter

    # IntegrityError or ModelError: the release does not verify, serve the base model alone
    with verified_adapter(Path("releases"), Path("keys")) as adapter:
        model = PeftModel.from_pretrained(base, adapter) if adapter else base
    ...
    if plugged_in(Path("releases"), Path("keys")) != loaded:            # ask every few seconds: a rollback unplugs
        ...

The adapter is copied into a private folder first and the copy is what gets proven and loaded, so that nobody can
change a file between the check and the load.
"""

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from assets.release.pointer import read_plug
from assets.release.signed import ADAPTER, Signed
from resources.errors import IntegrityError
from resources.signer import KeyRing


def plugged_in(releases: Path, keys: Path) -> str:
    """The name of the release that is plugged in, or an empty string. Cheap: one signature, no adapter is read."""
    return read_plug(releases, KeyRing.open(keys)).release


@contextlib.contextmanager
def verified_adapter(
    releases: Path, keys: Path, prove: Callable[[Path, KeyRing], Signed] | None = None
) -> Iterator[Path | None]:
    """A private copy of the plugged-in adapter's folder, proven; None where no release is plugged in.

    ``prove`` is ``assets.release.verify.verify_release``, or ``prove_signed`` where only its libraries are.
    """
    ring = KeyRing.open(keys)
    plug = read_plug(releases, ring)
    if not plug.release:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="hallmark-") as private:
        copy = Path(private) / plug.release
        try:
            shutil.copytree(releases / plug.release, copy, symlinks=True)
        except OSError as error:
            raise IntegrityError(f"release {plug.release} cannot be read whole: {error}") from error
        if (prove or _whole_proof())(copy, ring).manifest != plug.manifest:
            raise IntegrityError(f"{plug.release} holds another release than the one that was plugged in")
        yield copy / ADAPTER


def _whole_proof() -> Callable[[Path, KeyRing], Signed]:
    from assets.release.verify import verify_release  # needs the whole project

    return verify_release
