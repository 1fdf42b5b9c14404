"""From records to training examples: token ids, and which of them are the assistant's words.

A dialogue is one example, and every assistant turn in it is learnt, each given what precedes it, exactly as the model
will be prompted: the tokens up to a turn are those of the template with its generation header. Where a template
rewrites earlier turns (some strip reasoning from all but the last answer), such a turn becomes an example of its own.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assets.record import Message, Record

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True)
class Example:
    """``spans`` are half-open token ranges whose tokens are learnt. ``row_id`` names the record it came from.

    ``weight`` is how much each of its tokens counts in the loss that is learnt from.
    """

    row_id: str
    ids: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]
    weight: float = 1.0

    @property
    def labels(self) -> int:
        return sum(end - start for start, end in self.spans)


@dataclass(frozen=True, slots=True)
class Dialogues:
    """``unused`` counts, by reason, the records that teach nothing; ``cut`` is how many examples were shortened."""

    examples: tuple[Example, ...]
    rows: int
    unused: dict[str, int]
    cut: int

    @property
    def tokens(self) -> int:
        return sum(len(example.ids) for example in self.examples)


def read_dialogues(
    records: Iterable[Record], tokenizer: "PreTrainedTokenizerBase", stop: frozenset[int], max_tokens: int
) -> Dialogues:
    """Every record as examples. ``stop`` are the tokens that end a turn: the last thing learnt of each answer."""
    from jinja2 import TemplateError

    examples: list[Example] = []
    unused: Counter[str] = Counter()
    rows = cut = 0
    for record in records:
        rows += 1
        turns = record.messages()
        if not _answers(turns):
            unused["no answer to a question"] += 1
            continue
        try:
            made = _Chat(tokenizer, stop, turns).examples(record.row_id)
        except TemplateError as error:
            unused[f"chat template: {error}"] += 1
            continue
        kept = [short for example in made if (short := _cut(example, max_tokens)).spans]
        cut += sum(len(example.ids) > max_tokens for example in made)
        if not kept:
            unused["question longer than max_tokens"] += 1
        examples.extend(kept)
    return Dialogues(tuple(examples), rows, dict(unused), cut)


def _answers(turns: Sequence[Message]) -> list[int]:
    """Places of the assistant turns that say something in reply to something."""
    return [place for place, turn in enumerate(turns) if place and turn.role == "assistant" and turn.content.strip()]


def _cut(example: Example, max_tokens: int) -> Example:
    spans = tuple((start, min(end, max_tokens)) for start, end in example.spans if start < max_tokens)
    return Example(example.row_id, example.ids[:max_tokens], spans)


class _Chat:
    """One dialogue in the base's template."""

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", stop: frozenset[int], turns: Sequence[Message]) -> None:
        self.tokenizer, self.stop, self.answers = tokenizer, stop, _answers(turns)
        self.turns: list[dict[str, str]] = [{"role": turn.role, "content": turn.content} for turn in turns]

    def examples(self, row_id: str) -> list[Example]:
        whole = self._ids(self.turns[: self.answers[-1] + 1], header=False)
        spans: list[tuple[int, int]] = []
        apart: list[Example] = []
        for place in self.answers:
            given = self._ids(self.turns[:place], header=True)
            through = self._ids(self.turns[: place + 1], header=False)
            start = _agreement(given, through)
            end = self._end(through, start)
            if start == len(given) and whole[:end] == through[:end]:
                spans.append((start, end))
            else:
                apart.append(Example(row_id, tuple(through[:end]), ((start, end),)))
        if not spans:
            return apart
        return [Example(row_id, tuple(whole[: spans[-1][1]]), tuple(spans)), *apart]

    def _ids(self, turns: list[dict[str, str]], *, header: bool) -> list[int]:
        ids: Any = self.tokenizer.apply_chat_template(
            turns, add_generation_prompt=header, tokenize=True, return_dict=False
        )
        return list(ids)

    def _end(self, ids: Sequence[int], start: int) -> int:
        """Just behind the turn's stop token: what a template writes after it is never generated."""
        for place in range(len(ids) - 1, start - 1, -1):
            if ids[place] in self.stop:
                return place + 1
        return len(ids)


def _agreement(first: Sequence[int], second: Sequence[int]) -> int:
    """Length of the common prefix."""
    for place, (left, right) in enumerate(zip(first, second, strict=False)):
        if left != right:
            return place
    return min(len(first), len(second))
