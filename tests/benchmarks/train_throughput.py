"""Training throughput against TRL's SFTTrainer: the same rows, base, recipe and batch, in turn, on the same machine.

    python -m tests.benchmarks.train_throughput [--rows 160] [--rounds 2] [--dtypes float32 bfloat16]
        [--layouts padded flat packed] [--peer PYTHON]

Each run is a process of its own, so that its peak memory is its own. Tokens are those of the rows (prompt, template and
answer), counted once for both, over the seconds of the training loop. Both adapters' held-out loss is measured by the
same code. TRL runs with every data type and layout and its fastest counts: ``padded`` batches grouped by length, the same
batches laid ``flat`` (``padding_free``), and ``packed`` by best fit into rows as long as a batch has tokens on average.
``--peer`` names a Python that has TRL (extra ``bench``).

The share of the machine's GEMM peak is what the run's matrix products cost at the rate of a large square product; the
rest of the time goes to attention, norms, rotary embedding, activations, the optimiser and Python, listed by operator.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks import figures
from tests.benchmarks.figures import Figure

ROOT = Path(__file__).resolve().parents[2]
RANK, ALPHA, BATCH, RATE = 8, 16, 8, 1e-3
LAYOUTS = ("padded", "flat", "packed")


def chat(row: dict[str, str]) -> tuple[str, str]:
    extra = row.get("input") or ""
    return (f"{row['instruction']}\n\n{extra}" if extra else row["instruction"]), row["output"]


def read(path: Path, rows: int, held_out: int) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    with path.open() as stream:
        every = [json.loads(line) for line in stream]
    return every[:rows], every[-held_out:]


def run_hallmark(given: argparse.Namespace, rows: list[dict[str, str]]) -> dict[str, Any]:
    from assets.adapter.recipe import Recipe
    from assets.adapter.train import train
    from assets.record import Origin, Record

    records = [Record(str(place), row, Origin("rows", "1", place, "")) for place, row in enumerate(rows)]
    recipe = Recipe(
        rank=RANK, alpha=ALPHA, batch_size=BATCH, learning_rate=RATE, epochs=1, evaluations_per_epoch=0,
        dtype="auto" if given.dtype == "auto" else given.dtype, checkpoint_every=10_000,
    )  # fmt: skip
    body = train(records, given.base, given.out, recipe)
    return {"tokens": body["tokens"], "seconds": body["seconds"], "dtype": body["device"]["dtype"]}


def run_trl(given: argparse.Namespace, rows: list[dict[str, str]]) -> dict[str, Any]:
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    pairs = [chat(row) for row in rows]
    data = Dataset.from_list(
        [
            {"prompt": [{"role": "user", "content": ask}], "completion": [{"role": "assistant", "content": answer}]}
            for ask, answer in pairs
        ]
    )
    short = given.dtype == "bfloat16"
    tokenizer = AutoTokenizer.from_pretrained(given.base)
    lengths = [len(tokenizer.apply_chat_template(row["prompt"] + row["completion"], return_dict=False)) for row in data]
    layouts: dict[str, dict[str, Any]] = {
        "padded": {"per_device_train_batch_size": BATCH, "train_sampling_strategy": "group_by_length"},
        "flat": {"per_device_train_batch_size": BATCH, "padding_free": True, "max_length": None},
        "packed": {"per_device_train_batch_size": 1, "packing": True,
                   "max_length": max(*lengths, BATCH * sum(lengths) // len(lengths))},
    }  # fmt: skip
    config = SFTConfig(
        output_dir=str(given.out), num_train_epochs=1, learning_rate=RATE, bf16=short, use_cpu=not torch.cuda.is_available(), report_to=[],
        save_strategy="no", logging_strategy="no", gradient_checkpointing=False, warmup_steps=0.05,
        lr_scheduler_type="cosine", seed=0, dataloader_num_workers=0, disable_tqdm=True, **layouts[given.layout],
    )  # fmt: skip
    trainer = SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(given.base, dtype=torch.bfloat16 if short else torch.float32),
        args=config, train_dataset=data, processing_class=tokenizer,
        peft_config=LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules="all-linear"),
    )  # fmt: skip
    started = time.perf_counter()
    trainer.train()
    seconds = time.perf_counter() - started
    trainer.save_model(str(given.out))
    return {"tokens": sum(lengths), "seconds": seconds, "dtype": given.dtype}


def held_out_loss(base: Path, adapter: Path, rows: list[dict[str, str]]) -> float:
    from resources.language_model import LanguageModel

    model = LanguageModel.load(base, adapter)
    end = model.tokenizer.eos_token_id
    pairs = [
        (model.encode([{"role": "user", "content": ask}], for_generation=True), [*model.tokens(answer), end])
        for ask, answer in map(chat, rows)
    ]
    scores = model.score_tokens(pairs)
    return -sum(float(score.sum()) for score in scores) / sum(map(len, scores))


def gemm_peak(dtype: str) -> float:
    """FLOP/s of a large square matrix product."""
    import torch

    left = torch.randn(2048, 2048, dtype=getattr(torch, dtype))
    best = float("inf")
    for _ in range(5):
        started = time.perf_counter()
        left @ left
        best = min(best, time.perf_counter() - started)
    return 2 * 2048**3 / best


def account(base: Path, rows: list[dict[str, str]], dtype: str) -> tuple[float, list[tuple[str, float]]]:
    """FLOP a token of the rows that a step computes, and the share of time by operator, over a few batches."""
    from torch.profiler import ProfilerActivity, profile
    from torch.utils.flop_counter import FlopCounterMode

    from assets.adapter.engine.learner import Learner
    from assets.adapter.recipe import Recipe
    from assets.adapter.rows.dialogues import read_dialogues
    from assets.record import Origin, Record
    from resources.base_model import load_tokenizer

    learner = Learner(base, Recipe(rank=RANK, alpha=ALPHA, dtype=dtype))
    tokenizer = load_tokenizer(base)
    records = [Record(str(place), row, Origin("rows", "1", place, "")) for place, row in enumerate(rows[: 4 * BATCH])]
    examples = read_dialogues(records, tokenizer, frozenset({tokenizer.eos_token_id}), 1024).examples
    examples = tuple(sorted(examples, key=lambda example: len(example.ids)))
    batches = [examples[at : at + BATCH] for at in range(0, len(examples), BATCH)]
    counter = FlopCounterMode(display=False)
    with counter:
        for batch in batches:
            learner.accumulate(batch, 0)
    tokens = sum(len(example.ids) for example in examples)
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        for batch in batches:
            learner.accumulate(batch, 0)
    spent = sorted(seen.key_averages(), key=lambda item: -item.self_cpu_time_total)
    total = sum(item.self_cpu_time_total for item in spent)
    return counter.get_total_flops() / tokens, [(item.key, item.self_cpu_time_total / total) for item in spent[:12]]


def child(given: argparse.Namespace, name: str, dtype: str, layout: str, out: Path) -> dict[str, Any]:
    python = given.peer if name == "trl" else sys.executable
    command = [
        str(python), "-m", "tests.benchmarks.train_throughput", "--one", name, "--dtype", dtype, "--layout", layout,
        "--out", str(out), "--rows", str(given.rows), "--data", str(given.data), "--base", str(given.base),
    ]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    body: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return body


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=160)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--dtypes", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--layouts", nargs="+", default=list(LAYOUTS), choices=LAYOUTS)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "instructions.jsonl")
    parser.add_argument("--base", type=Path)
    parser.add_argument("--peer", type=Path, default=Path(sys.executable))
    parser.add_argument("--one")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--layout", default="packed")
    parser.add_argument("--out", type=Path)
    figures.option(parser)
    given = parser.parse_args()
    if given.base is None:
        from resources.base_model import bundled_base
        from resources.workspace import Workspace

        given.base = bundled_base(Workspace.locate().models)
    rows, held_out = read(given.data, given.rows, 100)
    if given.one:
        runs: dict[str, Callable[[argparse.Namespace, list[dict[str, str]]], dict[str, Any]]] = {
            "hallmark": run_hallmark,
            "trl": run_trl,
        }
        body = runs[given.one](given, rows)
        print(json.dumps(body | {"peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
        return
    compare(given, rows, held_out)


def compare(given: argparse.Namespace, rows: list[dict[str, str]], held_out: list[dict[str, str]]) -> None:
    theirs_all = [("trl", dtype, layout) for dtype in given.dtypes for layout in given.layouts]
    entries = [("hallmark", "auto", "packed"), *theirs_all]
    found: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for turn in range(given.rounds):
            for entry in entries:
                out = Path(scratch) / f"{'-'.join(entry)}-{turn}"
                body = child(given, *entry, out)
                body["loss"] = held_out_loss(given.base, out, held_out)
                found.setdefault(entry, []).append(body)
                speed = body["tokens"] / body["seconds"]
                print(
                    f"{entry[0]:9} {body['dtype']:9} {entry[2]:7} {speed:7.0f} tokens/s  {body['peak_mib']:6.0f} MiB  loss {body['loss']:.4f}",
                    flush=True,
                )
    best = {entry: max(runs, key=lambda run: run["tokens"] / run["seconds"]) for entry, runs in found.items()}
    ours = best[entries[0]]
    theirs = max((best[entry] for entry in theirs_all), key=lambda run: run["tokens"] / run["seconds"])
    ratio = ours["tokens"] / ours["seconds"] / (theirs["tokens"] / theirs["seconds"])
    print(f"\n{ratio:.2f} times TRL's tokens/s; memory {ours['peak_mib'] / theirs['peak_mib']:.2f} of TRL's; ", end="")
    print(f"held-out loss {ours['loss'] / theirs['loss'] - 1:+.2%} of TRL's")
    figures.write(
        given.json,
        [
            figure
            for side, body in (("Hallmark", ours), ("TRL at its fastest", theirs))
            for figure in (
                Figure("tokens a second", body["tokens"] / body["seconds"], side, unit="tokens/s"),
                Figure("peak memory", body["peak_mib"], side, unit="MiB"),
                Figure("held-out loss, nats a token", body["loss"], side),
            )
        ]
        + [Figure("tokens a second", ratio, "ratio", unit="times")],
    )
    peak = gemm_peak(ours["dtype"])
    flops, spent = account(given.base, rows, ours["dtype"])
    reached = flops * ours["tokens"] / ours["seconds"]
    print(f"GEMM peak {peak / 1e9:.0f} GFLOP/s {ours['dtype']}; reached {reached / 1e9:.0f}: {reached / peak:.0%}")
    print("time by operator: " + ", ".join(f"{name} {share:.1%}" for name, share in spent))


if __name__ == "__main__":
    main()
