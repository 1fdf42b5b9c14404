"""What a process that runs a step of a candidate's job starts with: imported once, where all of them are forked from.

Steps that run beside each other share the cores: where each took all of them, their threads would wait for each other.
"""

import importlib

from resources.process import settle

settle()
for name in ("torch", "transformers", "peft", "pipelines.definitions"):
    importlib.import_module(name)


def _share() -> None:
    import torch

    from pipelines.execution import threads

    torch.set_num_threads(threads())


_share()
