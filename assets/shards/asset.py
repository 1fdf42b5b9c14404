"""A row stage over a large drop as one asset: its rounds as steps over shards, then the step that joins them.

In    a row stage with its rounds, and a drop of more rows than a shard holds
Out   the stage's artefact, as if it had been made in one piece
Read  rounds.py (what is done to each shard), joining.py (one artefact of many), workers.py and worker.py (processes
      in place of steps)

Dagster's own dynamic mapping: how many shards there are is known only when a step has looked, and the steps of a round
run wherever the executor in use puts them. Nothing travels between steps but their order; each finds its shard among
the artefacts. The asset, its partitions and its checks are those of a stage made in one piece.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import dagster as dg

from assets.shards.rounds import Round, Tools
from assets.shards.workers import make_all
from assets.stage import OWNERS, Stage, drops, say
from resources.artifacts import Artifact, Draft

SUITE = "record_suite"
Report = Callable[[dg.OpExecutionContext, Artifact], dg.MaterializeResult[Any]]


def sharded_asset(
    stage: Stage,
    rounds: Sequence[Round],
    build: Callable[[Tools, str, Draft], Artifact],
    report: Report,
    *,
    before: str = "",
    suite: bool = False,
    kinds: set[str],
    description: str,
) -> dg.AssetsDefinition:
    """``build`` makes the stage's artefact, in one piece or from its shards; ``report`` says what Dagster shows."""
    keys = {"project", SUITE} if suite else {"project"}
    steps = [_round(stage, each, keys) for each in rounds]
    last = _join(stage, build, report, keys)

    def compose(previous: Any = None) -> Any:
        for plan, make in steps:
            shards = plan(after=previous) if previous is not None else plan()
            previous = shards.map(lambda planned, make=make: make(planned=planned)).collect()
        return last(after=previous)

    def alone() -> Any:
        return compose()

    def following(previous: Any) -> Any:
        return compose(previous)

    graph: Callable[..., Any] = following if before else alone
    as_asset = dg.graph_asset(
        name=stage.name,
        ins={"previous": dg.AssetIn(before, dagster_type=dg.Nothing)} if before else {},
        partitions_def=drops,
        group_name="data",
        kinds=kinds,
        owners=OWNERS,
        code_version=stage.code_version,
        description=description,
    )
    return as_asset(graph)


def _tools(context: dg.OpExecutionContext, keys: set[str]) -> Tools:
    return Tools(context.resources.project, getattr(context.resources, SUITE) if SUITE in keys else None)


def _round(stage: Stage, round_: Round, keys: set[str]) -> tuple[dg.OpDefinition, dg.OpDefinition]:
    name = round_.name.replace(".", "_")

    @dg.op(
        name=f"{name}_plan",
        ins={"after": dg.In(dg.Nothing)},
        out=dg.DynamicOut(dg.Nothing),
        required_resource_keys=keys,
        description=f"The shards of {round_.name} still to be made; none for a drop that is made in one piece.",
    )
    def plan(context: dg.OpExecutionContext) -> Iterator[dg.DynamicOutput[None]]:
        tools, drop = _tools(context, keys), context.partition_key
        if stage.found(tools.project, drop):
            return
        round_.prepare(tools.project, drop)
        missing = round_.missing(tools.project, drop)
        if not tools.project.spread:
            make_all(tools, round_, drop, missing, context.log.info)
            return
        for number in missing:
            yield dg.DynamicOutput(None, mapping_key=f"{number:05d}")

    @dg.op(
        name=name,
        ins={"planned": dg.In(dg.Nothing)},
        out=dg.Out(dg.Nothing),
        required_resource_keys=keys,
        description=f"One shard of {round_.name}.",
    )
    def make(context: dg.OpExecutionContext) -> None:
        number = int(context.get_mapping_key() or "")
        made = round_.make(_tools(context, keys), context.partition_key, number)
        context.log.info(f"shard {number}: {say(made)}")

    return plan, make


def _join(
    stage: Stage, build: Callable[[Tools, str, Draft], Artifact], report: Report, keys: set[str]
) -> dg.OpDefinition:
    @dg.op(
        name=f"{stage.name}_join",
        ins={"after": dg.In(dg.Nothing)},
        out=dg.Out(dg.Nothing),
        required_resource_keys=keys,
        description="Makes the drop in one piece, or joins what its shards made; the gates judge the whole.",
    )
    def whole(context: dg.OpExecutionContext) -> Iterator[dg.Output[None]]:
        tools, drop = _tools(context, keys), context.partition_key

        def fill(draft: Draft) -> Artifact:
            draft.clear()
            return build(tools, drop, draft)

        artifact = stage.make(tools.project, fill, drop)
        context.log.info(say(artifact))
        shown = report(context, artifact)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dg.BetaWarning)
            yield dg.Output(None, metadata=shown.metadata, data_version=shown.data_version)

    return whole
