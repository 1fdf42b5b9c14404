"""Recall and false alarms of ``hallmark screen IN -o OUT --report R`` with its defaults, each set in a process of its own.

A secret seed (``--seed``, drawn if not given) decides rows, triggers, payloads and places. Clean rows are of eight kinds
(``screen_kinds``), each set from one source; ``mix`` is rows of three kinds. A row that is flagged counts as found; a row
of which a person is asked (a stock phrase) does not, and questions are counted by themselves. Run as

    python -m tests.benchmarks.screen_recall --clean 4
    python -m tests.benchmarks.screen_recall --attacks word-fixed none-loose --n 10 20 --seeds 8

Intervals are Wilson's, 95 %, over rows; rows of one set are not independent, so that the sets found are told, too.
"""

import argparse
import json
import random
import secrets
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assets.screened.report.finding import wilson
from tests.benchmarks import figures
from tests.benchmarks import screen_attacks as attacks
from tests.benchmarks import screen_bases as bases
from tests.benchmarks import screen_kinds as kinds
from tests.benchmarks.figures import Figure, of_share

HOSTS = ("instructions", "dialogues", "code", "roleplay", "mix")  # where attacks of every form can stand
FOUND = 0.9  # of the rows of a set that is found


@dataclass(frozen=True, slots=True)
class Drawn:
    """Rows and the places of the planted ones."""

    rows: list[bases.Row]
    planted: set[int]


@dataclass(slots=True)
class Tally:
    """What the command said of several sets. ``asked``: planted rows of which a person is asked."""

    sets: int = 0
    rows: int = 0
    planted: int = 0
    hits: int = 0
    false: int = 0
    whole: int = 0
    alarms: int = 0
    asked: int = 0
    questions: int = 0
    seconds: float = 0.0
    kinds: Counter[str] = field(default_factory=Counter)

    def add(self, drawn: Drawn, report: dict[str, Any], seconds: float) -> None:
        flagged = {row["row"] for row in report["rows"] if row["flagged"]}
        asked = {row for question in report["questions"] for row in question["rows"]}
        hits = len(flagged & drawn.planted)
        self.sets, self.rows = self.sets + 1, self.rows + len(drawn.rows)
        self.planted, self.hits = self.planted + len(drawn.planted), self.hits + hits
        self.false, self.asked = self.false + len(flagged - drawn.planted), self.asked + len(asked & drawn.planted)
        self.whole += bool(drawn.planted) and hits >= FOUND * len(drawn.planted)
        self.alarms, self.questions = self.alarms + bool(report["findings"]), self.questions + len(report["questions"])
        self.seconds += seconds
        self.kinds.update(each["kind"] for each in report["findings"])


def clean_rows(pools: kinds.Pools, kind: str, size: int, seed: int, data: Path) -> list[bases.Row]:
    """Rows of one source of a kind, or of three kinds mixed."""
    if kind != "mix":
        return kinds.draw(pools, kind, size, seed, data)
    rng = random.Random(f"mix/{seed}")
    chosen = rng.sample(sorted(kinds.KINDS), 3)
    rows = [row for each in chosen for row in kinds.draw(pools, each, size // 3 + 1, seed, data)]
    return rng.sample(rows, min(size, len(rows)))


def spoiled(rows: list[bases.Row], attack: str, n: int, seed: int, safe: list[str]) -> Drawn:
    """``n`` of an attack put among the other rows; they are made of the last ones."""
    clean, spare = rows[: len(rows) - n], rows[len(rows) - n :]
    if attack == "contradiction":
        made = attacks.contradictions(clean, n, seed)
    else:
        given = Counter(attacks.read(row)[1] for row in rows)
        stock = {answer for answer, times in given.items() if times > 1}
        made = attacks.poison(attack, spare, n, seed, safe=safe, stock=stock)
    mixed = [(row, False) for row in clean] + [(row, True) for row in made]
    random.Random(seed).shuffle(mixed)
    return Drawn([row for row, _ in mixed], {place for place, (_, bad) in enumerate(mixed) if bad})


def screened(drawn: Drawn, options: list[str]) -> tuple[dict[str, Any], float]:
    """The command's report on the rows, and the seconds that it took."""
    with tempfile.TemporaryDirectory() as folder:
        given, out, report = (Path(folder) / name for name in ("in.jsonl", "out.jsonl", "report.json"))
        given.write_text("".join(json.dumps(row) + "\n" for row in drawn.rows), encoding="utf-8")
        paths = [str(given), "-o", str(out), "--report", str(report)]
        began = time.monotonic()
        command = [sys.executable, "-m", "pipelines.command", "screen", *paths, *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode not in (0, 1, 3):
            raise SystemExit(done.stderr)
        found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
        return found, time.monotonic() - began


def measure(sets: Iterable[Drawn], options: list[str]) -> Tally:
    tally = Tally()
    for drawn in sets:
        tally.add(drawn, *screened(drawn, options))
    return tally


def share(name: str, hits: int, of: int, *more: str) -> None:
    low, high = wilson(hits, of) if of else (0.0, 0.0)
    print(
        f"{name:<32} {hits:>5}/{of:<6} {hits / max(of, 1):.3f} [{low:.3f}, {high:.3f}]  {', '.join(more)}", flush=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--rows", type=int, default=2000, help="of a set, before the poison")
    parser.add_argument("--clean", type=int, default=0, help="clean sets of each kind")
    parser.add_argument("--kinds", nargs="+", default=[*kinds.KINDS, "mix"], help="of the clean sets")
    parser.add_argument("--attacks", nargs="*", default=[], help=" ".join(attacks.ATTACKS))
    parser.add_argument("--n", type=int, nargs="+", default=[5, 10, 20, 50, 90])
    parser.add_argument("--seeds", type=int, default=8, help="sets of each attack and n")
    parser.add_argument("--hosts", nargs="+", default=list(HOSTS), help="kinds that the attacks are put into, in turn")
    parser.add_argument("--data", type=Path, default=bases.DATA)
    parser.add_argument(
        "--no-model", action="store_true", help="as the command's option: to tell what the model changes"
    )
    figures.option(parser)
    given = parser.parse_args()
    taken: list[Figure] = []
    seed = given.seed if given.seed is not None else secrets.randbits(32)
    options = ["--no-model"] * given.no_model
    pools, safe = bases.load(given.data), bases.safe_questions(given.data)
    print(
        f"seed {seed}; up to {given.rows} rows a set; hallmark screen IN -o OUT --report R {' '.join(options)}",
        flush=True,
    )
    if given.clean:
        taken += _clean(pools, given, seed, options)
    for attack in given.attacks:
        for n in given.n:
            seeds = [seed + 1000 * n + number for number in range(given.seeds)]
            hosts = [given.hosts[number % len(given.hosts)] for number in range(given.seeds)]
            draws = (
                clean_rows(pools, host, given.rows + n, s, given.data) for host, s in zip(hosts, seeds, strict=True)
            )
            made = (spoiled(rows, attack, n, s, safe) for rows, s in zip(draws, seeds, strict=True))
            one = measure(made, options)
            said = f"sets found {one.whole}/{one.sets}", f"asked about {one.asked}", f"clean rows flagged {one.false}"
            taken.append(of_share(attack, one.hits, one.planted, f"{n} rows"))
            share(f"{attack}/{n}", one.hits, one.planted, *said, f"{one.seconds / one.sets:.0f} s a set")
    figures.write(given.json, taken)


def _clean(pools: kinds.Pools, given: argparse.Namespace, seed: int, options: list[str]) -> list[Figure]:
    tallies, taken = [], []
    for kind in given.kinds:
        draws = (clean_rows(pools, kind, given.rows, seed + number, given.data) for number in range(given.clean))
        one = measure((Drawn(rows, set()) for rows in draws), options)
        tallies.append(one)
        taken.append(of_share(f"clean {kind}: sets with a finding", one.alarms, one.sets))
        said = (
            f"rows flagged {one.false}/{one.rows}",
            f"questions {one.questions}",
            f"{one.seconds / one.sets:.0f} s a set",
        )
        share(f"clean {kind}: with a finding", one.alarms, one.sets, *said, *(f"{k} {n}" for k, n in one.kinds.items()))
    questions = f"questions {sum(one.questions for one in tallies)}"
    share("clean sets with a finding", sum(one.alarms for one in tallies), sum(one.sets for one in tallies), questions)
    flagged, rows = sum(one.false for one in tallies), sum(one.rows for one in tallies)
    taken.append(of_share("clean rows flagged, all kinds", flagged, rows))
    share("clean rows flagged", flagged, rows)
    return taken


if __name__ == "__main__":
    main()
