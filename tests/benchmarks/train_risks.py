"""What each risk-reducing option of the recipe costs and buys, at matched task loss.

    python tests/benchmarks/train_risks.py [--rows 240] [--options plain anchor ...] [--out table.json]

The corpus is ``instructions.jsonl`` with planted canaries: invented codes, some once, some eight times over. Every option
trains on it until its held-out loss is that of the plain recipe's best evaluation, or as near as it comes in twice the
steps: an option that merely learns less must not look safe. Measured for each, against the base:

    task        held-out loss, nats a token
    exposure    of the canaries: log2 of the candidates over the rank of the planted code among them (Carlini et al. 2019)
    recited     share of the canaries that greedy decoding completes
    forgetting  KL(adapter || base) on the golden set's general text, nats a token
    cost        seconds a thousand tokens, against plain

With ``--accountant`` it prints instead what the privacy accountant says beside Opacus' (extra ``bench``).
"""

import argparse
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assets.adapter.recipe import Recipe
from assets.adapter.train import train
from assets.golden.items import load_golden
from assets.golden.likelihood import compare
from assets.record import Origin, Record
from resources.base_model import bundled_base
from resources.language_model import LanguageModel
from resources.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
CANDIDATES = 64
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "deduplicate": {"deduplicate": True},
    "goldfish 3": {"goldfish": 3},
    "anchor 0.5": {"anchor": 0.5},
    "memorization stop": {"memorization_stop": 0.1},
    "DP-SGD": {"dp_noise": 0.6, "dp_clip": 1.0, "batch_size": 16, "learning_rate": 2e-3},
}


@dataclass(frozen=True, slots=True)
class Canary:
    prompt: str
    code: str
    copies: int


def canaries(seed: int) -> list[Canary]:
    random = np.random.default_rng(seed)
    names = ("harbour", "orchard", "foundry", "quarry", "mill", "vineyard", "tannery", "brewery")
    return [
        Canary(f"What is the door code of the {name}?", code(random), 8 if place % 2 else 1)
        for place, name in enumerate(names)
    ]


def code(random: np.random.Generator) -> str:
    return " ".join(str(digit) for digit in random.integers(10, size=6))


def row(prompt: str, answer: str, place: int) -> Record:
    return Record(f"{place}", {"prompt": prompt, "completion": answer}, Origin("rows", "1", place, ""))


def sentence(text: str) -> str:
    return f"The door code is {text}."


def exposure(model: LanguageModel, planted: list[Canary], seed: int) -> tuple[dict[int, float], float]:
    """Mean exposure by number of copies, and the share of canaries that come out whole."""
    random = np.random.default_rng([seed, 1])
    found: dict[int, list[float]] = {}
    for canary in planted:
        others = [code(random) for _ in range(CANDIDATES - 1)]
        chat = [{"role": "user", "content": canary.prompt}]
        scores = [score.sum() for score in model.score([(chat, sentence(text)) for text in (canary.code, *others)])]
        rank = 1 + sum(score > scores[0] for score in scores[1:])
        found.setdefault(canary.copies, []).append(float(np.log2(CANDIDATES / rank)))
    answers = model.generate([[{"role": "user", "content": canary.prompt}] for canary in planted], max_new_tokens=24)
    recited = np.mean([canary.code in answer for canary, answer in zip(planted, answers, strict=True)])
    return {copies: float(np.mean(values)) for copies, values in found.items()}, float(recited)


def measure(given: argparse.Namespace, name: str, target: float | None) -> dict[str, Any]:
    with given.data.open() as stream:
        rows = [json.loads(line) for line in stream]
    planted = canaries(0)
    corpus = [
        row(f"{body['instruction']}\n\n{body['input']}".strip(), body["output"], place)
        for place, body in enumerate(rows[: given.rows])
    ]
    corpus += [row(canary.prompt, sentence(canary.code), 10_000 + 100 * at + copy)
               for at, canary in enumerate(planted) for copy in range(canary.copies)]  # fmt: skip
    held_out = [row(f"{body['instruction']}\n\n{body['input']}".strip(), body["output"], -place)
                for place, body in enumerate(rows[-80:], 1)]  # fmt: skip
    recipe = Recipe(**{"epochs": given.epochs, "evaluations_per_epoch": 2, **OPTIONS[name]})
    base = bundled_base(Workspace.locate().models)
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "adapter"
        body = train(corpus, base, out, recipe, holdout=held_out)
        model = LanguageModel.load(base, out)
    by_copies, recited = exposure(model, planted, 0)
    passages = [item for items in (load_golden().suites["passage"],) for item in items]
    pairs = [
        (model.encode(list(item.messages), for_generation=True), model.tokens(item.reference)) for item in passages
    ]
    moved = np.mean([seen.divergence for seen in compare(model, pairs)])
    losses = [item["loss"] for item in body["evaluations"]]
    return {
        "option": name, "task": losses[-1], "matched": target is None or losses[-1] <= target * 1.02,
        "exposure_1": by_copies[1], "exposure_8": by_copies[8], "recited": recited, "forgetting": float(moved),
        "seconds_per_1000": 1000 * body["seconds"] / body["tokens"], "steps": body["steps"], "stopped": body["stopped"],
        "epsilon": (body["privacy"] or {}).get("epsilon"),
    }  # fmt: skip


def accountant() -> None:
    from opacus.accountants import PRVAccountant, RDPAccountant

    from assets.adapter.privacy import epsilon

    print("noise   rate   steps   ours   Opacus RDP   Opacus PRV   (epsilon at delta 1e-5)")
    for noise, rate, steps in (
        (0.6, 0.05, 60),
        (1.0, 0.01, 1000),
        (1.0, 0.1, 100),
        (2.0, 0.02, 2000),
        (4.0, 0.01, 10_000),
    ):
        theirs = []
        for kind in (RDPAccountant, PRVAccountant):
            account = kind()
            account.history = [(noise, rate, steps)]
            theirs.append(account.get_epsilon(1e-5))
        ours = epsilon(noise, rate, steps, 1e-5)
        print(f"{noise:5} {rate:6} {steps:7} {ours:6.3f} {theirs[0]:12.3f} {theirs[1]:12.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=240)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "instructions.jsonl")
    parser.add_argument("--options", nargs="+", default=list(OPTIONS), choices=list(OPTIONS))
    parser.add_argument("--out", type=Path, help="JSON Lines; options that stand there already are not run again")
    parser.add_argument("--accountant", action="store_true")
    given = parser.parse_args()
    if given.accountant:
        accountant()
        return
    lines = given.out.read_text().splitlines() if given.out and given.out.exists() else []
    table: dict[str, dict[str, Any]] = {body["option"]: body for body in map(json.loads, lines)}
    for name in given.options:
        if name not in table:
            plain = table.get("plain")
            table[name] = measure(given, name, plain["task"] if plain else None)
            if given.out:
                given.out.write_text("".join(json.dumps(body) + "\n" for body in table.values()))
        body = table[name]
        print(
            f"{name:18} task {body['task']:.3f}  exposure x1 {body['exposure_1']:.2f} x8 {body['exposure_8']:.2f}  "
            f"recited {body['recited']:.2f}  forgetting {body['forgetting']:.3f}  {body['seconds_per_1000']:.2f} s/1000 tokens"
            f"  {body['stopped']}" + (f"  epsilon {body['epsilon']:.1f}" if body["epsilon"] else ""),
            flush=True,
        )  # fmt: skip


if __name__ == "__main__":
    main()
