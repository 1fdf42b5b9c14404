"""Take the published figures anew, stage by stage, and write the tables of the documentation: ``make figures``.

    python -m tests.benchmarks.publish                  # what there is, and what of it is up to date
    python -m tests.benchmarks.publish quick data       # these stages
    python -m tests.benchmarks.publish sanitize-secrets # this figure

``docs/figures.yaml`` names every figure. One that was taken on this machine of the same code and data is kept, unless
``--again`` is said; each is written to ``docs/figures.json`` as it comes, so that a run that was cut goes on. A figure whose
data or packages are missing here is left as it is, and said so. Exit status 1: a benchmark failed.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import yaml

from resources.artifacts import write_whole
from resources.digests import digest_file, digest_json

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
PUBLISHED, MEASURED = ROOT / "docs" / "figures.yaml", ROOT / "docs" / "figures.json"
STAGES = ("quick", "data", "long", "peers", "gpu")
PACKAGES = ("torch", "transformers", "peft", "presidio-analyzer", "spacy", "trl", "lm-eval")
WIDEST = ("amx_bf16", "avx512_bf16", "avx512f", "avx2")  # what speeds depend on; the first that is there is named
Entry = Mapping[str, Any]


def machine() -> str:
    """The kind of machine, as a table names it: cores, processor, widest instructions, GPU."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    fields = dict(line.split(":", 1) for line in reversed(lines) if ":" in line)
    told = {name.strip(): value.strip() for name, value in fields.items()}
    name = told.get("model name", platform.processor() or platform.machine()).replace("(R)", "")
    has = set(told.get("flags", "").split())
    wide = [each for each in WIDEST if each in has][:1]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return ", ".join([f"{cores} core{'s' * (cores != 1)}", name, *wide, *_gpus()])


def _gpus() -> list[str]:
    import torch

    return [torch.cuda.get_device_name(0)] if torch.cuda.is_available() else []


def versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def digests(command: str, entry: Entry) -> dict[str, str]:
    """Of the code that a figure depends on, its benchmark included, and of each file of data."""
    script = command.partition(" -m ")[2].split(maxsplit=1)[0].replace(".", "/") + ".py"
    code: dict[str, str] = {}
    for name in (script, *entry["reads"]):
        place = ROOT / name
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and path.suffix != ".pyc":
                code[path.relative_to(ROOT).as_posix()] = digest_file(path)
    return {"code": digest_json(code), **{name: digest_file(DATA / name) for name in entry.get("data", ())}}


def missing(entry: Entry) -> str:
    """What this figure needs and is not here; empty if all is."""
    absent = [name for name in entry.get("data", ()) if not (DATA / name).exists()]
    if absent:
        return f"{', '.join(absent)} is not in {DATA}"
    for name in entry.get("needs", ()):
        try:
            version(name)
        except PackageNotFoundError:
            return f"{name} is not installed"
    return "no GPU" if entry["stage"] == "gpu" and not _gpus() else ""


def take(command: str) -> tuple[list[dict[str, Any]], float, float]:
    """Run a benchmark; its figures, seconds and CPU seconds. ``CalledProcessError`` where it failed."""
    with tempfile.TemporaryDirectory() as folder:
        handed = Path(folder) / "figures.json"
        words = [sys.executable, *command.split()[1:], "--json", str(handed)]
        started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(words, cwd=ROOT, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        found: list[dict[str, Any]] = json.loads(handed.read_text(encoding="utf-8"))
        return found, time.monotonic() - started, spent


def spelled(measured: Mapping[str, Entry]) -> str:
    """The file's text: by name, a figure a line, so that a difference can be read."""
    lines = []
    for name, entry in sorted(measured.items()):
        facts = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in entry.items() if key != "figures"]
        figures = ",\n".join(f"   {json.dumps(each, ensure_ascii=False)}" for each in entry["figures"])
        lines.append(f" {json.dumps(name)}: {{\n" + ",\n".join([*facts, f'  "figures": [\n{figures}\n  ]']) + "\n }")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wanted", nargs="*", metavar="STAGE|FIGURE", help=f"stages: {', '.join(STAGES)}")
    parser.add_argument("--again", action="store_true", help="take what is up to date anew, too")
    given = parser.parse_args(arguments)
    named: dict[str, Entry] = yaml.safe_load(PUBLISHED.read_text(encoding="utf-8"))["figures"]
    if unknown := set(given.wanted) - {*STAGES, *named}:
        parser.error(f"there is no stage and no figure {', '.join(sorted(unknown))}")
    measured: dict[str, Any] = json.loads(MEASURED.read_text()) if MEASURED.exists() else {}
    here, failed = machine(), []
    for name, entry in named.items():
        wanted = name in given.wanted or entry["stage"] in given.wanted
        lacks = missing(entry)
        marks = {} if lacks else digests(entry["command"], entry)
        old = measured.get(name)
        current = bool(old) and (old["machine"], old["digests"]) == (here, marks)
        state = (
            f"left: {lacks}" if lacks else "up to date" if current else "other code, data or machine" if old else "new"
        )
        if lacks or not wanted or (current and not given.again):
            print(f"{name:28} {entry['stage']:6} {state}", flush=True)
            continue
        print(f"{name:28} {entry['stage']:6} {entry['command']}", flush=True)
        try:
            figures, seconds, spent = take(entry["command"])
        except (subprocess.CalledProcessError, OSError, ValueError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            failed.append(name)
            continue
        measured[name] = {
            "command": entry["command"], "date": datetime.now(UTC).date().isoformat(), "machine": here,
            "seconds": round(seconds, 1), "cpu_seconds": round(spent, 1), "versions": versions(), "digests": marks,
            "figures": figures,
        }  # fmt: skip
        write_whole(MEASURED, spelled(measured).encode())
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return subprocess.run([sys.executable, "docs/tables.py"], cwd=ROOT, check=False).returncode or bool(failed)


if __name__ == "__main__":
    sys.exit(main())
