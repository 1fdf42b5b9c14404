"""A Kubernetes API of the test's own (kmock), and what Kubeflow's controller and a kubelet would do for a TrainJob.

The real client speaks real HTTP to it. A job's command is started as processes of this machine, with the environment
that torchrun gives the ranks of one node; how they end becomes the job's condition.
"""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from kmock import KubernetesEmulator, Server, action

ROOT = Path(__file__).resolve().parents[2]
GROUP, VERSION = "trainer.kubeflow.org", "v1alpha1"


class Api(KubernetesEmulator):
    """What a real API server adds to a new object: when it was made, and where."""

    async def _handle(self, request: Any) -> Any:
        if request.action == action.CREATE and isinstance(request.data, dict):
            metadata = request.data.setdefault("metadata", {})
            metadata.setdefault("creationTimestamp", _now())
            metadata.setdefault("namespace", request.namespace)
        return await super()._handle(request)


class Ranks:
    """The processes that torchrun starts on one node, with the environment it gives them; one that dies ends all."""

    def __init__(self, arguments: list[str], environment: dict[str, str], count: int) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        shared = {
            **os.environ, **environment, "WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count),
            "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
        }  # fmt: skip
        self.processes = [
            subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env={**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
                start_new_session=True,
            )
            for rank in range(count)
        ]

    def poll(self) -> int | None:
        ended = [process.poll() for process in self.processes]
        if any(ended):
            self.kill()
            return next(status for status in ended if status)
        return None if None in ended else 0

    def kill(self) -> None:
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


class Cluster:
    """``jobs`` are the TrainJobs that were asked for, by name; ``deleted`` the names of those taken away."""

    def __init__(self, processes: int) -> None:
        self.processes = processes
        self.url = ""
        self.running: dict[str, Ranks] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.deleted: list[str] = []
        self._ready, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    async def _serve(self) -> None:
        async with Api() as api, Server(api) as server:
            api.resources.load_bundled()
            for plural, kind in (("trainjobs", "TrainJob"), ("trainingruntimes", "TrainingRuntime")):
                api.resources[f"{GROUP}/{VERSION}/{plural}"].kind = kind
            self.url = str(server.url).rstrip("/")
            runtime = yaml.safe_load((ROOT / "deploy" / "kubernetes" / "training-runtime.yaml").read_text())
            runtime["metadata"]["namespace"] = "hallmark"
            client = server.client
            place = f"{self.url}/apis/{GROUP}/{VERSION}/namespaces/hallmark"
            await client.post(f"{place}/trainingruntimes", json=runtime)
            self._ready.set()
            while not self._stop.is_set():
                await self._reconcile(client, place)
                await asyncio.sleep(0.2)
        for ranks in self.running.values():
            ranks.kill()

    async def _reconcile(self, client: Any, place: str) -> None:
        async with client.get(f"{place}/trainjobs") as answer:
            there = {job["metadata"]["name"]: job for job in (await answer.json()).get("items", [])}
        for name, job in there.items():
            if name not in self.jobs:
                self.jobs[name] = job
                self.running[name] = self._start(job)
            status = self.running[name].poll()
            if status is not None and not job.get("status", {}).get("conditions"):
                kind = "Complete" if status == 0 else "Failed"
                condition = {
                    "type": kind, "status": "True", "reason": kind, "message": "", "lastTransitionTime": _now(),
                }  # fmt: skip
                await client.patch(
                    f"{place}/trainjobs/{name}",
                    json={"status": {"conditions": [condition]}},
                    headers={"Content-Type": "application/merge-patch+json"},
                )
        for name in set(self.jobs) - set(there) - set(self.deleted):
            self.deleted.append(name)
            self.running[name].kill()

    def _start(self, job: dict[str, Any]) -> "Ranks":
        trainer = job["spec"]["trainer"]
        assert trainer["command"] == ["torchrun"]
        return Ranks(trainer["args"], {each["name"]: each["value"] for each in trainer.get("env", [])}, self.processes)

    def __enter__(self) -> "Cluster":
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)


def trainer_client(cluster: Cluster) -> Any:
    """The SDK's own client, pointed at the emulator."""
    from kubeflow.trainer import KubernetesBackendConfig, TrainerClient
    from kubernetes.client import Configuration

    return TrainerClient(
        KubernetesBackendConfig(namespace="hallmark", client_configuration=Configuration(host=cluster.url))
    )


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


@contextlib.contextmanager
def emulated(processes: int = 2) -> Iterator[Cluster]:
    with Cluster(processes) as cluster:
        yield cluster
