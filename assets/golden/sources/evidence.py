"""A team's own benchmarks as paired evidence: result files of lm-evaluation-harness and logs of Inspect.

A golden folder may hold two folders, ``base/`` and ``adapter/``, with the files of the same benchmarks run on both::

    samples_TASK_DATE.jsonl   lm-evaluation-harness with --log_samples: a line an item, with ``doc_hash`` and metrics
    *.json, *.eval            Inspect logs (https://inspect.aisi.org.uk/eval-logs.html): one JSON, or a zip of samples

Neither package is needed to read them. Items are paired by benchmark, metric and what identifies the item: the digest
of the document, or Inspect's sample id. Epochs of one item are averaged; filters, and parts of a score, are kept apart.
An item that only one side has is counted, not guessed. A metric without a number an item (BLEU is of the whole set) is
left out; a file that has no other is refused, and so are two files of one benchmark.
"""

import contextlib
import json
import math
import re
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assets.golden.inference.statistics import Change, paired_means, paired_proportions
from resources.errors import InputError

SIDES = ("base", "adapter")
INSPECT_VALUES = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}  # correct, partially, incorrect, no answer
LOWER_IS_BETTER = re.compile(r"perplexity|bits_per_byte|loss|ter\b|brier", re.IGNORECASE)
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile)
Value = tuple[str, str, str, float]  # benchmark, metric, item, value
Values = dict[tuple[str, str], dict[str, list[float]]]  # (benchmark, metric) -> item -> values


@dataclass(frozen=True, slots=True)
class Evidence:
    """One metric of one benchmark. ``unpaired`` counts the items that only one side has."""

    benchmark: str
    metric: str
    change: Change
    unpaired: int

    @property
    def name(self) -> str:
        return f"{self.benchmark}/{self.metric}"

    @property
    def lower_is_better(self) -> bool:
        return bool(LOWER_IS_BETTER.search(self.metric))


def has_evidence(golden: Path | None) -> bool:
    return golden is not None and any((golden / side).is_dir() for side in SIDES)


def read_evidence(golden: Path, alpha: float) -> list[Evidence]:
    """The paired changes; ``InputError`` names the file, the line and what is wrong with it."""
    sides = [_side(golden / side) for side in SIDES]
    found = []
    for key in sorted(sides[0].keys() | sides[1].keys()):
        base, adapter = (side.get(key, {}) for side in sides)
        both = sorted(base.keys() & adapter.keys())
        if not both:
            raise InputError(
                f"{'/'.join(key)}: base and adapter share no item; run the same items on both",
                object_key=str(golden), rule="evidence-paired",
            )  # fmt: skip
        before, after = ([sum(side[item]) / len(side[item]) for item in both] for side in (base, adapter))
        if set(before) | set(after) <= {0.0, 1.0}:
            change = paired_proportions([x == 1 for x in before], [x == 1 for x in after], alpha=alpha)
        else:
            change = paired_means(before, after, alpha=alpha)
        found.append(Evidence(*key, change, len(base.keys() ^ adapter.keys())))
    return found


def _side(folder: Path) -> Values:
    if not folder.is_dir():
        raise InputError(
            "evidence needs two folders, base and adapter, of the same benchmarks",
            object_key=str(folder), rule="evidence-paired",
        )  # fmt: skip
    values: Values = defaultdict(lambda: defaultdict(list))
    whence: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix not in READERS or not path.is_file():
            continue
        with _named(path):
            read = list(READERS[path.suffix](path))
        for benchmark, metric, item, value in read:
            if whence.setdefault(benchmark, path) != path:
                raise InputError(
                    f"{whence[benchmark].name} holds results of {benchmark}, too: keep one run of it",
                    object_key=str(path), rule="evidence-paired",
                )  # fmt: skip
            values[benchmark, metric][item].append(value)
    if not values:
        raise InputError(
            "holds no sample of lm-evaluation-harness (run it with --log_samples) and no Inspect log",
            object_key=str(folder), rule="evidence-readable",
        )  # fmt: skip
    return values


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    """What is broken within a file is an ``InputError`` that names it."""
    try:
        yield
    except _UNREADABLE as error:
        raise InputError(
            "is no sample file of lm-evaluation-harness" if path.suffix == ".jsonl" else "is no Inspect log",
            object_key=str(path), rule="evidence-readable",
        ) from error  # fmt: skip


def _harness(path: Path) -> Iterator[Value]:
    """Every value of every line of a samples file."""
    task = re.sub(r"^samples_|_\d{4}-\d\d-\d\dT[\d.:-]+$", "", path.stem)
    found = False
    with path.open(encoding="utf-8") as stream:
        for line, text in enumerate(stream, 1):
            if not text.strip():
                continue
            try:
                body = json.loads(text)
                item, metrics = str(body.get("doc_hash") or body["doc_id"]), list(body["metrics"])
            except _UNREADABLE as error:
                raise InputError(
                    "is no sample of lm-evaluation-harness (doc_hash and metrics)",
                    object_key=str(path), line=line, rule="evidence-readable",
                ) from error  # fmt: skip
            kept = body.get("filter", "none")
            for metric in metrics:
                value = _number(body.get(metric))
                if value is not None:
                    found = True
                    yield task, metric if kept == "none" else f"{metric},{kept}", item, value
    if not found:
        raise InputError("no metric has a number an item", object_key=str(path), rule="evidence-readable")


def _inspect(path: Path) -> Iterator[Value]:
    """Every number of every scored sample; a results file of the harness has none."""
    header, samples = _log(path)
    if header is None:
        return
    if header.get("status") != "success":
        raise InputError(
            f"the run has not succeeded: {header.get('status')}", object_key=str(path), rule="evidence-readable"
        )
    task, found = str(header["eval"]["task"]), False
    for sample in samples:
        for scorer, score in (sample.get("scores") or {}).items():
            given = score.get("value")
            for part, number in given.items() if isinstance(given, dict) else [("", given)]:
                value = _number(number)
                if value is not None:
                    found = True
                    yield task, f"{scorer}/{part}" if part else scorer, str(sample["id"]), value
    if not found:
        raise InputError("no sample has a score that is a number", object_key=str(path), rule="evidence-readable")


def _log(path: Path) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    if path.suffix == ".eval":
        try:
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
                if "header.json" not in names:  # it is written last
                    raise InputError("the run has not ended", object_key=str(path), rule="evidence-readable")
                samples = [name for name in names if re.fullmatch(r"samples/.+\.json", name)]
                return json.loads(archive.read("header.json")), [json.loads(archive.read(name)) for name in samples]
        except NotImplementedError as error:
            raise InputError(
                "is packed in a way that this Python does not unpack: `inspect log convert --to json` does",
                object_key=str(path), rule="evidence-readable",
            ) from error  # fmt: skip
    body = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(body, dict) or "eval" not in body:  # the totals of lm-evaluation-harness lie beside its samples
        return None, []
    return body, list(body.get("samples") or [])


READERS = {".jsonl": _harness, ".json": _inspect, ".eval": _inspect}


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        return INSPECT_VALUES.get(value)
    if isinstance(value, bool | int | float) and math.isfinite(value):
        return float(value)
    return None
