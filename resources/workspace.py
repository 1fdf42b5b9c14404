"""Where everything of one installation lies: a root folder and the names of what is in it.

::

    artifacts/         what the stages made (``ArtifactStore``)
    keys/              signing keys: pipeline and reviewers apart
    releases/          what was released, and ``current``
    decisions.jsonl    the log of decisions, hash-chained
    vault/             removed values, encrypted
    served/            the release in use: held actions, keys and budgets, the record of traffic
    models/            base models made once
    store/drops/       the default object store; served as S3, `drops` is a bucket
    logs/  dagster/    alerts and run logs; Dagster's own state
"""

import os
from dataclasses import dataclass
from pathlib import Path

from resources.artifacts import ArtifactStore

DEFAULT_HOME = Path(".hallmark")


@dataclass(frozen=True, slots=True)
class Workspace:
    root: Path

    @classmethod
    def locate(cls, home: Path | None = None) -> "Workspace":
        """``home`` if given, else ``$HALLMARK_HOME``, else ``./.hallmark``. Nothing is created."""
        return cls((home or Path(os.environ.get("HALLMARK_HOME") or DEFAULT_HOME)).resolve())

    @property
    def artifacts(self) -> ArtifactStore:
        return ArtifactStore(self.root / "artifacts")

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def releases(self) -> Path:
        return self.root / "releases"

    @property
    def decisions(self) -> Path:
        return self.root / "decisions.jsonl"

    @property
    def vault(self) -> Path:
        return self.root / "vault"

    @property
    def served(self) -> Path:
        return self.root / "served"

    @property
    def models(self) -> Path:
        return self.root / "models"

    @property
    def drops(self) -> Path:
        return self.root / "store" / "drops"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def dagster(self) -> Path:
        return self.root / "dagster"
