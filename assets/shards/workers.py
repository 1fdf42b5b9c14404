"""Shards on every core of this machine: processes that take one shard after another.

For a run whose steps are not processes of their own. Each worker is started as ``python -m assets.shards.worker`` and
spoken to over its own pipes, a line of JSON a message; it ends with its input, so that none outlives this process by
more than the shard it is working on. What it sealed is kept, whatever becomes of it.
"""

import contextlib
import json
import selectors
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

from assets.shards.rounds import Round, Tools, shard
from resources.errors import HallmarkError
from resources.process import cores

MODULE = "assets.shards.worker"


def make_all(
    tools: Tools, round_: Round, drop: str, numbers: Sequence[int], say: Callable[[str], None] = lambda line: None
) -> None:
    """Make these shards, in as many processes as the project allows; ``HallmarkError`` says which one failed."""
    processes = min(tools.project.processes or cores(), len(numbers))
    if processes < 2:
        for done, number in enumerate(numbers, start=1):
            round_.make(tools, drop, number)
            say(f"{round_.name} {done}/{len(numbers)}")
        return
    waiting, done = list(reversed(numbers)), 0
    with contextlib.ExitStack() as stack:
        answers = stack.enter_context(selectors.DefaultSelector())
        for _ in range(processes):
            worker = _Worker(tools, round_, drop)
            stack.callback(worker.close)
            worker.ask(waiting.pop())
            answers.register(worker.output, selectors.EVENT_READ, worker)
        while answers.get_map():
            for key, _ in answers.select():
                worker = key.data
                worker.take()
                done += 1
                say(f"{round_.name} {done}/{len(numbers)}")
                if waiting:
                    worker.ask(waiting.pop())
                else:
                    answers.unregister(worker.output)


class _Worker:
    """This end of a worker process, with one shard in work at a time."""

    def __init__(self, tools: Tools, round_: Round, drop: str) -> None:
        self._round, self._drop, self._number = round_, drop, 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", MODULE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        suite = f"{tools.suite.__module__}:{tools.suite.__qualname__}" if tools.suite else ""
        self._send({"project": tools.project.model_dump(), "suite": suite, "round": round_.name, "drop": drop})

    @property
    def output(self) -> Any:
        return self._process.stdout

    def ask(self, number: int) -> None:
        self._number = number
        self._send(number)

    def take(self) -> None:
        line = self.output.readline()
        if not line.endswith("\n"):
            raise HallmarkError(
                f"the process that made {self._round.name} {shard(self._drop, self._number)} ended with status "
                f"{self._process.wait()}, perhaps for want of memory; run again: the shards that are made are kept"
            )
        if failure := json.loads(line):
            raise HallmarkError(f"{self._round.name} {shard(self._drop, self._number)}: {failure}")

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _send(self, body: Any) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # told of when its answer is awaited
            self._process.stdin.write(json.dumps(body) + "\n")
            self._process.stdin.flush()
