"""How a process shares the machine: threads that wait, how many cores there are, and how its children end.

OpenMP's threads spin while they wait for each other, and hold the core that the last of them needs. Beside one busy
neighbour on two cores two spinning threads train at a tenth of the speed of one thread; two that sleep soon are as fast
as one, which has the free core to itself, so that no thread need be given up (``tests/benchmarks/train_process.py``).
"""

import logging
import math
import os
import subprocess
from pathlib import Path
from typing import Any

ENVIRONMENT = {"GOMP_SPINCOUNT": "1000"}  # turns of the waiting loop: some microseconds


def settle() -> None:
    """For this process and those it starts; call it before torch is imported. What the user has set stays."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    # PEFT imports bitsandbytes wherever it is installed, which then complains of kernels that nobody asked for.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)


def cores(quota: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Processors that this process may use at once: of its affinity, and no more than its container's quota.

    A pod with two cores on a node of 64 sees 64; ``quota`` is the control group's own file (cgroup v2): microseconds
    of processor time in a period, and the period, or ``max``.
    """
    allowed = len(os.sched_getaffinity(0))
    try:
        granted, period = quota.read_text().split()
    except (OSError, ValueError):  # another operating system, or another kind of control group
        return allowed
    return allowed if granted == "max" else max(1, min(allowed, math.ceil(int(granted) / int(period))))


def end(*processes: "subprocess.Popen[Any]", patience: float) -> None:
    """End them: asked, and killed after ``patience`` seconds each.

    All are asked first: the time they take is that of the slowest, not the sum. One whose parent ignores SIGTERM has
    inherited that, and is killed.
    """
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
