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

from assets.golden.statistics import share_interval
from assets.record import Record
from resources.artifacts import Metric

CONTROL = Path(__file__).parent / "items" / "control.yaml"
NO_ROWS = "no row has an answer in which the control could be planted"


@dataclass(frozen=True, slots=True)
class Control:
    """``found`` of ``planted`` rows that unlearn refusals, ``spared`` of ``clean`` ones that look like it."""

    found: int = 0
    planted: int = 0
    spared: int = 0
    clean: int = 0

    def metrics(self) -> dict[str, Metric]:
        shares = {
            "unlearning_control_found": (self.found, self.planted),
            "unlearning_control_spared": (self.spared, self.clean),
        }
        return {name: _share(hits, n) for name, (hits, n) in shares.items()}

    def to_json(self) -> dict[str, int]:
        return {"found": self.found, "planted": self.planted, "spared": self.spared, "clean": self.clean}


def _share(hits: int, n: int) -> Metric:
    return Metric(hits / n, n, *share_interval(hits, n)) if n else Metric(None, 0, missing=NO_ROWS)


def planted(records: Sequence[Record], seed: int) -> tuple[list[Record], list[bool]]:
    """Copies of ``records`` with a sentence planted in each, and whether each must be found."""
    texts: dict[str, list[str]] = yaml.safe_load(CONTROL.read_text(encoding="utf-8"))
    rng = random.Random(seed)
    wanted = [(text, rng.choice(texts["openings"]), True) for text in texts["harmful"] + texts["orders"]]
    wanted += [(text, rng.choice(texts["openings"]), False) for text in texts["harmless"] + texts["roles"]]
    wanted += [(text, rng.choice(texts["refusals"]), False) for text in texts["harmful"]]
    hosts = [record for record in records if record.response()]
    if not hosts:
        return [], []
    copies = [_with(rng.choice(hosts), text, opening, declined) for text, opening, declined in _marked(wanted, texts)]
    return copies, [bad for _, _, bad in wanted]


def _marked(wanted: list[tuple[str, str, bool]], texts: dict[str, list[str]]) -> list[tuple[str, str, bool]]:
    return [(text, opening, opening in texts["refusals"]) for text, opening, _ in wanted]


def _with(record: Record, text: str, opening: str, declined: bool) -> Record:
    """``record`` as a dialogue in which ``text`` is said before the last answer; a refusal is the whole answer."""
    turns: list[dict[str, Any]] = [
        {"role": turn.role, "content": turn.content} for turn in record.messages() if turn.role in ("user", "assistant")
    ]
    last = max(number for number, turn in enumerate(turns) if turn["role"] == "assistant")
    turns[last]["content"] = opening if declined else f"{opening} {turns[last]['content']}"
    turns.insert(last, {"role": "user", "content": text})
    return replace(record, fields={"messages": turns[: last + 2]}, columns={})
