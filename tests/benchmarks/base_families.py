"""Every family of causal language models that transformers has: how Hallmark runs it, how exactly, how fast.

    python -m tests.benchmarks.base_families [FAMILY ...] [--processes N] [--write docs/bases.md]

Tiny random models with transformers' and PEFT's own numbers as the reference (``tests.families``). The speed is that of
the gradient of 16 chats (twelve families) with a shared opening, at hidden size 128, on one thread: how many times as fast as transformers
and PEFT on one padded batch (CPU seconds, the fastest of three).
"""

import argparse
import multiprocessing
import platform
import re
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests import families

TIMED = ("deepseek_v3", "falcon", "gemma2", "gemma3_text", "gpt_oss", "lfm2", "llama", "mamba", "mistral", "mixtral",
         "qwen3", "qwen3_5_text")  # fmt: skip
BEGIN, END = "<!-- families: begin -->", "<!-- families: end -->"
ASKED = "we will send your label today please write again the parcel is at a depot counter "


def fastest(work: Callable[[], Any]) -> float:
    spent = []
    for _ in range(3):
        begun = time.process_time()
        work()
        spent.append(time.process_time() - begun)
    return min(spent)


def speed(family: str, folder: Path) -> float:
    import torch
    from peft import get_peft_model
    from transformers import AutoModelForCausalLM

    from assets.adapter.engine.learner import Learner
    from assets.adapter.recipe import Recipe
    from assets.adapter.rows.dialogues import Example
    from resources.base_model import load_tokenizer

    base = families.build(family, folder, width=128)
    tokenizer = load_tokenizer(base)
    turns = [[{"role": "user", "content": ASKED + "thank you " * (1 + at % 5)},
              {"role": "assistant", "content": "sorry, the label is at the counter " * (1 + at % 3)}] for at in range(16)]  # fmt: skip
    ids = [tokenizer.apply_chat_template(chat, tokenize=True, return_dict=False) for chat in turns]
    starts = [
        len(tokenizer.apply_chat_template(chat[:1], add_generation_prompt=True, tokenize=True, return_dict=False))
        for chat in turns
    ]
    examples = [
        Example(str(at), tuple(row), ((start, len(row)),))
        for at, (row, start) in enumerate(zip(ids, starts, strict=True))
    ]
    learner = Learner(base, Recipe(rank=4, dtype="float32"))
    own: Any = get_peft_model(
        AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), next(iter(learner.model.peft_config.values()))
    )
    own.train()
    width = max(map(len, ids))
    padded = torch.tensor([row + [0] * (width - len(row)) for row in ids])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in ids])
    labels = padded.clone()
    for row, start, tokens in zip(labels, starts, ids, strict=True):
        row[:start] = row[len(tokens) :] = -100

    def step() -> None:
        own(input_ids=padded, attention_mask=mask, labels=labels, use_cache=False).loss.backward()

    usual = fastest(step)
    return usual / fastest(lambda: learner.accumulate(examples, 0))


def row(family: str) -> tuple[families.Found, str]:
    """What was found of a family, and its line of the table."""
    import torch

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder, families.quietly():
        found = families.measure(family, Path(folder) / "exact")
        try:
            times = f"{speed(family, Path(folder) / 'wide'):.1f}" if found.form and family in TIMED else ""
        except Exception:  # a shape that this width does not allow
            times = "–"
    if found.unbuilt or found.refused:
        said = f"not tried: {found.unbuilt}" if found.unbuilt else f"refused: {found.refused}"
        said = re.sub(r"/\S+/", "", said).replace("|", "/")
        return found, f"| `{found.family}` | {said[:160]} | | | | |"
    verdict = "" if found.right else "**differs** "
    figures = f"{found.score:.0e} | {found.gradient:.0e} | {times}"
    return found, f"| `{found.family}` | {verdict}{found.form} | {found.decoding} | {figures} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("families", nargs="*", metavar="FAMILY")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--write", type=Path, help="put the table between its marks in this file")
    given = parser.parse_args()
    import transformers

    rows, all_found = [], []
    with ProcessPoolExecutor(given.processes, multiprocessing.get_context("spawn")) as pool:
        for found, text in pool.map(row, given.families or families.families()):
            all_found.append(found)
            rows.append(text)
            print(text, flush=True)
    counts = {form: sum(found.form == form for found in all_found) for form in ("packed", "padded", "single")}
    refused, unbuilt = (sum(bool(getattr(found, name)) for found in all_found) for name in ("refused", "unbuilt"))
    wrong = [found.family for found in all_found if not found.unbuilt and not found.right]
    table = "\n".join([
        f"transformers {transformers.__version__}, {len(all_found)} families: {counts['packed']} packed, {counts['padded']} padded, "
        f"{counts['single']} single, {refused} refused, {unbuilt} not tried, {len(wrong)} that differ. "
        f"{platform.machine()}, one thread, {datetime.now(UTC):%Y-%m-%d}.",
        "", "| family | form | generation | log-probability off by | gradient off by | times as fast |", "|---|---|---|---|---|---|", *rows,
    ])  # fmt: skip
    if given.write:
        text = given.write.read_text(encoding="utf-8")
        before, rest = text.split(BEGIN)
        given.write.write_text(f"{before}{BEGIN}\n{table}\n{END}{rest.split(END)[1]}", encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
