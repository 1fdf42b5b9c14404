"""Training on Kubeflow: a Pipes client that runs a command as a TrainJob of several nodes.

It has the interface of ``PipesSubprocessClient``, so that the asset does not know where its training runs. The job is
made from the ``TrainingRuntime`` in ``deploy/kubernetes/training-runtime.yaml``; the nodes mount the workspace, so that
paths mean the same there. What rank 0 reports travels through an S3 bucket (``PipesS3MessageReader``).

A job is deleted when this process is interrupted. A job that failed or was preempted is not tried again here: the next
run goes on from the checkpoint that the training left in the artefact's draft.
"""

import contextlib
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from resources.errors import HallmarkError
from resources.s3_store import connect

RUNTIME = "hallmark-torch"
POLL = 5.0  # seconds between two looks at the job
FINISHED, FAILED = "Complete", "Failed"
LABELS = {"app.kubernetes.io/part-of": "hallmark"}


@dataclass(frozen=True, slots=True)
class TrainingPlace:
    """Where a training runs: the image and the namespace, nodes and GPUs of each, and the bucket of its messages."""

    image: str
    bucket: str
    namespace: str = "hallmark"
    nodes: int = 1
    gpus: int = 1
    deadline: int = 24 * 3600
    """Seconds that the whole job may take, waiting for a node included."""


class KubeflowTrainingClient(dg.PipesClient):
    """``client`` is a ``kubeflow.trainer.TrainerClient``, of the pod's own account if None; ``s3`` a boto3 client."""

    def __init__(self, place: TrainingPlace, *, client: Any = None, s3: Any = None, poll: float = POLL) -> None:
        self.place, self.poll = place, poll
        self._client, self._s3 = client, s3

    def run(  # type: ignore[override]  # the base class leaves the arguments open
        self,
        *,
        context: dg.OpExecutionContext | dg.AssetExecutionContext,
        command: Sequence[str],
        extras: Mapping[str, Any] | None = None,
        cwd: str | None = None,
    ) -> dg.PipesClientCompletedInvocation:
        """Run ``python -m MODULE ...`` on every process of every node; ``HallmarkError`` says how the job ended.

        ``cwd`` is the image's own and is not carried over.
        """
        from dagster_aws.pipes import PipesS3MessageReader

        reader = PipesS3MessageReader(bucket=self.place.bucket, client=self.s3)
        with dg.open_pipes_session(context, dg.PipesEnvContextInjector(), reader, extras=extras) as session:
            name = f"hallmark-{context.run_id[:8]}-{uuid.uuid4().hex[:6]}"
            with self._submitted(name, command, session.get_bootstrap_env_vars()):
                context.log.info(f"TrainJob {self.place.namespace}/{name}, {self.place.nodes} nodes")
                self._wait(name)
        return dg.PipesClientCompletedInvocation(session)

    @contextlib.contextmanager
    def _submitted(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> Iterator[None]:
        from kubeflow.trainer import CustomTrainerContainer
        from kubeflow.trainer.options import ActiveDeadlineSeconds, Labels, Name, TrainerArgs, TrainerCommand

        module = list(command).index("-m")  # the interpreter is the image's own; torchrun starts it once a GPU
        trainer = CustomTrainerContainer(
            image=self.place.image,
            num_nodes=self.place.nodes,
            resources_per_node={"gpu": self.place.gpus} if self.place.gpus else None,
            env=dict(environment),
        )
        options = [
            Name(name), Labels(LABELS), ActiveDeadlineSeconds(self.place.deadline),
            TrainerCommand(["torchrun"]), TrainerArgs(list(command[module:])),
        ]  # fmt: skip
        self.client.train(runtime=RUNTIME, trainer=trainer, options=options)
        try:
            yield
        except BaseException:  # an interrupt, too: a job that nobody waits for would go on costing
            with contextlib.suppress(Exception):
                self.client.delete_job(name)
            raise

    def _wait(self, name: str) -> None:
        """Until the job has ended. ``wait_for_job_status`` of the SDK gives up after ten minutes by default."""
        until = time.monotonic() + self.place.deadline
        while (status := str(self.client.get_job(name).status)) != FINISHED:
            if status == FAILED:
                raise HallmarkError(
                    f"TrainJob {self.place.namespace}/{name} failed; the log of its first node says why. Run again: "
                    "the training goes on from its last checkpoint"
                )
            if time.monotonic() > until:
                raise HallmarkError(f"TrainJob {name} has not ended in {self.place.deadline} s; it was deleted")
            time.sleep(self.poll)

    @property
    def client(self) -> Any:
        if self._client is None:
            from kubeflow.trainer import KubernetesBackendConfig, TrainerClient

            self._client = TrainerClient(KubernetesBackendConfig(namespace=self.place.namespace))
        return self._client

    @property
    def s3(self) -> Any:
        if self._s3 is None:
            self._s3 = connect()
        return self._s3
