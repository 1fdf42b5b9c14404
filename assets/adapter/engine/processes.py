"""Several processes on one job, as ``accelerate launch`` or ``torchrun`` start them: each computes a share of every
batch, and the flat gradient is summed. LoRA gradients are a few megabytes, so nothing cleverer is needed.
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import torch

    from assets.adapter.engine.learner import Loss

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Processes:
    """``rank`` of ``world`` processes; the first one writes."""

    rank: int = 0
    world: int = 1

    @property
    def first(self) -> bool:
        return self.rank == 0

    def share(self, items: Sequence[T]) -> Sequence[T]:
        """This process's part of a batch."""
        return items[self.rank :: self.world]

    def sum(self, tensor: "torch.Tensor") -> None:
        """Sum a tensor over the processes, in place."""
        if self.world > 1:
            import torch

            torch.distributed.all_reduce(tensor)

    def most(self, number: int) -> int:
        """The largest of the processes' numbers."""
        if self.world == 1:
            return number
        import torch

        numbers = torch.tensor(number, device="cuda" if torch.distributed.get_backend() == "nccl" else "cpu")
        torch.distributed.all_reduce(numbers, torch.distributed.ReduceOp.MAX)
        return int(numbers)

    def shard(self, layers: "Sequence[torch.nn.Module]", device: str) -> None:
        """Leave each process a share of the layers' frozen weights; one layer at a time is put together to be used.

        What learns stays whole everywhere: its gradient is summed with the rest (FSDP, arXiv:2304.11277).
        """
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard

        mesh = init_device_mesh(device.partition(":")[0], (self.world,))
        for layer in layers:
            learning = {weight for weight in layer.parameters() if weight.requires_grad}
            fully_shard(layer, mesh=mesh, reshard_after_forward=True, ignored_params=learning)

    def sum_loss(self, loss: "Loss") -> "Loss":
        """A loss over all processes' shares."""
        if self.world == 1:
            return loss
        import torch

        numbers = torch.tensor([loss.nll, loss.divergence, loss.tokens, loss.weight], dtype=torch.float64)
        device = "cuda" if torch.distributed.get_backend() == "nccl" else "cpu"
        numbers = numbers.to(device)
        torch.distributed.all_reduce(numbers)
        return type(loss)(float(numbers[0]), float(numbers[1]), int(numbers[2]), float(numbers[3]))


@contextlib.contextmanager
def launched(device: str) -> Iterator[Processes]:
    """The processes of this job: one, unless a launcher set ``WORLD_SIZE``."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Processes()
        return
    import torch
    from accelerate import PartialState

    state = PartialState(cpu=device == "cpu")
    try:
        yield Processes(state.process_index, state.num_processes)
    finally:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()
