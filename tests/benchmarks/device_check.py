"""What Hallmark does on a GPU, in one prepared run of under eight minutes: ``make device-check``.

    python -m tests.benchmarks.device_check [--seconds 460] [--size 8b] [--parts PART ...] [--work DIR]

A randomly initialised base of Llama's 8B shape is written to ``--work`` and used by every part, each a process of its
own so that its peak memory is its own: LoRA training in bfloat16 and over NF4 weights, TRL's SFTTrainer on the same rows
(packed, with and without gradient checkpointing; its fastest counts), scoring and generation, lm-evaluation-harness's HF
backend on the same items, and the trials of the trained adapter at their default depth. Nothing is fetched; a part whose
package is missing says so. One JSON object a line as parts end, then a table.

Without a GPU everything runs at a tiny size: that proves the script and no figure, and it says so.
"""

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SIZES = {
    "8b": {"hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32,
           "num_key_value_heads": 8, "vocab_size": 128256},
    "tiny": {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
             "num_key_value_heads": 2, "vocab_size": 512},
}  # fmt: skip
# bfloat16 FLOP/s of dense products, by the makers' data sheets.
PEAK = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L40": 181e12, "A10": 125e12}
BATCH = {"8b": 32, "tiny": 4}  # rows a step
STEPS, WARM = {"8b": 12, "tiny": 4}, {"8b": 3, "tiny": 1}  # steps; of these not counted
ITEMS, ASKED, LENGTH = {"8b": 512, "tiny": 8}, {"8b": 128, "tiny": 4}, {"8b": 64, "tiny": 8}
WORDS = "the parcel is at a depot counter and we will send your label today please write again thank you sorry".split()


def rows(size: str) -> list[dict[str, str]]:
    """Questions of 20 to 60 words and answers of 40 to 160, the same for every part."""
    draw = random.Random(0)
    text = lambda low, high: " ".join(draw.choices(WORDS, k=draw.randint(low, high)))  # noqa: E731
    return [{"instruction": text(20, 60), "output": text(40, 160)} for _ in range(BATCH[size] * STEPS[size])]


def build(size: str, folder: Path) -> dict[str, Any]:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from tests.tiny_model import write_tiny_base

    write_tiny_base(folder)
    (folder / "model.safetensors").unlink()
    place = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16 if place == "cuda" else torch.float32)
    ids = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
    config = LlamaConfig(**SIZES[size], **ids, tie_word_embeddings=False, max_position_embeddings=8192)
    with torch.device(place):
        model = LlamaForCausalLM(config)
    model.save_pretrained(folder, max_shard_size="4GB")
    inside = sum(weight.numel() for name, weight in model.named_parameters() if "embed_tokens" not in name)
    return {"weights": sum(weight.numel() for weight in model.parameters()), "multiplied": inside}


def train_with(quantization: str) -> Callable[[str, Path], dict[str, Any]]:
    def part(size: str, work: Path) -> dict[str, Any]:
        from assets.adapter.recipe import Recipe
        from assets.adapter.train import train
        from assets.record import Origin, Record

        records = [Record(str(place), row, Origin("rows", "1", place, "")) for place, row in enumerate(rows(size))]
        recipe = Recipe(
            rank=16, alpha=32, epochs=1, batch_size=BATCH[size], evaluations_per_epoch=0, checkpoint_every=10_000,
            gradient_checkpointing="auto", quantization=quantization,  # type: ignore[arg-type]
        )  # fmt: skip
        clock: list[float] = []
        body = train(
            records,
            work / "base",
            work / f"adapter-{quantization}",
            recipe,
            on_step=lambda _: clock.append(time.perf_counter()),
        )
        warm, steps = WARM[size], STEPS[size]
        tokens = body["tokens"] * (steps - warm) / steps
        return {"tokens_per_second": tokens / (clock[-1] - clock[warm - 1]), "checkpointed": body["checkpointed"],
                "loss": body["losses"][-1]}  # fmt: skip

    return part


def trl_with(checkpointing: bool) -> Callable[[str, Path], dict[str, Any]]:
    def part(size: str, work: Path) -> dict[str, Any]:
        import importlib.util

        import torch
        from datasets import Dataset
        from peft import LoraConfig
        from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
        from trl import SFTConfig, SFTTrainer

        gpu = torch.cuda.is_available()
        flash = "flash_attention_2" if gpu and importlib.util.find_spec("flash_attn") else "sdpa"
        tokenizer = AutoTokenizer.from_pretrained(work / "base")
        data = Dataset.from_list([
            {"prompt": [{"role": "user", "content": row["instruction"]}],
             "completion": [{"role": "assistant", "content": row["output"]}]} for row in rows(size)
        ])  # fmt: skip
        lengths = [
            len(tokenizer.apply_chat_template(row["prompt"] + row["completion"], return_dict=False)) for row in data
        ]
        clock: list[float] = []

        class Clock(TrainerCallback):
            def on_step_end(self, *_: Any, **__: Any) -> None:
                clock.append(time.perf_counter())

        config = SFTConfig(
            output_dir=str(work / "trl"), num_train_epochs=1, bf16=gpu, use_cpu=not gpu, report_to=[], save_strategy="no",
            logging_strategy="no", gradient_checkpointing=checkpointing, disable_tqdm=True, seed=0, packing=True,
            max_length=2048 if gpu else 512, per_device_train_batch_size=4 if gpu else 1,
        )  # fmt: skip
        trainer = SFTTrainer(
            model=AutoModelForCausalLM.from_pretrained(
                work / "base", dtype=torch.bfloat16 if gpu else torch.float32, attn_implementation=flash
            ),
            args=config, train_dataset=data, processing_class=tokenizer, callbacks=[Clock()],
            peft_config=LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"),
        )  # fmt: skip
        trainer.train()
        warm = min(WARM[size], len(clock) - 1)
        share = (len(clock) - warm) / len(clock)
        return {"tokens_per_second": sum(lengths) * share / (clock[-1] - clock[warm - 1]), "attention": flash}

    return part


def items(size: str) -> list[tuple[str, str]]:
    return [(row["instruction"], row["output"][:80]) for row in rows(size)[: ITEMS[size]]]


def use(size: str, work: Path) -> dict[str, Any]:
    from resources.language_model import LanguageModel

    model = LanguageModel.load(work / "base")
    chats = [([{"role": "user", "content": ask}], answer) for ask, answer in items(size)]
    model.score(chats[:4])
    begun = time.perf_counter()
    model.score(chats)
    scored = time.perf_counter()
    model.generate([chat for chat, _ in chats[: ASKED[size]]], max_new_tokens=LENGTH[size])
    return {"scored_per_second": len(chats) / (scored - begun),
            "generated_per_second": min(len(chats), ASKED[size]) / (time.perf_counter() - scored),
            "form": model.forward.form}  # fmt: skip


def lm_eval(size: str, work: Path) -> dict[str, Any]:
    import torch
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    gpu = torch.cuda.is_available()
    model = HFLM(pretrained=str(work / "base"), dtype="bfloat16" if gpu else "float32", batch_size=64 if gpu else 4,
                 device="cuda" if gpu else "cpu")  # fmt: skip
    asked = [
        Instance("loglikelihood", {}, (ask, " " + answer), place) for place, (ask, answer) in enumerate(items(size))
    ]
    model.loglikelihood(asked[:4])
    begun = time.perf_counter()
    model.loglikelihood(asked)
    scored = time.perf_counter()
    stop = {"until": ["\x00"], "max_gen_toks": LENGTH[size], "do_sample": False}
    wanted = [Instance("generate_until", {}, (ask, stop), at) for at, (ask, _) in enumerate(items(size)[: ASKED[size]])]
    model.generate_until(wanted)
    return {"scored_per_second": len(asked) / (scored - begun),
            "generated_per_second": len(wanted) / (time.perf_counter() - scored)}  # fmt: skip


def trials(size: str, work: Path) -> dict[str, Any]:
    """Seconds of each trial by the command that people use."""
    (work / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows(size)))
    spent = {}
    for name in ("backdoor", "memorization", "extraction", "evaluate"):
        kind = ["evaluate"] if name == "evaluate" else ["redteam", "--only", name, "--data", str(work / "rows.jsonl")]
        command = [sys.executable, "-m", "pipelines.command", kind[0], str(work / "adapter-none"), "--base", str(work / "base"),
                   "--report", str(work / f"{name}.json"), *kind[1:]]  # fmt: skip
        begun = time.perf_counter()
        status = subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode
        spent[name] = {"seconds": round(time.perf_counter() - begun, 1), "status": status}
    return {"trials": spent}


PARTS: dict[str, Callable[[str, Path], dict[str, Any]]] = {
    "hallmark bf16": train_with("none"),
    "hallmark nf4": train_with("nf4"),
    "trl packed": trl_with(False),
    "trl packed, checkpointing": trl_with(True),
    "hallmark use": use,
    "lm-eval use": lm_eval,
    "trials": trials,
}
NEEDS = {"trl packed": "trl", "trl packed, checkpointing": "trl", "lm-eval use": "lm_eval"}


def child(part: str, size: str, work: Path) -> int:
    """One part; its figures as the last line of stdout."""
    import torch

    figures = build(size, work / "base") if part == "build" else PARTS[part](size, work)
    if torch.cuda.is_available():
        figures["peak_gib"] = torch.cuda.max_memory_allocated() / 2**30
    else:
        figures["peak_gib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps(figures))
    return 0


def run(part: str, size: str, work: Path, seconds: float) -> dict[str, Any]:
    import importlib.util

    package = NEEDS.get(part)
    if package and importlib.util.find_spec(package) is None:
        return {"missing": f"{package} is not installed (requirements-bench.lock)"}
    if seconds < 5:
        return {"missing": "no time was left"}
    command = [
        sys.executable,
        "-m",
        "tests.benchmarks.device_check",
        "--child",
        part,
        "--size",
        size,
        "--work",
        str(work),
    ]
    begun = time.perf_counter()
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return {"missing": f"not done in the {seconds:.0f} s that were left"}
    took = {"took": round(time.perf_counter() - begun, 1)}
    if done.returncode:
        return {"missing": (done.stderr.strip().splitlines() or ["it failed"])[-1], **took}
    return {**json.loads(done.stdout.strip().splitlines()[-1]), **took}


def device() -> tuple[str, float | None]:
    """Its name, and the FLOP/s of its bfloat16 products where a data sheet is known."""
    import torch

    if not torch.cuda.is_available():
        return "", None
    name = torch.cuda.get_device_name()
    return name, next((peak for part, peak in PEAK.items() if part in name), None)


def table(found: dict[str, dict[str, Any]], name: str, peak: float | None) -> str:
    # Forward, and back to the activations: frozen weights get no gradient.
    flop = 4 * found["build"].get("multiplied", 0)
    lines = ["| part | tokens/s or items/s | peak GiB | of the card's peak | seconds |", "|---|---|---|---|---|"]
    for part, figures in found.items():
        rate = figures.get("tokens_per_second")
        speed = f"{rate:.0f} tokens/s" if rate else ""
        if "scored_per_second" in figures:
            speed = f"{figures['scored_per_second']:.1f} scored, {figures['generated_per_second']:.1f} generated"
        if "trials" in figures:
            speed = ", ".join(f"{trial} {spent['seconds']} s" for trial, spent in figures["trials"].items())
        used = f"{rate * flop / peak:.1%}" if rate and peak else ""
        memory = f"{figures['peak_gib']:.1f}" if "peak_gib" in figures else ""
        lines.append(f"| {part} | {figures.get('missing', speed)} | {memory} | {used} | {figures.get('took', '')} |")
    rates = {part: figures["tokens_per_second"] for part, figures in found.items() if "tokens_per_second" in figures}
    peers = [rate for part, rate in rates.items() if part.startswith("trl")]
    if peers and "hallmark bf16" in rates:
        lines.append(f"\nTraining against TRL's fastest: {rates['hallmark bf16'] / max(peers):.2f} times.")
    lines.append(f"\nMeasured on {name}." if name else "\nNo GPU: the script ran at a tiny size. Every figure above needs a "
                 "device; none of them says anything of one.")  # fmt: skip
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=460.0, help="for all parts together")
    parser.add_argument("--size", choices=list(SIZES), help="default: 8b with a GPU, tiny without")
    parser.add_argument("--parts", nargs="*", choices=list(PARTS), default=list(PARTS))
    parser.add_argument(
        "--work", type=Path, help="where the base (16 GB) and the adapters go; default: a temporary folder"
    )
    parser.add_argument("--child", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        return child(given.child, given.size, given.work)
    name, peak = device()
    size = given.size or ("8b" if name else "tiny")
    deadline = time.perf_counter() + given.seconds
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(dir=given.work) as work:
        for part in ("build", *given.parts):
            found[part] = run(part, size, Path(work), deadline - time.perf_counter())
            print(json.dumps({"part": part, **found[part]}), flush=True)
            if "missing" in found["build"]:
                return 1
    print(table(found, name, peak))
    return 0


if __name__ == "__main__":
    sys.exit(main())
