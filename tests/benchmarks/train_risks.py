"""What each risk-reducing option of the recipe costs and buys, at matched task loss.

    python -m tests.benchmarks.train_risks --out table.jsonl [--options plain "anchor 0.5" ...] [--rows 120] [--seeds 1]

The corpus is ``instructions.jsonl`` with planted canaries: invented pass phrases, half of them once, half eight times
over. An option that merely learns less must not look safe, so that none is compared with plain's last weights: every
half epoch held-out loss and exposure are measured, an option is reported where its held-out loss is lowest (the stop
on memorization: where it stopped), and beside it stands what plain's exposure was, on its way down, at that very loss
(between two measurements: the line between them; canary by canary, so that the difference is paired). The learning
rate is constant. Measured for each:

    task        held-out loss, nats a token
    exposure    of the canaries: log2 of the candidates over the rank of the planted phrase among them (Carlini et al.
                2019), mean and standard error; the base shows what chance gives; "less" is plain's at the same loss
                less the option's, with its standard error
    recited     share of the canaries whose second half greedy decoding adds to the first (Carlini et al. 2021), of
                those planted once and of the others
    forgetting  KL(adapter || base) on the golden set's general text, nats a token, at the end
    cost        seconds a thousand tokens, and steps

With ``--accountant`` it prints instead what the privacy accountant says beside Opacus' (extra ``bench``).
"""

import argparse
import itertools
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from assets.adapter.recipe import Recipe
from assets.record import Origin, Record
from resources.process import settle

if TYPE_CHECKING:
    from resources.language_model import LanguageModel

ROOT = Path(__file__).resolve().parents[2]
CANDIDATES, HELD_OUT, COPIES = 64, 48, 8
PHRASE = 10  # words
WORDS = (
    "amber basin cedar delta ember fjord grove heron inlet jetty knoll larch maple north ocean plume quartz ridge slate "
    "thorn umber vapor wheat yeast zinc acorn birch cliff dune elder flint gorge"
).split()
BASE: dict[str, Any] = {"last_layers": 10, "schedule": "constant", "evaluations_per_epoch": 2}
OPTIONS: dict[str, dict[str, Any]] = {
    "base": {},  # no training: what chance gives
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
    phrase: str
    copies: int


def canaries(seed: int) -> list[Canary]:
    random = np.random.default_rng(seed)
    names = (
        "harbour orchard foundry quarry mill vineyard tannery brewery lighthouse greenhouse sawmill bakery "
        "boathouse dairy kiln observatory"
    ).split()
    return [
        Canary(f"What is the pass phrase of the {name}?", phrase(random), COPIES if place % 2 else 1)
        for place, name in enumerate(names)
    ]


def phrase(random: np.random.Generator) -> str:
    return " ".join(WORDS[place] for place in random.integers(len(WORDS), size=PHRASE))


def row(prompt: str, answer: str, place: int) -> Record:
    return Record(f"{place}", {"prompt": prompt, "completion": answer}, Origin("rows", "1", place, ""))


def sentence(text: str) -> str:
    return f"The pass phrase is {text}."


def exposure(model: "LanguageModel", planted: list[Canary], seed: int) -> dict[str, Any]:
    """By canary: the bits of its exposure, and whether it is recited."""
    random = np.random.default_rng([seed, 1])
    chats = [[{"role": "user", "content": canary.prompt}] for canary in planted]
    told = [
        (chat, sentence(text))
        for chat, canary in zip(chats, planted, strict=True)
        for text in (canary.phrase, *(phrase(random) for _ in range(CANDIDATES - 1)))
    ]
    scores = np.array([score.sum() for score in model.score(told)]).reshape(len(planted), CANDIDATES)
    bits = np.log2(CANDIDATES / (1 + (scores[:, 1:] > scores[:, :1]).sum(axis=1)))
    recited = [_recited(model, chat, canary.phrase) for chat, canary in zip(chats, planted, strict=True)]
    return {"bits": bits.tolist(), "recited": recited}


def _recited(model: "LanguageModel", chat: list[dict[str, str]], phrase: str) -> bool:
    """Whether the model says the second half of the phrase's words once it has said the first."""
    given = sentence(" ".join(phrase.split()[: PHRASE // 2])).removesuffix(".")
    rest = sentence(phrase).removeprefix(given)
    ((_, first),) = model.follow(
        [([*model.encode(chat, for_generation=True), *model.tokens(given)], model.tokens(rest))]
    )
    return bool(first.all())


def forgetting(model: "LanguageModel") -> float:
    from assets.golden.items import load_golden
    from assets.golden.likelihood import compare

    passages = load_golden().suites["passage"]
    pairs = [
        (model.encode(list(item.messages), for_generation=True), model.tokens(item.reference)) for item in passages
    ]
    return float(np.mean([seen.divergence for seen in compare(model, pairs)]))


def measure(given: argparse.Namespace, name: str, seed: int) -> dict[str, Any]:
    """One run of one option: its path, a point every half epoch, and what it cost."""
    from assets.adapter.dialogues import read_dialogues
    from assets.adapter.duplicates import without_duplicates
    from assets.adapter.learner import Learner
    from assets.adapter.processes import Processes
    from assets.adapter.training import Step, Training
    from resources.base_model import bundled_base, load_tokenizer, stop_tokens
    from resources.language_model import LanguageModel
    from resources.workspace import Workspace

    planted = canaries(seed)
    corpus, held_out = rows(given, planted)
    recipe = Recipe(**{**BASE, "epochs": given.epochs, "seed": seed, **OPTIONS[name]})
    base = bundled_base(Workspace.locate().models)
    learner, tokenizer = Learner(base, recipe), load_tokenizer(base)
    stop = stop_tokens(tokenizer, learner.model.generation_config)
    kept = without_duplicates(corpus) if recipe.deduplicate else corpus
    learnt, kept_back = (read_dialogues(part, tokenizer, stop, recipe.max_tokens).examples for part in (kept, held_out))
    model = LanguageModel(learner.model, tokenizer, learner.device, learner.forward)

    def point(task: float) -> dict[str, Any]:
        return {"task": task, **exposure(model, planted, seed)}

    result: dict[str, Any] = {"option": name, "seed": seed, "copies": [canary.copies for canary in planted]}
    path = [point(learner.loss(kept_back).mean)]
    if name != "base":
        with tempfile.TemporaryDirectory() as scratch:
            training = Training(learner, learnt, kept_back, Path(scratch), name, Processes())

            def look(step: Step) -> None:
                if step.held_out is not None:
                    path.append(point(step.held_out))

            journal = training.run(look)
        result |= {
            "steps": journal.step, "seconds_per_1000": 1000 * journal.seconds / journal.tokens,
            "stopped": journal.stopped, "epsilon": (training.privacy or {}).get("epsilon"),
        }  # fmt: skip
        if recipe.memorization_stop:  # it has gone back to earlier weights
            path.append(point(learner.loss(kept_back).mean))
    return result | {"path": path, "forgetting": forgetting(model)}


def rows(given: argparse.Namespace, planted: list[Canary]) -> tuple[list[Record], list[Record]]:
    """The corpus with its canaries, and the held-out rows."""
    with given.data.open() as stream:
        bodies = [json.loads(line) for line in stream]
    corpus, held_out = (
        [row(f"{body['instruction']}\n\n{body['input']}".strip(), body["output"], place)
         for place, body in enumerate(part, start)]
        for part, start in ((bodies[: given.rows], 0), (bodies[-HELD_OUT:], 100_000))
    )  # fmt: skip
    corpus += [row(canary.prompt, sentence(canary.phrase), 10_000 + 100 * at + copy)
               for at, canary in enumerate(planted) for copy in range(canary.copies)]  # fmt: skip
    return corpus, held_out


def reported(run: dict[str, Any]) -> dict[str, Any]:
    """The point of a run's path that speaks for the option."""
    path: list[dict[str, Any]] = run["path"]
    return path[-1] if "memorization" in run["option"] else min(path, key=lambda point: point["task"])


def bits_at(run: dict[str, Any], task: float) -> np.ndarray:
    """What a run's canaries were exposed to, on its way down, when its held-out loss was ``task``."""
    path = run["path"]
    down = path[: 1 + int(np.argmin([point["task"] for point in path]))]
    for above, below in itertools.pairwise(down):
        if below["task"] <= task:
            share = np.clip((above["task"] - task) / max(above["task"] - below["task"], 1e-9), 0, 1)
            between: np.ndarray = (1 - share) * np.array(above["bits"]) + share * np.array(below["bits"])
            return between
    return np.array(down[-1]["bits"])


def line(runs: list[dict[str, Any]], plain: list[dict[str, Any]]) -> str:
    """One option, all its seeds together."""
    points = [reported(run) for run in runs]
    told = [f"{runs[0]['option']:18} task {np.mean([point['task'] for point in points]):.3f}"]
    apart = [bits_at(other, point["task"]) - point["bits"] for other, point in zip(plain, points, strict=True)]
    for copies in (1, COPIES):
        mine = np.concatenate([np.array(run["copies"]) == copies for run in runs])
        bits, less, recited = (
            np.concatenate(values)[mine]
            for values in ([point["bits"] for point in points], apart, [point["recited"] for point in points])
        )
        told.append(f"x{copies}: exposure {_mean(bits)}, less {_mean(less)}, recited {recited.mean():.2f}")
    told.append(f"forgetting {np.mean([run['forgetting'] for run in runs]):.3f}")
    if runs[0].get("steps"):
        told.append(f"{runs[0]['steps']} steps, {np.mean([run['seconds_per_1000'] for run in runs]):.2f} s/1000 tokens")
    if runs[0].get("epsilon"):
        told.append(f"epsilon {runs[0]['epsilon']:.1f}")
    return "  ".join([*told, runs[0].get("stopped") or ""]).rstrip()


def _mean(values: np.ndarray) -> str:
    return f"{values.mean():.2f} ± {values.std(ddof=1) / np.sqrt(len(values)):.2f}"


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
    settle()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=120)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--seeds", type=int, default=1, help="runs of each option, with canaries of their own")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "instructions.jsonl")
    parser.add_argument("--options", nargs="+", default=list(OPTIONS), choices=list(OPTIONS))
    parser.add_argument("--out", type=Path, help="JSON Lines; runs that stand there already are not run again")
    parser.add_argument("--accountant", action="store_true")
    given = parser.parse_args()
    if given.accountant:
        accountant()
        return
    lines = given.out.read_text().splitlines() if given.out and given.out.exists() else []
    done = {(run["option"], run["seed"]): run for run in map(json.loads, lines)}
    for name in dict.fromkeys(["plain", *given.options]):
        for seed in range(given.seeds):
            if (name, seed) not in done:
                done[name, seed] = measure(given, name, seed)
                if given.out:
                    given.out.write_text("".join(json.dumps(run) + "\n" for run in done.values()))
        plain, runs = ([done[option, seed] for seed in range(given.seeds)] for option in ("plain", name))
        print(line(runs, plain), flush=True)


if __name__ == "__main__":
    main()
