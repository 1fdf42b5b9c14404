"""The control of every run (law 5): rows that unlearn refusals, planted in copies of the drop's own, must be found.

A copy gets one sentence before its last answer and an opening on that answer. With a harmful request or an order to
obey it must be found; with a harmless look-alike, or with a harmful request that the answer declines, it must not.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from assets.golden.inference.statistics import share_interval
from assets.record import Record
from assets.screened.safety.evidence import Refusals
from resources.artifacts import Metric

CONTROL = Path(__file__).parent / "items" / "control.yaml"
NO_ROWS = "no row has an answer in which the control could be planted"
FOUND = {"harmful": "harmful requests that are answered", "orders": "orders to obey without limits"}
SPARED = {"harmless": "harmless requests that share their words", "roles": "ordinary roles", "declined": "refusals"}
ENOUGH_FOUND, ENOUGH_SPARED = 0.6, 0.8  # of all kinds; fewer prove little about a drop like this,
LEAST = 0.6  # and so does less than this of one kind


@dataclass(frozen=True, slots=True)
class Control:
    """``by_kind``: for each kind of ``FOUND`` and ``SPARED`` how many copies were judged rightly, and of how many."""

    by_kind: tuple[tuple[str, int, int], ...] = ()

    @property
    def found(self) -> int:
        return sum(hits for kind, hits, _ in self.by_kind if kind in FOUND)

    @property
    def planted(self) -> int:
        return sum(n for kind, _, n in self.by_kind if kind in FOUND)

    @property
    def spared(self) -> int:
        return sum(hits for kind, hits, _ in self.by_kind if kind in SPARED)

    @property
    def clean(self) -> int:
        return sum(n for kind, _, n in self.by_kind if kind in SPARED)

    def metrics(self) -> dict[str, Metric]:
        """Both shares. One that proves too little of some kind says of which; one that is zero needs no such word."""
        weak = "only {hits} of {n} {what}, planted in copies of this drop's rows, were {how}"
        return {
            "unlearning_control_found": _share(
                self.found, self.planted, self._weak(FOUND, ENOUGH_FOUND, weak, "found")
            ),
            "unlearning_control_spared": _share(
                self.spared, self.clean, self._weak(SPARED, ENOUGH_SPARED, weak, "spared")
            ),
        }

    def _weak(self, names: dict[str, str], enough: float, sentence: str, how: str) -> str:
        here = [(names[kind], hits, n) for kind, hits, n in self.by_kind if kind in names]
        all_right = sum(hits for _, hits, _ in here) >= enough * sum(n for _, _, n in here)
        here = [each for each in here if each[1] < (LEAST if all_right else enough) * each[2]]
        return "; ".join(sentence.format(hits=hits, n=n, what=what, how=how) for what, hits, n in here)

    def to_json(self) -> dict[str, Any]:
        kinds = {kind: {"right": hits, "of": n} for kind, hits, n in self.by_kind}
        return {
            "found": self.found, "planted": self.planted, "spared": self.spared, "clean": self.clean, "kinds": kinds,
        }  # fmt: skip


def _share(hits: int, n: int, weak: str) -> Metric:
    if not n:
        return Metric(None, 0, missing=NO_ROWS)
    return Metric(hits / n, n, *share_interval(hits, n), missing=weak if hits else "")


def counted(kinds: Sequence[str], found: Sequence[bool]) -> Control:
    """The control of a run in which the copies were of these ``kinds`` and were ``found`` or not."""
    told = []
    for kind in dict.fromkeys(kinds):
        right = [hit == (kind in FOUND) for hit, each in zip(found, kinds, strict=True) if each == kind]
        told.append((kind, sum(right), len(right)))
    return Control(tuple(told))


def planted(records: Sequence[Record], seed: int, refusals: Refusals | None = None) -> tuple[list[Record], list[str]]:
    """Copies of ``records`` with a sentence planted in each, and the kind of each: of ``FOUND`` or of ``SPARED``.

    A copy keeps its own answer after the opening, but for one that ``refusals`` says declines: that would not comply.
    """
    texts: dict[str, list[str]] = yaml.safe_load(CONTROL.read_text(encoding="utf-8"))
    rng = random.Random(seed)
    hosts = [record for record in records if record.response()]
    if not hosts:
        return [], []
    wanted = [(kind, text) for kind in (*FOUND, *SPARED) for text in texts["harmful" if kind == "declined" else kind]]
    drawn = [rng.choice(hosts) for _ in wanted]
    declines = refusals.refuses([host.response() for host in drawn]) if refusals else [False] * len(drawn)
    copies = []
    for (kind, text), host, own in zip(wanted, drawn, declines, strict=True):
        opening = rng.choice(texts["refusals" if kind == "declined" else "openings"])
        copies.append(_with(host, text, opening, kind == "declined" or (own and kind in FOUND)))
    return copies, [kind for kind, _ in wanted]


def _with(record: Record, text: str, opening: str, whole: bool) -> Record:
    """``record`` as a dialogue in which ``text`` is said before the last answer, which begins with ``opening``;
    ``whole``: and ends with it."""
    turns: list[dict[str, Any]] = [
        {"role": turn.role, "content": turn.content} for turn in record.messages() if turn.role in ("user", "assistant")
    ]
    last = max(number for number, turn in enumerate(turns) if turn["role"] == "assistant")
    turns[last]["content"] = opening if whole else f"{opening} {turns[last]['content']}"
    turns.insert(last, {"role": "user", "content": text})
    return replace(record, fields={"messages": turns[: last + 2]}, columns={})
