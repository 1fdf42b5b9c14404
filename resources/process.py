"""How a process that multiplies matrices shares the machine.

OpenMP's threads spin while they wait for each other. That helps nobody when something else needs the core: beside one
busy neighbour two spinning threads fall to a fraction of their speed, soon-sleeping ones to about half, and alone there
is no difference (``tests/benchmarks/train_process.py``).
"""

import os

ENVIRONMENT = {"GOMP_SPINCOUNT": "1000"}  # turns of the waiting loop: some microseconds


def settle() -> None:
    """For this process and those it starts; call it before torch is imported. What the user has set stays."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
