"""Where the limit on forgetting lies: sane and over-trained adapters, followed while they train.

    python -m tests.benchmarks.evaluate_forgetting --out curves.jsonl [--runs NAME ...] [--minutes 5]
    python -m tests.benchmarks.evaluate_forgetting --out curves.jsonl --judge

Each run trains on one source with one recipe and is looked at several times on the way: held-out loss of its own task,
and on the golden set KL(adapter || base) and loss on general text and the share of general questions answered rightly.
What a look is called follows from the task alone, not from the divergence that is to be judged:

    sane          held-out loss below .97 of the base's and at most 1 % above the lowest so far: still learning
    over-trained  the lowest held-out loss lies behind it and was at least 10 % lower: what it learns now, it recites
    between       neither; left out

An adapter fails if it drifted too far or predicts general text too much worse than the base. ``--judge`` leaves the
policy's limit on the second alone, takes from the runs marked ``tune`` the limit on the first with the fewest mistakes
(the middle of the gap, if there is one), and shows what both gates say with it, and with the policy's, also on the runs
marked ``measure``: other rows, other seeds. Looks at one run are not independent; the number of runs stands beside.
"""

import argparse
import json
import random
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from assets.adapter.recipe import Recipe
from assets.record import Record

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
HELD_OUT = 48
SANE, OVER = 1.01, 1.10  # held-out loss over the lowest so far
LEARNT = 0.97  # held-out loss over the base's
LOOKS = 5


@dataclass(frozen=True, slots=True)
class Run:
    """``rows`` rows from ``first`` on of a shuffled source; ``recipe`` is what differs from the default."""

    half: str
    source: str
    first: int
    rows: int
    recipe: dict[str, Any] = field(default_factory=dict)


GENTLE: dict[str, Any] = {"epochs": 1, "learning_rate": 6e-4, "last_layers": 10}  # as deploy/sample_recipe.yaml
FAST: dict[str, Any] = {"learning_rate": 1e-3}
HARSH: dict[str, Any] = {"epochs": 10, "learning_rate": 2e-3, "schedule": "constant"}
RUNS = {
    "instructions gentle": Run("tune", "instructions", 0, 320, GENTLE),
    "instructions harsh": Run("tune", "instructions", 0, 48, HARSH),
    "desk": Run("tune", "desk", 0, 128),
    "desk fast": Run("tune", "desk", 0, 200, FAST),
    "desk harsh": Run("tune", "desk", 0, 24, HARSH),
    "dialogues gentle": Run("measure", "dialogues", 0, 72, {**GENTLE, "seed": 1}),
    "dialogues harsh": Run("measure", "dialogues", 0, 8, {**HARSH, "seed": 1}),
    "instructions again": Run("measure", "instructions", 500, 240, {"seed": 1}),
    "instructions again harsh": Run("measure", "instructions", 500, 32, {**HARSH, "learning_rate": 3e-3, "seed": 1}),
    "desk again gentle": Run("measure", "desk", 240, 160, {**GENTLE, "seed": 1}),
}


def rows_of(source: str) -> list[Record]:
    from assets.adapter.train import read_rows_of
    from deploy.sample_drops import write_drops

    files = {"instructions": "instructions.jsonl", "dialogues": "support_chat.jsonl"}
    if source in files:
        return read_rows_of(DATA / files[source])
    with tempfile.TemporaryDirectory() as scratch:
        write_drops(Path(scratch))
        clean = [path for drop in ("2026-11-02*", "2026-11-09*") for path in Path(scratch).glob(f"{drop}/*")]
        return [row for path in sorted(clean) if path.name != "manifest.json" for row in read_rows_of(path)]


class Golden:
    """The likelihood suites of the golden set, on an adapter while it learns."""

    def __init__(self, model: Any) -> None:
        from assets.golden.inference.looks import prompt_of, question_of
        from assets.golden.items import load_golden

        self.model = model
        suites = load_golden().suites
        self.passages = [(prompt_of(model, item), model.tokens(item.reference)) for item in suites["passage"]]
        self.questions = [question_of(model, item) for item in suites["choice"]]

    def forgetting(self) -> dict[str, Any]:
        from assets.golden.inference.statistics import paired_means
        from assets.golden.measures.likelihood import compare

        seen = compare(self.model, self.passages)
        moved = paired_means([0.0] * len(seen), [item.divergence for item in seen])
        text = paired_means([item.base for item in seen], [item.adapter for item in seen])
        return {
            "n": len(seen), "divergence": moved.difference, "low": moved.ci_low, "high": moved.ci_high,
            "text": text.difference, "text_low": text.ci_low, "text_high": text.ci_high,
        }  # fmt: skip

    def knowledge(self) -> list[float]:
        """Share of the questions answered rightly, by base and adapter."""
        from assets.golden.measures.likelihood import pick

        adapter, base = self.model.both(lambda: pick(self.model, self.questions))
        sides = (base, adapter)
        right = [[one == question.answer for one, question in zip(side, self.questions, strict=True)] for side in sides]
        return [sum(side) / len(side) for side in right]


def follow(name: str, minutes: float) -> list[dict[str, Any]]:
    """Train one run, and what each look at it showed."""
    from assets.adapter.engine.learner import Learner
    from assets.adapter.engine.processes import Processes
    from assets.adapter.rows.dialogues import read_dialogues
    from assets.adapter.training import Step, Training
    from resources.base_model import bundled_base, load_tokenizer, stop_tokens
    from resources.language_model import LanguageModel
    from resources.workspace import Workspace

    run = RUNS[name]
    base = bundled_base(Workspace.locate().models)
    recipe = Recipe(**{"evaluations_per_epoch": 0, **run.recipe})
    learner, tokenizer = Learner(base, recipe), load_tokenizer(base)
    golden = Golden(LanguageModel(learner.model, tokenizer, learner.device, learner.forward))
    rows = rows_of(run.source)
    random.Random(11).shuffle(rows)
    stop = stop_tokens(tokenizer, learner.model.generation_config)
    parts = (rows[run.first : run.first + run.rows], rows[-HELD_OUT:])
    learnt, held_out = (read_dialogues(part, tokenizer, stop, recipe.max_tokens).examples for part in parts)
    untrained = learner.loss(held_out).mean
    looks: list[dict[str, Any]] = []
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        training = Training(learner, learnt, held_out, Path(scratch), name, Processes())
        due = {round(training.steps * look / LOOKS) for look in range(1, LOOKS + 1)}

        def look(step: Step) -> None:
            late = time.monotonic() - began > 60 * minutes
            if step.step in due or late:
                looks.append({
                    "run": name, "half": run.half, "step": step.step, "steps": step.steps,
                    "seconds": round(time.monotonic() - began), "held_out": learner.loss(held_out).mean,
                    "untrained": untrained, **golden.forgetting(),
                    "choice": golden.knowledge() if late or step.step == step.steps else None,
                })  # fmt: skip
                print(line(looks[-1]), flush=True)
            if late:
                training.journal.stopped = "out of time"

        training.run(look)
    return looks


def line(look: dict[str, Any]) -> str:
    choice = look["choice"]
    return (
        f"{look['run']:26} step {look['step']:4}/{look['steps']:<4} {look['seconds']:4} s  held out {look['held_out']:.3f} of "
        f"{look['untrained']:.3f}  KL {look['divergence']:.3f} [{look['low']:.3f}, {look['high']:.3f}]  text {look['text']:+.3f}"
        + (f"  choice {choice[0]:.2f} -> {choice[1]:.2f}" if choice else "")
    )


def named(looks: Iterable[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """Each look with what it is called; ``looks`` run by run, in the order of steps."""
    lowest: dict[str, float] = {}
    found = []
    for look in looks:
        best = lowest[look["run"]] = min(lowest.get(look["run"], look["held_out"]), look["held_out"])
        sane = look["held_out"] <= SANE * best and look["held_out"] < LEARNT * look["untrained"]
        over = look["held_out"] >= OVER * best
        found.append(("sane" if sane else "over-trained" if over else "between", look))
    return found


def judge(looks: list[dict[str, Any]]) -> None:
    from expectations.policy import Policy, worst
    from resources.artifacts import Metric

    marked = named(looks)
    for kind, look in marked:
        print(f"{kind:13}{line(look)}")
    gates = {gate.name: gate for gate in Policy.load().gates}
    drift, text = gates["divergence_bounded"], gates["general_text_kept"]
    assert drift.max is not None and text.max is not None
    tune = [(kind, look) for kind, look in marked if look["half"] == "tune" and kind != "between"]
    limits = sorted({look["divergence"] for _, look in tune})
    middles = [(low + high) / 2 for low, high in pairwise([*limits, 2 * limits[-1]])]

    def mistakes(limit: float) -> int:
        failed = [look["divergence"] > limit or look["text"] > (text.max or 0) for _, look in tune]
        return sum(fails != (kind == "over-trained") for fails, (kind, _) in zip(failed, tune, strict=True))

    fewest = min(map(mistakes, middles))
    best = [limit for limit in middles if mistakes(limit) == fewest]
    chosen = best[len(best) // 2]
    print(
        f"\ntuned limit {chosen:.3f} (as good: {best[0]:.3f} to {best[-1]:.3f}): {fewest} mistakes in {len(tune)} looks"
    )
    for half in ("tune", "measure"):
        for limit in (chosen, drift.max):
            for kind in ("sane", "over-trained"):
                these = [look for name, look in marked if name == kind and look["half"] == half]
                verdicts = []
                for look in these:
                    metrics = {
                        drift.metric: Metric(look["divergence"], look["n"], look["low"], look["high"]),
                        text.metric: Metric(look["text"], look["n"], look["text_low"], look["text_high"]),
                    }
                    verdicts.append(
                        worst([drift.model_copy(update={"max": limit}).judge(metrics), text.judge(metrics)])
                    )
                counts = ", ".join(
                    f"{verdict} {verdicts.count(verdict)}" for verdict in ("pass", "inconclusive", "fail")
                )
                print(
                    f"{half:8} limit {limit:.3f}  {kind:13} {len({look['run'] for look in these})} runs, {len(these)} looks: {counts}"
                )


def main() -> None:
    from resources.process import settle

    settle()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="JSON Lines; runs that stand there are not run again")
    parser.add_argument("--runs", nargs="+", default=list(RUNS), choices=list(RUNS))
    parser.add_argument("--minutes", type=float, default=5, help="a run ends at its first look after this long")
    parser.add_argument("--judge", action="store_true")
    given = parser.parse_args()
    lines = given.out.read_text().splitlines() if given.out.exists() else []
    looks: list[dict[str, Any]] = [json.loads(text) for text in lines]
    if given.judge:
        judge(looks)
        return
    for name in given.runs:
        if name not in {look["run"] for look in looks}:
            looks += follow(name, given.minutes)
            given.out.write_text("".join(json.dumps(look) + "\n" for look in looks))


if __name__ == "__main__":
    main()
