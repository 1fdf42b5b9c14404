"""How much memory a device has to give, and how much the weights of a base will take of it."""

import math
from pathlib import Path

GIB = 2**30
# Bytes a weight of a linear layer, with the scales of its blocks (bitsandbytes).
QUANTIZED = {"nf4": 0.52, "int8": 1.01}


def available(device: str) -> int:
    """Bytes that can still be taken on ``device``: of a GPU, or of this machine within its container's limit."""
    if device.startswith("cuda"):
        import torch

        free, _ = torch.cuda.mem_get_info(device)
        return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    lines = Path("/proc/meminfo").read_text().splitlines() if Path("/proc/meminfo").exists() else []
    found = [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable")]
    limit, used = (Path("/sys/fs/cgroup") / name for name in ("memory.max", "memory.current"))
    if limit.exists() and used.exists() and (text := limit.read_text().strip()) != "max":
        found.append(int(text) - int(used.read_text()))
    return min(found) if found else 2**63 - 1


def weight_bytes(base: Path, itemsize: int, quantization: str) -> int:
    """Bytes that the weights of a safetensors folder take once loaded with ``itemsize`` bytes a number."""
    from safetensors import safe_open

    total = 0.0
    for file in sorted(base.glob("*.safetensors")):
        with safe_open(file, framework="pt") as stream:
            for name in stream.keys():  # noqa: SIM118 - not a mapping
                shape = stream.get_slice(name).get_shape()
                linear = len(shape) == 2 and not any(part in name for part in ("embed", "wte", "lm_head"))
                total += math.prod(shape) * (QUANTIZED.get(quantization, itemsize) if linear else itemsize)
    return int(total)
