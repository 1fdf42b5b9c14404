"""Seconds of ``hallmark screen`` against those of an earlier revision, in turn in one run, and whether both flag the same.

    python -m tests.benchmarks.screen_speed ROWS.jsonl --against REVISION

Seconds are of the processor, in the process and its children, so that other work on the machine hardly matters; the
default base is unpacked first. ``--plain`` is what a processor with AVX2 alone does, whatever this one can do.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from resources.base_model import bundled_base
from resources.workspace import Workspace

HERE = Path(__file__).parents[2]
PLAIN = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
}
# What torch says of the processor is not changed by these, and decides on bfloat16.
COMMAND = """
import sys, torch
if {plain}:
    torch.cpu._is_avx512_bf16_supported = torch.cpu._is_amx_tile_supported = lambda: False
from pipelines.command import main
sys.argv = ["hallmark", "screen", *sys.argv[1:]]
main()
"""


@contextmanager
def checked_out(revision: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["git", "worktree", "add", "-q", "--detach", folder, revision], cwd=HERE, check=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", folder], cwd=HERE, check=True)


def screened(code: Path, rows: Path, plain: bool) -> tuple[float, set[int], list[str]]:
    """Processor seconds, the rows flagged, and what the controls say."""
    with tempfile.TemporaryDirectory() as folder:
        out, report = Path(folder) / "out.jsonl", Path(folder) / "report.json"
        given = {"PYTHONPATH": str(code), "HALLMARK_HOME": str(Workspace.locate().root)}
        variables = {**os.environ, **given, **(PLAIN if plain else {})}
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, "-c", COMMAND.format(plain=plain), str(rows), "-o", str(out), "--report", str(report)],
            cwd=code, env=variables, capture_output=True, text=True, check=False,
        )  # fmt: skip
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode not in (0, 1, 3):
            raise SystemExit(done.stderr)
        said = json.loads(report.read_text(encoding="utf-8"))
        flagged = {row["row"] for row in said["rows"] if row["flagged"]}
        power = [f"{each['kind']} {each['found']}/{each['planted']}" for each in said["power"]]
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, flagged, power


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=Path)
    parser.add_argument("--against", required=True, metavar="REVISION")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--runs", type=int, default=1)
    given = parser.parse_args()
    rows, ratios = given.rows.resolve(), []
    bundled_base(Workspace.locate().models)
    with checked_out(given.against) as old:
        for _ in range(given.runs):
            then, was, could = screened(old, rows, given.plain)
            now, flagged, can = screened(HERE, rows, given.plain)
            ratios.append(then / now)
            print(f"then {then:.0f} s, now {now:.0f} s of the processor: {then / now:.1f} times as fast", flush=True)
            print(f"flagged then {len(was)}, now {len(flagged)}, by both {len(was & flagged)}")
            print(f"controls then: {', '.join(could)}\ncontrols now:  {', '.join(can)}", flush=True)
    print(f"median ratio of {given.runs}: {sorted(ratios)[given.runs // 2]:.2f}")


if __name__ == "__main__":
    main()
