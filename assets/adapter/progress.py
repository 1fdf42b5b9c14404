"""Who is told of each step: Dagster where it started this process, else stderr."""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from assets.adapter.training import Step
from resources.s3_store import connect

LINE_EVERY = 5.0  # seconds between progress lines


def describe(step: Step) -> str:
    """One progress line."""
    minutes, seconds = divmod(int(step.seconds_left), 60)
    held_out = f"  held-out {step.held_out:.3f}" if step.held_out is not None else ""
    return (
        f"step {step.step}/{step.steps}  loss {step.loss:.3f}{held_out}"
        f"  {step.tokens_per_second:.0f} tokens/s  {minutes}m{seconds:02d}s left"
    )


def lines(write: Callable[[str], None]) -> Callable[[Step], None]:
    """A listener that writes a line now and then, and always on a held-out loss and at the end."""
    last = 0.0

    def listen(step: Step) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= LINE_EVERY or step.held_out is not None or step.step == step.steps:
            last = now
            write(describe(step))

    return listen


@contextlib.contextmanager
def listener() -> Iterator[Callable[[Step], None]]:
    """Lines on stderr; under Dagster Pipes in the run's log instead, and every loss as a custom message.

    Of several processes of one training only the first speaks.
    """
    if os.environ.get("RANK", "0") != "0":
        yield lambda step: None
        return
    from dagster_pipes import PipesEnvVarParamsLoader, open_dagster_pipes

    loader = PipesEnvVarParamsLoader()  # type: ignore[no-untyped-call]
    if not loader.is_dagster_pipes_process():
        yield lines(lambda line: print(line, file=sys.stderr, flush=True))
        return
    with open_dagster_pipes(message_writer=_writer(loader.load_messages_params())) as pipes:
        in_log = lines(pipes.log.info)

        def listen(step: Step) -> None:
            in_log(step)
            pipes.report_custom_message({"step": step.step, "loss": step.loss, "held_out": step.held_out})

        yield listen


def _writer(place: Mapping[str, Any]) -> Any:
    """How messages go back: through the bucket that is named, where the training runs on another machine."""
    from dagster_pipes import PipesDefaultMessageWriter, PipesS3MessageWriter

    if "bucket" not in place:
        return PipesDefaultMessageWriter()
    return PipesS3MessageWriter(client=connect(), interval=2.0)
