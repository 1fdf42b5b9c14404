"""The Dagster resource that tells an asset where everything is: workspace, object store, policy, base model, alerts.

In    paths and addresses of one installation
Out   its stores, keys, log, models and engines, for every other room
Read  errors.py (what can go wrong), workspace.py (where things lie), artifacts.py and object_store.py (what is kept),
      signer.py, vault.py and decision_log.py (what is proven), base_model.py and language_model.py (the model), then
      what makes it fast: tree.py, forward.py, trunk.py, decoding.py; pii_engine.py and sentence_encoder.py
"""

from functools import partial
from pathlib import Path

import dagster as dg
from pydantic import Field

from resources.alerts import Alerts, webhook_secret
from resources.artifacts import ArtifactStore
from resources.line_cipher import LineCipher
from resources.object_store import ObjectStore
from resources.vault import read_secret
from resources.workspace import Workspace


class Project(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Paths and addresses of one installation. Empty strings mean the default."""

    home: str
    store: str = ""
    policy: str = ""
    base: str = ""
    recipe: str = ""
    golden: str = ""
    tried: int = 1  # how many candidates are tried side by side, and share the error of the trials
    webhook: str = ""
    author: str = ""  # who answers for what this installation trains; may not approve it
    spread: bool = False  # whether the shards of a large drop are steps of the executor; else worker processes
    processes: int = 0  # how many of those; 0: one a core
    threats: str = ""  # digest of the threat model in force
    probes: dict[str, str] = Field(default_factory=dict)  # by stage, digest of what the threat model has it try

    @property
    def workspace(self) -> Workspace:
        return Workspace(Path(self.home).resolve())

    @property
    def artifacts(self) -> ArtifactStore:
        return self.workspace.artifacts

    @property
    def policy_path(self) -> Path | None:
        return Path(self.policy) if self.policy else None

    @property
    def base_path(self) -> Path | None:
        return Path(self.base) if self.base else None

    @property
    def recipe_path(self) -> Path | None:
        return Path(self.recipe) if self.recipe else None

    @property
    def golden_path(self) -> Path | None:
        return Path(self.golden) if self.golden else None

    @property
    def alerts(self) -> Alerts:
        secret = partial(webhook_secret, self.workspace.keys / "vault.key")
        return Alerts(self.workspace.logs / "alerts.jsonl", self.webhook, secret)

    def vault_secret(self) -> bytes:
        """The key of removed values: from the environment, else the workspace's key file, made on first use."""
        return read_secret(self.workspace.keys / "vault.key", create=True)

    def line_cipher(self) -> LineCipher:
        """What encrypts rows at rest until they are sanitised."""
        return LineCipher(self.vault_secret())

    def object_store(self) -> ObjectStore:
        """The store that drops arrive in; the workspace's own ``drops`` folder by default."""
        return ObjectStore.open(self.store or self.workspace.drops.as_uri())
