"""`hallmark stage` and the engines that call it: one stage at a time gives what `hallmark run` gives."""

import json
import os
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from expectations.policy import DEFAULT_POLICY
from resources.artifacts import ArtifactStore
from resources.workspace import Workspace
from tests.tiny_model import write_tiny_base

ROWS = [
    {"prompt": f"How do I {verb} a {thing} at counter {number}?", "completion": f"Ask {who} for form {number}, please."}
    for number, (verb, thing, who) in enumerate(
        (verb, thing, who)
        for verb in ("send", "open", "find", "move", "claim", "print")
        for thing in ("parcel", "box", "label", "van", "letter")
        for who in ("the clerk", "the driver", "our office")
    )
]


class Cluster:
    """A workspace and the environment that a pod would have."""

    def __init__(self, root: Path) -> None:
        self.home = root / "home"
        policy, recipe = root / "policy.yaml", root / "recipe.yaml"
        text = DEFAULT_POLICY.read_text()
        for limit in ("metric: loss_ratio, max: 0.95", "metric: held_out_loss, max: 4.0"):
            assert limit in text
            text = text.replace(limit, limit.split(" max")[0] + " max: 99")  # random weights learn nothing
        policy.write_text(text)
        recipe.write_text("epochs: 1\n")
        self.environment = {
            **os.environ,
            "HALLMARK_HOME": str(self.home),
            "HALLMARK_BASE": str(write_tiny_base(root / "base")),
            "HALLMARK_POLICY": str(policy),
            "HALLMARK_RECIPE": str(recipe),
        }
        drops = Workspace(self.home).drops
        drops.mkdir(parents=True)
        (drops / "own.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))

    def stage(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pipelines.command", "stage", *words]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=280, env={**self.environment, **environment}
        )

    @property
    def store(self) -> ArtifactStore:
        return ArtifactStore(self.home / "artifacts")


def test_a_stage_alone_runs_with_its_gates_and_refuses_an_unproven_predecessor(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    listed = cluster.stage("list", "--json")
    (drop,) = json.loads(listed.stdout)
    assert drop["status"] == "new" and drop["stage"] == "raw_drop"
    early = cluster.stage("validated_records", "--partition", drop["partition"])
    assert early.returncode == 1 and "raw_drop" in early.stderr and "has not been made" in early.stderr
    gates = tmp_path / "gates.xml"
    made = cluster.stage("raw_drop", "--partition", drop["partition"], "--json", "--junit", str(gates))
    assert made.returncode == 0, made.stderr
    told = json.loads(made.stdout)
    assert told["verdict"] == "pass" and {gate["gate"] for gate in told["gates"]} >= {"raw_conserved", "raw_rows"}
    suite = ElementTree.parse(gates).getroot()[0]
    assert suite.get("name") == f"raw_drop@{drop['partition']}" and suite.get("errors") == "0"
    # A process a step, as a cluster has a pod a step: the same artefact, and no work done twice.
    again = cluster.stage("raw_drop", "--partition", drop["partition"], "--json", HALLMARK_EXECUTOR="multiprocess")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["digest"] == told["digest"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nosuch",), "there is no stage 'nosuch'"),
        (("raw_drop",), "needs --partition"),
        (("training_corpus", "--partition", "x"), "takes every admitted drop"),
    ],
)
def test_a_wrong_call_says_what_is_right(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.command", "stage", *words, "--home", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 4 and said in done.stderr


def test_the_kubeflow_pipeline_has_every_stage_and_no_cache(tmp_path: Path) -> None:
    from expectations.checks import STAGES

    path = tmp_path / "pipeline.yaml"
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.command", "export", "kfp", "-o", str(path), "--gpus", "2"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    spec, platform = yaml.safe_load_all(path.read_text())
    tasks = {
        task["taskInfo"]["name"]: task
        for part in (spec["root"], *spec["components"].values())
        for task in part.get("dag", {}).get("tasks", {}).values()
    }
    assert {stage for stage in STAGES if stage != "approved_release"} <= set(tasks)
    assert not [name for name, task in tasks.items() if task.get("cachingOptions", {}).get("enableCache")]
    executors = spec["deploymentSpec"]["executors"]
    trial = executors[spec["components"][tasks["backdoor_scan"]["componentRef"]["name"]]["executorLabel"]]
    assert trial["container"]["resources"]["accelerator"]["resourceCount"] == "2"
    mounted = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"].values()
    assert all(each["pvcMount"][0]["mountPath"] == "/var/lib/hallmark" for each in mounted)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_the_kubeflow_pipeline_runs_to_a_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By Kubeflow's own local runner: components as processes, loops and collected outputs as on a cluster."""
    from kfp import local

    from pipelines.kubeflow import Cluster as Place
    from pipelines.kubeflow import pipeline

    cluster = Cluster(tmp_path)
    for name, value in cluster.environment.items():
        monkeypatch.setenv(name, value)
    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=str(tmp_path / "outputs"))
    pipeline(Place(claim=""))()
    dossier = cluster.store.current("evaluated_adapter")
    assert dossier is not None
    dossier.verify()


def test_with_dagsters_state_in_postgres_a_stage_runs_and_its_history_is_there(tmp_path: Path) -> None:
    from tests.pipelines.postgres import binaries, server

    binaries()  # skipped where there is none
    cluster = Cluster(tmp_path)
    # Not below pytest's own folder: another session beside this one closes that to the server's user.
    with (
        tempfile.TemporaryDirectory(prefix="hallmark-postgres-") as own,
        server(Path(own) / "postgres", secrets.token_hex(8)) as place,
    ):
        (drop,) = json.loads(cluster.stage("list", "--json", **place).stdout)
        made = cluster.stage("raw_drop", "--partition", drop["partition"], "--json", **place)
        assert made.returncode == 0, made.stderr
        client = {**os.environ, "PGPASSWORD": place["HALLMARK_POSTGRES_PASSWORD"]}
        query = ["psql", "-h", "127.0.0.1", "-p", place["HALLMARK_POSTGRES_PORT"], "-U", "dagster", "dagster", "-tAc"]
        told = subprocess.run(
            [*query, "select status from runs"], env=client, capture_output=True, text=True, check=True
        )
    assert told.stdout.split() == ["SUCCESS"]
    assert not list((cluster.home / "dagster").rglob("*.db"))  # nothing of it stays on this machine


def test_two_machines_share_one_lineage_through_an_object_store(tmp_path: Path) -> None:
    """Each has a home of its own; artefacts and decisions are in S3. What one made the other goes on from."""
    from tests.resources.s3_server import conditional_s3

    cluster = Cluster(tmp_path)
    with conditional_s3() as service:
        shared = {
            **service,
            "HALLMARK_ARTIFACTS": "s3://state/one",
            "HALLMARK_STORE": Workspace(cluster.home).drops.as_uri(),
            "HALLMARK_VAULT_KEY": secrets.token_hex(32),
        }
        (drop,) = json.loads(cluster.stage("list", "--json", **shared).stdout)
        made = cluster.stage("raw_drop", "--partition", drop["partition"], "--json", **shared)
        assert made.returncode == 0, made.stderr
        elsewhere = {**shared, "HALLMARK_HOME": str(tmp_path / "other")}
        next_stage = cluster.stage("validated_records", "--partition", drop["partition"], "--json", **elsewhere)
        assert next_stage.returncode == 0, next_stage.stderr
        (seen,) = json.loads(cluster.stage("list", "--json", **shared).stdout)
        assert seen["stage"] == "sanitized_records"  # both stages before it are made, wherever that was
