"""What has been measured of a base, kept for the next candidate: answers, their outcomes, how good the judges are.

A candidate changes, its base does not. Measures are kept whole or not at all, below the base's digest and a digest of
all they depend on. What a base said to a harmful request is never kept, only whether it refused.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assets.kept import making
from resources.artifacts import write_whole
from resources.base_model import model_digests
from resources.digests import digest_json

VERSION = 2  # of the code that measures


@dataclass(frozen=True, slots=True)
class Remembered:
    """``folder`` None remembers nothing. ``about`` is of the base and of everything that holds for all measures."""

    folder: Path | None
    about: str = ""

    @classmethod
    def of(cls, base: Path, cache: Path | None, about: Any) -> "Remembered":
        """The measures of a base folder; ``about`` is what they depend on beside it."""
        if cache is None:
            return cls(None)
        return cls(cache / "measures", digest_json([VERSION, model_digests(base).whole, about]))

    def get(self, asked: Any) -> Any | None:
        """What was measured when this was asked, or None."""
        path = self._path(asked)
        return json.loads(path.read_text("utf-8")) if path and path.exists() else None

    def put(self, asked: Any, measured: Any) -> None:
        if path := self._path(asked):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, json.dumps(measured).encode())

    def kept(self, asked: Any, what: str, measure: Callable[[], Any]) -> Any:
        """What was measured when this was asked; measured now, and kept, if it was not. ``what``: in words."""
        if self.folder is None:
            return measure()
        if (known := self.get(asked)) is None:
            with making(self.folder.parent, what):
                known = measure()
                self.put(asked, known)
        return known

    def _path(self, asked: Any) -> Path | None:
        return self.folder / f"{digest_json([self.about, asked])[:32]}.json" if self.folder else None
