"""What a base makes of rows that will be read again: hidden states on disk, for the next candidate.

A candidate changes, its base does not, and most of what the trials read is the same for every candidate of a base: the
golden items, the tool situations, the rows of the corpus. Two things of such a reading hang on the base alone: its own
last states, and the states below the first layer that an adapter changes (``resources.trunk``). They are kept whole
under the base's digest and the row's tokens, so that what is found is what would be computed.

Whoever reads says whether it may be kept: text from the vault may not. On a GPU nothing is kept: to compute is as fast.
"""

import contextlib
import hashlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from resources.artifacts import write_whole
from resources.base_model import model_digests
from resources.digests import digest_json

if TYPE_CHECKING:
    import torch

FOLDER = "states"
ROOM = 2**30  # bytes a folder of states may take; those that were not asked for longest go first,
STALE = 24 * 3600  # seconds after which: what is read in turn and does not fit would else push itself out
VERSION = 1  # of the code that computes them
NAME = "states"  # of the only tensor of a file


class KeptStates:
    """States of one base in one type of number, below ``folder``."""

    def __init__(self, folder: Path, room: int = ROOM) -> None:
        self._folder, self._room = folder, room
        self._used = sum(size for _, size, _ in self._files())

    @classmethod
    def of(cls, base: Path, cache: Path | None, dtype: "torch.dtype", device: "torch.device") -> "KeptStates | None":
        """Those of a base folder; None without a cache, and where to keep them gains nothing."""
        if cache is None or device.type != "cpu":
            return None
        import torch

        about = digest_json([VERSION, model_digests(base).whole, str(dtype), torch.__version__])
        return cls(cache / FOLDER / about[:16])

    def get(self, name: bytes) -> "torch.Tensor | None":
        """The states kept under ``name``; None where there are none, or what is there cannot be read."""
        from safetensors import SafetensorError
        from safetensors.torch import load

        path = self._path(name)
        with contextlib.suppress(OSError, SafetensorError, KeyError):
            states = load(path.read_bytes())[NAME]
            os.utime(path)
            return states
        return None

    def put(self, name: bytes, states: "torch.Tensor") -> None:
        """Keep them, whole or not at all, where there is room. A full disk is no reason to stop."""
        from safetensors.torch import save

        body = save({NAME: states.contiguous()})
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            if self._has_room(len(body)):
                write_whole(self._path(name), body)
                self._used += len(body)

    def _has_room(self, size: int) -> bool:
        if self._used + size <= self._room:
            return True
        files = self._files()
        self._used = sum(size for _, size, _ in files)  # other processes keep states here, too
        for asked, old, path in files:
            if self._used + size <= self._room or time.time() - asked < STALE:
                break
            path.unlink(missing_ok=True)
            self._used -= old
        return self._used + size <= self._room

    def _files(self) -> list[tuple[float, int, Path]]:
        """When each was last asked for, its size, and its path, the longest ago first."""
        found = []
        for path in self._folder.glob("*") if self._folder.exists() else ():
            with contextlib.suppress(OSError):
                found.append(((seen := path.stat()).st_mtime, seen.st_size, path))
        return sorted(found)

    def _path(self, name: bytes) -> Path:
        return self._folder / f"{hashlib.sha256(name).hexdigest()[:32]}.safetensors"
