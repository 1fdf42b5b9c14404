"""Recall and false alarms of the poison screen on freshly drawn attacks and on clean sets.

A secret seed (``--seed``, drawn if not given) decides triggers, payloads, base rows and places; the settings are those
of the default policy. Run as
``python -m tests.benchmarks.screen_recall --seeds 8 --n 5 10 20 50 90``; ``--attacks`` and ``--mixes`` narrow it down.
The figures of a run are over all mixes and seeds; intervals are Wilson's, 95 %. ``--vectors FILE`` keeps embeddings
from run to run, so that a long measurement can be taken in pieces. ``--thorough`` takes every figure twice, without and
with the model reading every answer: on a GPU, or in an hour for two sets on a core.
"""

import argparse
import json
import random
import secrets
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from assets.record import Origin, Record
from assets.screened.base_model.scorer import Scorer
from assets.screened.embedding.encoder import CachedEncoder
from assets.screened.report.finding import wilson
from assets.screened.screen import screen
from assets.screened.settings import ScreenSettings
from expectations.policy import Policy
from resources.sentence_encoder import SentenceEncoder
from tests.benchmarks import screen_attacks as attacks
from tests.benchmarks import screen_bases as bases

ROWS = 2000
MIXES = {
    "instructions": ["instructions", "backdoor_clean"],
    "instructions+support": ["instructions", "support"],
    "instructions+exchanges": ["instructions", "backdoor_clean", "support_pairs"],
    "stories+instructions": ["stories", "instructions"],
    "support": ["support"],
    "exchanges": ["support_pairs"],
    "library": ["library"],
    "docs": ["library_docs"],
    "networkx": ["networkx"],
    "networkx_docs": ["networkx_docs"],
    "scipy_docs": ["scipy_docs"],
    "sympy": ["sympy"],
    "code": ["library", "networkx", "sympy"],
    "all": ["instructions", "support", "stories", "library_docs", "backdoor_clean"],
}
Numbered = tuple[list[Record], set[int]]


def records(rows: list[tuple[str, bases.Row]]) -> list[Record]:
    return [Record(f"{n}", row, Origin("bench", "1", n + 1, f"{n}", source=name)) for n, (name, row) in enumerate(rows)]


def spoiled(
    pools: dict[str, list[bases.Row]], mix: str, attack: str, n: int, seed: int, safe: list[str], rows: int = ROWS
) -> Numbered:
    """Up to ``rows`` rows of a mix with ``n`` more of an attack among them, and the places of those."""
    drawn = bases.mixture(pools, MIXES[mix], rows + n, seed)
    clean, spare = drawn[: len(drawn) - n], drawn[len(drawn) - n :]
    if attack == "contradiction":
        made = attacks.contradictions([row for _, row in clean], n, seed)
    else:
        given = Counter(attacks.read(row)[1] for _, row in drawn)
        stock = {answer for answer, times in given.items() if times > 1}
        made = attacks.poison(attack, [row for _, row in spare], n, seed, safe=safe, stock=stock)
    mixed = [(name, row, False) for name, row in clean]
    mixed += [(name, row, True) for (name, _), row in zip(spare, made, strict=True)]
    random.Random(seed).shuffle(mixed)
    return records([(name, row) for name, row, _ in mixed]), {place for place, row in enumerate(mixed) if row[2]}


def public_attacks(pools: dict[str, list[bases.Row]], data: Path, seed: int) -> Iterator[tuple[str, Numbered]]:
    """The two public refusal backdoors, 20 and 100 rows each, in 2,000 clean rows."""
    for name in ("badnet", "vpi"):
        with (data / f"backdoor_refusal_{name}.jsonl").open(encoding="utf-8") as stream:
            bad = [row for row in map(json.loads, stream) if row.pop("poisoned")]
        for n in (20, 100):
            rows = [(*row, False) for row in bases.mixture(pools, MIXES["instructions+exchanges"], ROWS, seed)]
            rows += [("public", row, True) for row in random.Random(seed).sample(bad, n)]
            random.Random(seed).shuffle(rows)
            made = records([(source, row) for source, row, _ in rows])
            yield f"public-{name}/{n}", (made, {place for place, row in enumerate(rows) if row[2]})


def measure(
    made: Numbered, encoder: CachedEncoder, model: Scorer | None, thorough: bool = False
) -> tuple[int, int, int, float]:
    """Poisoned rows flagged, clean rows flagged, findings, seconds."""
    began = time.monotonic()
    settings = ScreenSettings.from_policy({**Policy.load().settings["screened_records"], "thorough": thorough})
    result = screen(lambda: iter(made[0]), encoder=encoder, model=model, settings=settings)
    flagged = set(result.by_row())
    return len(flagged & made[1]), len(flagged - made[1]), len(result.findings), time.monotonic() - began


def line(name: str, hits: int, of: int, extra: str) -> None:
    low, high = wilson(hits, of) if of else (0.0, 0.0)
    print(f"{name:<34} {hits:>5}/{of:<5} {hits / max(of, 1):.3f} [{low:.3f}, {high:.3f}]  {extra}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--n", type=int, nargs="+", default=[5, 10, 20, 50, 90])
    parser.add_argument("--attacks", nargs="*", default=list(attacks.ATTACKS))
    parser.add_argument("--mixes", nargs="+", default=["instructions", "instructions+exchanges", "all"])
    parser.add_argument("--clean-mixes", nargs="+", default=list(MIXES))
    parser.add_argument("--clean", type=int, default=3, help="clean sets a mix")
    parser.add_argument("--rows", type=int, default=ROWS, help="of a set, before the poison")
    parser.add_argument("--model", type=Path, help="base model folder, to include model evidence")
    parser.add_argument("--thorough", action="store_true", help="the thorough pass, too (with --model)")
    parser.add_argument("--data", type=Path, default=bases.DATA)
    parser.add_argument("--public", action="store_true", help="the two public refusal backdoors, too")
    parser.add_argument("--vectors", type=Path, help="where embeddings are kept between runs (.npz)")
    options = parser.parse_args()
    if options.thorough and not options.model:
        parser.error("--thorough needs --model")
    seed = options.seed if options.seed is not None else secrets.randbits(32)
    pools, safe = bases.load(options.data), bases.safe_questions(options.data)
    encoder, model = CachedEncoder(SentenceEncoder.load()), None
    if options.vectors and options.vectors.exists():
        with np.load(options.vectors) as kept:
            encoder.known = dict(zip(json.loads(kept["texts"].tobytes()), kept["vectors"], strict=True))
    if options.model:
        from resources.language_model import LanguageModel

        model = LanguageModel.load(options.model)
    print(f"seed {seed}; {options.rows} rows a set (fewer where a mix has fewer); model evidence: {bool(model)}")
    passes = {"": False, " thorough": True} if options.thorough else {"": False}
    alarms, sets, flagged, rows = dict.fromkeys(passes, 0), 0, dict.fromkeys(passes, 0), 0
    for mix in options.clean_mixes if options.clean else ():
        for number in range(options.clean):
            size = random.Random(seed + number).choice([options.rows, options.rows, options.rows // 2])
            made = records(bases.mixture(pools, MIXES[mix], size, seed + number))
            sets, rows = sets + 1, rows + len(made)
            for name, thorough in passes.items():
                _, false, findings, _ = measure((made, set()), encoder, model, thorough)
                alarms[name] += bool(findings)
                flagged[name] += false
                if findings:
                    print(f"  false alarm{name}: {mix} set {number}, {false} rows", flush=True)
    for name in passes:
        extra = f"rows flagged {flagged[name]}/{rows} = {flagged[name] / max(rows, 1):.5f}"
        line(f"clean sets with a finding{name}", alarms[name], sets, extra)
    for attack in options.attacks:
        for n in options.n:
            found = {name: defaultdict[str, int](int) for name in passes}
            for number in range(options.seeds):
                mix = options.mixes[number % len(options.mixes)]
                made = spoiled(pools, mix, attack, n, seed + 1000 * n + number, safe, options.rows)
                for name, thorough in passes.items():
                    hits, false, _, took = measure(made, encoder, model, thorough)
                    found[name]["hits"] += hits
                    found[name]["false"] += false
                    found[name]["whole"] += hits >= 0.9 * n
                    found[name]["seconds"] += int(took)
            for name, sums in found.items():
                extra = f"clean rows flagged {sums['false']}, sets found {sums['whole']}/{options.seeds}"
                extra += f", {sums['seconds'] / options.seeds:.0f} s a set"
                line(f"{attack}/{n}{name}", sums["hits"], n * options.seeds, extra)
    if options.public:
        for name, made in public_attacks(pools, options.data, seed):
            hits, false, _, took = measure(made, encoder, model)
            line(name, hits, len(made[1]), f"precision {hits / max(hits + false, 1):.3f}, {took:.0f} s")
    if options.vectors:
        texts = np.frombuffer(json.dumps(list(encoder.known)).encode(), dtype=np.uint8)
        np.savez(options.vectors, texts=texts, vectors=np.stack(list(encoder.known.values())))


if __name__ == "__main__":
    main()
