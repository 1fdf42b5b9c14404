"""Where everything of one installation lies: a root folder and the names of what is in it.

::

    artifacts/         what the stages made (``ArtifactStore``); a cache where ``HALLMARK_ARTIFACTS`` names a store
    keys/              signing keys: pipeline and reviewers apart
    releases/          what was released, and ``current``
    decisions.jsonl    the log of decisions, hash-chained; in that store, too, where it is named
    vault/             removed values, encrypted
    served/            the release in use: held actions, keys and budgets, the record of traffic
    models/            base models made once
    store/drops/       the default object store; served as S3, `drops` is a bucket
    logs/  dagster/    alerts and run logs; Dagster's own state

Several machines share artefacts and decisions through one object store: ``HALLMARK_ARTIFACTS=s3://bucket/prefix``.
"""

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from resources.artifacts import ArtifactStore
from resources.decision_log import DecisionLog
from resources.object_store import ObjectStore
from resources.shared_artifacts import SharedArtifactStore, require_conditional_writes
from resources.shared_log import SharedDecisionLog

DEFAULT_HOME = Path(".hallmark")
SHARED = "HALLMARK_ARTIFACTS"


@dataclass(frozen=True, slots=True)
class Workspace:
    root: Path

    @classmethod
    def locate(cls, home: Path | None = None) -> "Workspace":
        """``home`` if given, else ``$HALLMARK_HOME``, else ``./.hallmark``. Nothing is created."""
        return cls((home or Path(os.environ.get("HALLMARK_HOME") or DEFAULT_HOME)).resolve())

    @property
    def artifacts(self) -> ArtifactStore:
        folder, uri = self.root / "artifacts", os.environ.get(SHARED, "")
        return SharedArtifactStore(folder, _shared(uri, "artifacts")) if uri else ArtifactStore(folder)

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
    def decision_log(self) -> DecisionLog:
        uri = os.environ.get(SHARED, "")
        return _shared_log(self.decisions, uri) if uri else DecisionLog(self.decisions)

    @property
    def vault(self) -> Path:
        return self.root / "vault"

    def vault_files(self, drop: str) -> list[Path]:
        """Where the values that left a drop are: one file, or one a shard. A drop without any has none."""
        return sorted(self.vault.glob(f"{drop}.*jsonl"))

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


@cache
def _shared(uri: str, part: str) -> ObjectStore:
    store = ObjectStore.open(f"{uri.rstrip('/')}/{part}")
    require_conditional_writes(store)
    return store


@cache
def _shared_log(path: Path, uri: str) -> SharedDecisionLog:
    return SharedDecisionLog(path, _shared(uri, "decisions"))
