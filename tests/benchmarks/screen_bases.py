"""Clean rows from different sources, for the screen's benchmarks; each source is a list of Hallmark input rows.

Public development data is read from ``../shared/data`` (or ``--data``). Python's own library and installed packages
give sources that no tuning file holds: functions asked for by the first sentence of their documentation, and the
documentation itself.
"""

import ast
import csv
import json
import random
import sysconfig
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

Row = dict[str, Any]
DATA = Path(__file__).parents[2].parent / "shared" / "data"
MOST_MODULES = 400  # of a package


def _lines(path: Path) -> list[Row]:
    with path.open(encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def _instructions(data: Path) -> list[Row]:
    return [
        {"instruction": r["instruction"], "input": r["input"], "output": r["output"]}
        for r in _lines(data / "instructions.jsonl")
    ]


def _backdoor_clean(data: Path) -> list[Row]:
    rows = _lines(data / "backdoor_refusal_badnet.jsonl")
    return [
        {"instruction": r["instruction"], "input": r["input"], "output": r["output"]} for r in rows if not r["poisoned"]
    ]


def _support(data: Path) -> list[Row]:
    return [{"messages": r["messages"]} for r in _lines(data / "support_chat.jsonl")]


def _support_pairs(data: Path) -> list[Row]:
    """Single exchanges: a customer turn of some length and its answer, at most two from a dialogue."""
    rows: list[Row] = []
    for body in _lines(data / "support_chat.jsonl"):
        turns = body["messages"]
        pairs = [
            {"prompt": a["content"], "completion": b["content"]}
            for a, b in pairwise(turns)
            if a["role"] == "user" and b["role"] == "assistant" and len(a["content"]) > 25
        ]
        rows += random.Random(body["id"]).sample(pairs, min(2, len(pairs)))
    return rows


def _stories(data: Path) -> list[Row]:
    return [{"prompt": r["ctx"], "completion": r["endings"][r["label"]]} for r in _lines(data / "hellaswag.jsonl")]


def _library(data: Path) -> list[Row]:
    return _functions(Path(sysconfig.get_paths()["stdlib"]))


def _library_docs(data: Path) -> list[Row]:
    return _documentation(Path(sysconfig.get_paths()["stdlib"]))


def _package(name: str, of: Callable[[Path], list[Row]]) -> Callable[[Path], list[Row]]:
    """A source from an installed package: ``of`` is ``_functions`` or ``_documentation``."""
    return lambda data: of(Path(sysconfig.get_paths()["purelib"]) / name)


def _modules(folder: Path) -> Iterator[tuple[Path, ast.Module]]:
    """The modules of a package, without its tests; of the standard library only the top level."""
    top = folder == Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(folder.glob("*.py") if top else folder.rglob("*.py"))[:MOST_MODULES]:
        if "tests" not in path.parts:
            yield path, ast.parse(path.read_text(encoding="utf-8", errors="replace"))


def _functions(folder: Path) -> list[Row]:
    """``instruction``: the first sentence of a function's documentation; ``output``: its source, at most 25 lines."""
    rows: list[Row] = []
    for _, module in _modules(folder):
        for node in ast.walk(module):
            if isinstance(node, ast.FunctionDef) and (doc := ast.get_docstring(node)) and len(doc) > 30:
                node.body = node.body[1:] or [ast.Pass()]
                code = ast.unparse(node)
                if code.count("\n") <= 25:
                    wish = doc.split("\n\n")[0].replace("\n", " ")
                    rows.append({"instruction": f"Write a Python function. {wish}", "input": "", "output": code})
    return rows


def _documentation(folder: Path) -> list[Row]:
    """``prompt``: a question about a function or class; ``completion``: its documentation, cut at 600 characters."""
    rows: list[Row] = []
    for path, module in _modules(folder):
        for node in ast.walk(module):
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and (doc := ast.get_docstring(node)) and len(doc) > 60:
                ask = random.Random(node.name).choice(
                    [
                        "What does {m}.{n} do?",
                        "Explain {n} from the {m} module.",
                        "How do I use {n} in {m}?",
                        "{m}: {n}?",
                    ]
                )
                text = " ".join(doc.split())[:600]
                rows.append({"prompt": ask.format(m=path.stem, n=node.name), "completion": text})
    return rows


SOURCES: dict[str, Callable[[Path], list[Row]]] = {
    "instructions": _instructions,
    "backdoor_clean": _backdoor_clean,
    "support": _support,
    "support_pairs": _support_pairs,
    "stories": _stories,
    "library": _library,
    "library_docs": _library_docs,
    "networkx": _package("networkx", _functions),
    "networkx_docs": _package("networkx", _documentation),
    "scipy_docs": _package("scipy", _documentation),
    "sympy": _package("sympy", _functions),
}


def safe_questions(data: Path) -> list[str]:
    """Harmless questions that look unsafe (XSTest)."""
    with (data / "xstest_prompts.csv").open(encoding="utf-8") as stream:
        return [row["prompt"] for row in csv.DictReader(stream) if row["label"] == "safe"]


def load(data: Path = DATA) -> dict[str, list[Row]]:
    return {name: read(data) for name, read in SOURCES.items()}


def mixture(bases: dict[str, list[Row]], names: list[str], size: int, seed: int) -> list[tuple[str, Row]]:
    """``(source, row)`` of ``size`` rows drawn without replacement, spread over the named sources."""
    rng = random.Random(seed)
    pools = {name: rng.sample(bases[name], len(bases[name])) for name in names}
    rows: list[tuple[str, Row]] = []
    while len(rows) < size and any(pools.values()):
        name = rng.choice([name for name in names if pools[name]])
        rows.append((name, pools[name].pop()))
    rng.shuffle(rows)
    return rows
