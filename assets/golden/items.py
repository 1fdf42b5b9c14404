"""The golden set: what is asked of base and adapter, item by item.

The set that ships lies beside this module in ``items/``, one JSON Lines file a suite; ``--golden`` names a file or a
folder of such files instead. An item is one object::

    {"id": "task-001", "suite": "task", "category": "billing", "prompt": "...", "reference": "..."}

    suite        needs                    what is measured
    task         reference                likelihood of the reference answer; overlap of the own answer with it
    passage      reference                likelihood of general text (perplexity)
    choice       choices, answer          the likeliest of the options is the right one
    instruction  checks                   the answer does what was asked (see ``assets.golden.measures.checks``)
    harmful      –                        refusals; the items are requests only, no answer to one is shipped or kept
    harmless     –                        refusals of requests that only look harmful
    edge         –                        the answer is coherent
    injection    marker                   the answer does not obey text that was only to be worked on
    tool         tools, choices, answer   the likeliest of the actions, calls and texts, is the right one

``messages`` may stand in place of ``prompt`` for a conversation. ``"stakes": "high"`` marks an item that the adapter
may not lose at all: such items are asked first and counted one by one.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assets.golden.sources.evidence import has_evidence
from resources.digests import digest_json
from resources.errors import InputError

SHIPPED = Path(__file__).parent / "items"
NEEDS: dict[str, tuple[str, ...]] = {
    "task": ("reference",),
    "passage": ("reference",),
    "choice": ("choices", "answer"),
    "instruction": ("checks",),
    "harmful": (),
    "harmless": (),
    "edge": (),
    "injection": ("marker",),
    "tool": ("tools", "choices", "answer"),
}


ACTIONS = 'choices are at least two actions: a text, or {"call": {"name": ..., "arguments": {...}}}'


@dataclass(frozen=True, slots=True)
class Item:
    id: str
    suite: str
    category: str
    messages: tuple[dict[str, Any], ...]
    reference: str = ""
    choices: tuple[str, ...] = ()
    answer: int = -1
    marker: str = ""
    checks: dict[str, Any] = field(default_factory=dict)
    high_stakes: bool = False
    tools: tuple[dict[str, Any], ...] = ()
    actions: tuple[Any, ...] = ()

    @property
    def prompt(self) -> str:
        return str(self.messages[-1]["content"])


@dataclass(frozen=True, slots=True)
class GoldenSet:
    """``digest`` is of the items themselves, in order."""

    suites: dict[str, tuple[Item, ...]]
    digest: str

    @property
    def size(self) -> int:
        return sum(len(items) for items in self.suites.values())

    def sample(self, most: int) -> "GoldenSet":
        """At most ``most`` items a suite (0: all), the same ones every time, spread over the categories."""
        if not most:
            return self
        return GoldenSet({name: _first(items, most) for name, items in self.suites.items()}, self.digest)


def load_golden(path: Path | None = None) -> GoldenSet:
    """The shipped set, or the user's own; ``InputError`` names the line that is no item.

    A folder that holds nothing but results of other benchmarks is tried beside the shipped set.
    """
    own = path is not None and (path.is_file() or any(path.glob("*.jsonl")) or not has_evidence(path))
    source = path if own and path else SHIPPED
    files = sorted(source.glob("*.jsonl")) if source.is_dir() else [source]
    bodies = [(file.name, line, body) for file in files for line, body in _lines(file)]
    if not bodies:
        raise InputError("holds no items", object_key=str(source), rule="golden-set")
    suites: dict[str, list[Item]] = defaultdict(list)
    seen: set[str] = set()
    for name, line, body in bodies:
        item = _item(name, line, body)
        if item.id in seen:
            raise InputError(f"{item.id} occurs twice", object_key=name, line=line, rule="golden-set")
        seen.add(item.id)
        suites[item.suite].append(item)
    ordered = {name: tuple(suites[name]) for name in NEEDS if name in suites}
    return GoldenSet(ordered, digest_json([body for _, _, body in bodies]))


def _lines(file: Path) -> Iterable[tuple[int, Any]]:
    try:
        with file.open(encoding="utf-8") as stream:
            for line, text in enumerate(stream, 1):
                if text.strip():
                    yield line, json.loads(text)
    except OSError as error:
        raise InputError(str(error.strerror), object_key=str(file), rule="golden-readable") from error
    except ValueError as error:
        raise InputError("is not JSON Lines in UTF-8", object_key=file.name, rule="golden-readable") from error


def _item(name: str, line: int, body: Any) -> Item:
    def need(holds: bool, why: str) -> None:
        if not holds:
            raise InputError(why, object_key=name, line=line, rule="golden-set")

    need(isinstance(body, dict), "an item is an object")
    suite = body.get("suite")
    need(suite in NEEDS, f"suite is one of {', '.join(NEEDS)}")
    for key in NEEDS[suite]:
        need(key in body, f"a {suite} item has {key}")
    messages = body.get("messages") or [{"role": "user", "content": body.get("prompt")}]
    whole = isinstance(messages, list) and all(
        isinstance(turn, dict) and isinstance(turn.get("role"), str) and isinstance(turn.get("content"), str)
        for turn in messages
    )
    need(whole, "prompt is text, or messages are turns of role and content")
    choices, answer = body.get("choices", ()), body.get("answer", -1)
    actions, tools = (choices, body["tools"]) if suite == "tool" else ((), ())
    if suite == "tool":
        choices = ()
        need(isinstance(actions, list) and len(actions) >= 2 and all(map(_is_action, actions)), ACTIONS)
        need(isinstance(answer, int) and 0 <= answer < len(actions), "answer is the number of a choice, from 0")
        named = isinstance(tools, list) and all(isinstance(tool, dict) and tool.get("name") for tool in tools)
        need(named and bool(tools), "tools are objects with a name, a description and parameters")
    if suite == "choice":
        texts = isinstance(choices, list) and all(isinstance(choice, str) and choice for choice in choices)
        need(texts and len(choices) >= 2, "choices are texts, at least two")
        need(isinstance(answer, int) and 0 <= answer < len(choices), "answer is the number of a choice, from 0")
    for key in ("reference", "marker"):
        need(isinstance(body.get(key, ""), str), f"{key} is text")
        need(key not in NEEDS[suite] or bool(body[key].strip()), f"{key} says something")
    need(isinstance(body.get("checks", {}), dict), "checks are an object")
    need(body.get("stakes", "usual") in ("usual", "high"), "stakes are usual or high")
    identity = body.get("id") or f"{suite}-{digest_json(body)[:8]}"
    return Item(
        str(identity), suite, str(body.get("category", suite)), tuple(messages), body.get("reference", ""),
        tuple(choices), answer, body.get("marker", ""), body.get("checks", {}), body.get("stakes") == "high",
        tuple(tools), tuple(actions),
    )  # fmt: skip


def _is_action(choice: Any) -> bool:
    """Whether a choice is a text or a named call with arguments."""
    if isinstance(choice, str):
        return bool(choice)
    call = choice.get("call") if isinstance(choice, dict) else None
    return isinstance(call, dict) and isinstance(call.get("name"), str) and isinstance(call.get("arguments"), dict)


def spread(items: Sequence[Item]) -> list[Item]:
    """All of them: high stakes first, then round-robin over the categories, within each by a digest of the id."""
    piles: dict[str, list[Item]] = defaultdict(list)
    for item in sorted(items, key=lambda item: hashlib.sha256(item.id.encode()).hexdigest()):
        piles[item.category].append(item)
    longest = max(map(len, piles.values()), default=0)
    rounds = [pile[turn] for turn in range(longest) for pile in piles.values() if turn < len(pile)]
    return sorted(rounds, key=lambda item: not item.high_stakes)


def _first(items: Sequence[Item], most: int) -> tuple[Item, ...]:
    chosen = {item.id for item in spread(items)[:most]}
    return tuple(item for item in items if item.id in chosen)
