"""Multiple choice against lm-evaluation-harness: the same items, base and adapter, on the same machine.

    python -m tests.benchmarks.evaluate_choices ADAPTER_DIR [--items 100] [--peer PYTHON] [--data hellaswag.jsonl]

Both give ``acc_norm`` of the base and of the adapter; items/s counts an item once for the pair. lm-evaluation-harness
(extra ``bench``, in the Python that ``--peer`` names) runs its own ``HFLM`` on the same requests, once for each model,
at the better of two batch sizes.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.benchmarks import figures
from tests.benchmarks.figures import Figure

ROOT = Path(__file__).resolve().parents[2]


def run_hallmark(given: argparse.Namespace) -> dict[str, Any]:
    from assets.golden.measures.multiple_choice import read_endings, run_endings
    from resources.language_model import LanguageModel

    items = read_endings(given.data)[: given.items]
    model = LanguageModel.load(given.base, given.adapter)
    started = time.perf_counter()
    change = run_endings(model, items).acc_norm
    return {"seconds": time.perf_counter() - started, "base": change.base, "adapter": change.adapter}


def run_harness(given: argparse.Namespace) -> dict[str, Any]:
    import torch
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    with given.data.open() as stream:
        items = [json.loads(line) for line in stream][: given.items]
    tokenizer = AutoTokenizer.from_pretrained(given.base)
    plain = AutoModelForCausalLM.from_pretrained(given.base, dtype=torch.float32)
    requests = [
        Instance("loglikelihood", {}, (item["ctx"], f" {ending}"), place)
        for item in items
        for place, ending in enumerate(item["endings"])
    ]
    seconds, accuracy = 0.0, {}
    for name in ("base", "adapter"):
        inner = plain if name == "base" else PeftModel.from_pretrained(plain, str(given.adapter))
        harness = HFLM(pretrained=inner.eval(), tokenizer=tokenizer, batch_size=given.batch, device="cpu")
        started = time.perf_counter()
        scores = iter(harness.loglikelihood(requests, disable_tqdm=True))
        seconds += time.perf_counter() - started
        right = 0
        for item in items:
            row = [next(scores)[0] / len(ending.encode()) for ending in item["endings"]]
            right += row.index(max(row)) == item["label"]
        accuracy[name] = right / len(items)
    return {"seconds": seconds, **accuracy}


def child(given: argparse.Namespace, name: str, batch: int) -> dict[str, Any]:
    python = given.peer if name == "harness" else sys.executable
    command = [
        str(python),
        "-m",
        "tests.benchmarks.evaluate_choices",
        str(given.adapter),
        "--one",
        name,
        "--items",
        str(given.items),
    ]
    command += ["--data", str(given.data), "--base", str(given.base), "--batch", str(batch)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    body: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    speed = given.items / body["seconds"]
    print(
        f"{name:9} batch {batch:3}  {speed:6.2f} items/s  base {body['base']:.3f}  adapter {body['adapter']:.3f}",
        flush=True,
    )
    return body


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("adapter", type=Path)
    parser.add_argument("--items", type=int, default=100)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "hellaswag.jsonl")
    parser.add_argument("--base", type=Path)
    parser.add_argument("--peer", type=Path, default=Path(sys.executable))
    parser.add_argument("--one")
    parser.add_argument("--batch", type=int, default=8)
    figures.option(parser)
    given = parser.parse_args()
    if given.base is None:
        from resources.base_model import bundled_base
        from resources.workspace import Workspace

        given.base = bundled_base(Workspace.locate().models)
    if given.one:
        print(json.dumps(run_hallmark(given) if given.one == "hallmark" else run_harness(given)))
        return
    ours = child(given, "hallmark", 0)
    theirs = min((child(given, "harness", batch) for batch in (8, 32)), key=lambda body: float(body["seconds"]))
    sides = (("Hallmark", ours), ("lm-evaluation-harness", theirs))
    figures.write(
        given.json,
        [
            figure
            for side, body in sides
            for figure in (
                Figure("items a second, base and adapter", given.items / body["seconds"], side, unit="items/s"),
                Figure("acc_norm, base", body["base"], side, unit="share"),
                Figure("acc_norm, adapter", body["adapter"], side, unit="share"),
            )
        ],
    )
    print(f"{theirs['seconds'] / ours['seconds']:.2f} times the items/s of lm-evaluation-harness")


if __name__ == "__main__":
    main()
