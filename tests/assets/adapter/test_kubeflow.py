"""A training as a TrainJob: the real SDK, an emulated API server, ranks as processes, messages through a real S3 API."""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import dagster as dg
import pytest
import torch
from safetensors.torch import load_file

from assets.adapter.recipe import Recipe
from assets.adapter.train import train
from assets.record import Record
from pipelines.execution import trainer
from resources.errors import HallmarkError, UsageError
from resources.kubeflow_training import KubeflowTrainingClient, TrainingPlace
from tests.resources.kubernetes_emulator import Cluster, emulated, trainer_client
from tests.resources.s3_server import conditional_s3

WAITING = [sys.executable, "-m", "tests.assets.adapter.dying_rank", "--never"]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    with conditional_s3() as service:
        for name, value in {**service, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}.items():
            monkeypatch.setenv(name, value)
        with emulated(processes=2) as running:
            yield running


def client(cluster: Cluster, **place: Any) -> KubeflowTrainingClient:
    s3 = boto3.session.Session().client("s3", endpoint_url=os.environ["HALLMARK_S3_ENDPOINT"])
    described = TrainingPlace(**{"image": "hallmark:0.1.0", "bucket": "state", "gpus": 0, "nodes": 1, **place})
    return KubeflowTrainingClient(described, client=trainer_client(cluster), s3=s3, poll=0.2)


def run(command: list[str], pipes: KubeflowTrainingClient) -> dg.ExecuteInProcessResult:
    """The command as an asset, so that the session and its messages are Dagster's own."""

    @dg.asset
    def trained(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        return pipes.run(context=context.op_execution_context, command=command).get_materialize_result()

    return dg.materialize([trained], raise_on_error=False, instance=dg.DagsterInstance.ephemeral())


def test_two_ranks_of_a_trainjob_train_the_adapter_that_one_process_would(
    cluster: Cluster, base: Path, rows: list[Record], tmp_path: Path
) -> None:
    recipe = Recipe(rank=4, epochs=1, batch_size=4, learning_rate=0.02, device="cpu")
    alone = train(rows[:16], base, tmp_path / "alone", recipe)
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row.to_json()) + "\n" for row in rows[:16]))
    (tmp_path / "recipe.yaml").write_text(json.dumps(recipe.to_json()))
    command = [
        sys.executable, "-m", "assets.adapter.train", "--rows", str(tmp_path / "rows.jsonl"), "--base", str(base),
        "--out", str(tmp_path / "both"), "--recipe", str(tmp_path / "recipe.yaml"),
    ]  # fmt: skip
    result = run(command, client(cluster))
    assert result.success
    body = json.loads((tmp_path / "both" / "training.json").read_text())
    assert torch.allclose(torch.tensor(body["losses"]), torch.tensor(alone["losses"]), rtol=1e-3)
    ours, theirs = (load_file(tmp_path / name / "adapter_model.safetensors") for name in ("both", "alone"))
    flat = [torch.cat([tensor.flatten() for _, tensor in sorted(found.items())]) for found in (ours, theirs)]
    assert torch.cosine_similarity(*flat, dim=0) > 0.999
    (job,) = cluster.jobs.values()
    assert job["spec"]["runtimeRef"]["name"] == "hallmark-torch"
    assert job["spec"]["trainer"]["numNodes"] == 1
    told = (
        boto3.session.Session()
        .client("s3", endpoint_url=os.environ["HALLMARK_S3_ENDPOINT"])
        .list_objects_v2(Bucket="state")
    )
    assert told["KeyCount"] >= 1  # what rank 0 reported travelled through the bucket


def test_a_job_whose_rank_was_killed_fails_with_what_to_do_and_is_taken_away(cluster: Cluster) -> None:
    dying = run([sys.executable, "-m", "tests.assets.adapter.dying_rank"], client(cluster))
    assert not dying.success
    failure = next(event for event in dying.all_events if event.event_type_value == "STEP_FAILURE")
    assert "goes on from its last checkpoint" in str(failure.event_specific_data.error)
    waited = time.monotonic() + 20
    while len(cluster.deleted) < 1 and time.monotonic() < waited:
        time.sleep(0.1)
    assert cluster.deleted


def test_an_interrupt_takes_the_job_away(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    pipes = client(cluster)

    class Interrupted(BaseException):
        pass

    def interrupted(name: str) -> Any:
        while name not in cluster.jobs:
            time.sleep(0.05)
        raise Interrupted

    monkeypatch.setattr(pipes.client, "get_job", interrupted)
    with pytest.raises(Interrupted), pipes._submitted("hallmark-test", WAITING, {}):
        pipes._wait("hallmark-test")
    waited = time.monotonic() + 20
    while "hallmark-test" not in cluster.deleted and time.monotonic() < waited:
        time.sleep(0.1)
    assert cluster.deleted == ["hallmark-test"]


def test_a_job_that_does_not_end_in_time_is_given_up(cluster: Cluster) -> None:
    pipes = client(cluster, deadline=1)
    with pytest.raises(HallmarkError, match="has not ended in 1 s"), pipes._submitted("hallmark-slow", WAITING, {}):
        pipes._wait("hallmark-slow")


def test_where_training_runs_is_the_environments_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(trainer(), dg.PipesSubprocessClient)
    monkeypatch.setenv("HALLMARK_TRAINER", "kubeflow")
    with pytest.raises(UsageError, match="HALLMARK_TRAINER_IMAGE"):
        trainer()
    for part, value in (("IMAGE", "hallmark:0.1.0"), ("BUCKET", "state"), ("NAMESPACE", "hallmark"), ("NODES", "2")):
        monkeypatch.setenv(f"HALLMARK_TRAINER_{part}", value)
    chosen = trainer()
    assert isinstance(chosen, KubeflowTrainingClient) and chosen.place.nodes == 2
    monkeypatch.setenv("HALLMARK_TRAINER", "slurm")
    with pytest.raises(UsageError, match="slurm"):
        trainer()
