"""A worker process: ``python -m assets.shards.worker`` makes the shards whose numbers arrive on stdin, one a line."""

import importlib
import json
import os
import sys
from typing import IO, Any

from assets.shards.rounds import Round, Tools
from resources.errors import HallmarkError
from resources.project import Project

# Where each round is; a module that a worker does not need is not loaded.
ROUNDS = {
    "raw_drop.shard": "assets.raw.sharded:SHARDS",
    "validated_records.identities": "assets.validated.sharded:IDENTITIES",
    "validated_records.shard": "assets.validated.sharded:SHARDS",
    "sanitized_records.shard": "assets.sanitized.sharded:SHARDS",
    "screened_records.survey": "assets.screened.sharded:SURVEYS",
    "screened_records.shard": "assets.screened.sharded:SHARDS",
}


def serve(requests: IO[str], answers: IO[str]) -> None:
    """Answer every number with an empty line of JSON when the shard is sealed, or with what failed."""
    said = json.loads(requests.readline())
    tools = Tools(Project(**said["project"]), _named(said["suite"]) if said["suite"] else None)
    round_: Round = _named(ROUNDS[said["round"]])
    for line in requests:
        failure = ""
        try:
            round_.make(tools, said["drop"], json.loads(line))
        except HallmarkError as error:
            failure = str(error)
        answers.write(json.dumps(failure) + "\n")
        answers.flush()


def _named(name: str) -> Any:
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)


def _main() -> None:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asked
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints is no answer
    serve(sys.stdin, answers)


if __name__ == "__main__":
    _main()
