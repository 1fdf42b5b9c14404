"""How a process that multiplies matrices should treat the machine: keep its memory, and not spin when it waits.

A training step allocates and frees gigabytes. By default the C library hands large blocks back to the kernel at once
and gets fresh, zeroed pages of 4 KiB for the next: on two cores that took nearly as long as the arithmetic. So freed
blocks stay in the process, and large ones lie in huge pages where the kernel offers them.

OpenMP's threads spin while they wait for each other. That helps nobody when something else needs the core: with one
busy neighbour two spinning threads fall to a quarter of their speed, soon-sleeping ones to a half.

``tests/benchmarks/train_process.py`` measures both.
"""

import ctypes
import os
import sys

# Of mallopt(3), and as variables for the processes started from here.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4
TOP_PAD = 64 * 2**20  # bytes asked of the kernel at a time
NEVER = 2**40  # bytes: a threshold nobody reaches
SPINS = 1000  # some microseconds
ENVIRONMENT = {
    "THP_MEM_ALLOC_ENABLE": "1",  # torch: huge pages for blocks of 2 MiB and more
    "GOMP_SPINCOUNT": str(SPINS),
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(NEVER),
    "MALLOC_TOP_PAD_": str(TOP_PAD),
}


def settle() -> None:
    """For this process and those it starts; call it before torch is imported. What the user has set stays."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if sys.platform != "linux":
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:  # a C library without it
        return
    mallopt(M_MMAP_MAX, int(os.environ["MALLOC_MMAP_MAX_"]))
    mallopt(M_TRIM_THRESHOLD, -1)
    mallopt(M_TOP_PAD, TOP_PAD)
