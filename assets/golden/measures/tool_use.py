"""Tool use by likelihood: of several things to do next, calls and words, is the right one the likeliest?

An item of the suite ``tool`` is a chat with tools, and ``choices``, each what the assistant could say: a text, or
``{"call": {"name": ..., "arguments": {...}}}``. Calls are written as the base's own template writes them. Categories of
the shipped items: the right call among wrong ones, no call where none is wanted, a question where an argument is
missing, an instruction that hides in a tool's result, and a tool that the system turn forbids.

Measured by likelihood, a base too weak to write a call by itself still shows whether an adapter moved it; the margin
moves before the choice does.
"""

from collections.abc import Sequence
from typing import Any

from assets.golden.inference.sequential import ALPHA
from assets.golden.inference.statistics import paired_means, paired_proportions
from assets.golden.items import Item
from assets.golden.suites import Suite
from resources.language_model import LanguageModel

NAMES = ("tool_use", "tool_margin")


def tool_suites(model: LanguageModel, items: Sequence[Item], alpha: float = ALPHA) -> list[Suite]:
    """The share of items whose right action is the likeliest, and by how much it is."""
    if not items:
        return [Suite(name, None, "the golden set has no tool items") for name in NAMES]
    adapter, base = model.both(lambda: margins(model, items), again=True)
    picked = paired_proportions([value > 0 for value in base], [value > 0 for value in adapter], alpha=alpha)
    return [Suite(NAMES[0], picked), Suite(NAMES[1], paired_means(base, adapter, alpha=alpha))]


def margins(model: LanguageModel, items: Sequence[Item]) -> list[float]:
    """Nats a token by which the right action of each item is likelier than the likeliest wrong one."""
    pairs = [pair for item in items for pair in _tokens(model, item)]
    scores = iter([float(score.mean()) for score in model.score_tokens(pairs)])
    found = []
    for item in items:
        said = [next(scores) for _ in item.actions]
        right = said.pop(item.answer)
        found.append(right - max(said))
    return found


def _tokens(model: LanguageModel, item: Item) -> list[tuple[list[int], list[int]]]:
    """The chat, and each action up to the end of its turn."""
    tools = [{"type": "function", "function": tool} for tool in item.tools]
    prefix = model.encode(item.messages, tools=tools, for_generation=True)
    return [(prefix, model.continuation(item.messages, _message(action), tools=tools)) for action in item.actions]


def _message(action: Any) -> dict[str, Any]:
    """An action as the assistant's next message."""
    if isinstance(action, str):
        return {"role": "assistant", "content": action}
    call = {"type": "function", "id": "call00009", "function": action["call"]}
    return {"role": "assistant", "content": "", "tool_calls": [call]}
