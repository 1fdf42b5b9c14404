"""A row stage as a map over the shards of a large drop.

A stage has one round of work over all shards, or two where all of a drop must be known before any row is judged. A
round says what each shard depends on (``tasks``) and makes one shard's artefact (``build``). Shards are artefacts like
any other, found again by what went into them: a killed one is made again, the others are not. The stage's own artefact
is joined from them (``assets.shards.joining``) and has the name, inputs and gates that it has in one piece.

Who makes the shards is not said here: this process, worker processes (``assets.shards.workers``), or a step each of the
executor in use (``assets.shards.asset``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from resources.artifacts import Artifact, ArtifactStore, Draft
from resources.errors import HallmarkError
from resources.project import Project

Inputs = Mapping[str, str]
PATIENCE = 3600.0  # seconds; longer than a shard takes anywhere


@dataclass(frozen=True, slots=True)
class Tools:
    """What a shard is made with. ``suite`` makes the check of a batch of rows, for the stage that needs one."""

    project: Project
    suite: Any = None


@dataclass(frozen=True, slots=True)
class Round:
    """``name`` of its artefacts; ``code_version`` is the stage's.

    ``prepare`` makes what ``tasks`` needs, once, before any shard. ``tasks`` gives the inputs of every shard, in order;
    fewer than two mean that the drop is made in one piece. ``build`` fills the draft of one and seals it.
    """

    name: str
    code_version: str
    tasks: Callable[[Project, str], list[Inputs]]
    build: Callable[[Tools, str, int, Draft], Artifact]
    prepare: Callable[[Project, str], None] = lambda project, drop: None

    def missing(self, project: Project, drop: str) -> list[int]:
        """The shards that are still to be made; none where the drop is made in one piece."""
        store, tasks = project.artifacts, self.tasks(project, drop)
        if len(tasks) < 2:
            return []
        return [number for number, inputs in enumerate(tasks) if self._find(store, drop, number, inputs) is None]

    def make(self, tools: Tools, drop: str, number: int) -> Artifact:
        """The artefact of one shard: found whole, or built."""
        store, inputs = tools.project.artifacts, self.tasks(tools.project, drop)[number]
        if found := self._find(store, drop, number, inputs):
            return found
        # The worker of a run that was killed may still be at it: then it is waited for, and not made twice.
        with store.draft(self.name, shard(drop, number), self.code_version, inputs, PATIENCE) as draft:
            if found := self._find(store, drop, number, inputs):
                draft.discard()
                return found
            draft.clear()
            return self.build(tools, drop, number, draft)

    def made(self, project: Project, drop: str) -> list[Artifact]:
        """Every shard's artefact, in order; ``HallmarkError`` names one that was not made."""
        store, made = project.artifacts, []
        for number, inputs in enumerate(self.tasks(project, drop)):
            found = self._find(store, drop, number, inputs)
            if found is None:
                raise HallmarkError(f"{self.name} {shard(drop, number)} was not made; run again to take it up")
            made.append(found)
        return made

    def _find(self, store: ArtifactStore, drop: str, number: int, inputs: Inputs) -> Artifact | None:
        return store.find(self.name, shard(drop, number), self.code_version, inputs)


def shard(drop: str, number: int) -> str:
    """The name of a shard, which stands where artefacts have their partition."""
    return f"{drop}.{number:05d}"
