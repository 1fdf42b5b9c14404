"""From records to training examples: token ids, and which of them are the assistant's words.

A dialogue is one example, and every assistant turn in it that is to be learnt is, its calls like its words, each given
what precedes it, exactly as the model will be prompted: the tokens up to a turn are those of the template with its
generation header. Where a template rewrites earlier turns (some strip reasoning from all but the last answer), such a
turn becomes an example of its own. A plain text is learnt whole, in as many examples as it takes.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assets.forms.conversation import Conversation, FormFault, Turn
from assets.forms.template import messages_of, tools_of
from assets.record import Record
from resources.chat_format import ChatFormat, FittedChat, TemplateRefusal

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


@dataclass(slots=True)
class Dialogues:
    """``unused`` counts, by reason, the records that teach nothing; ``cut`` is how many examples were shortened.

    ``changed`` counts the records that the base's template took only after a change, by its name in
    ``resources.chat_format``; ``unanswered`` the turns at the end of a record that nobody answers.
    """

    examples: tuple[Example, ...] = ()
    rows: int = 0
    unused: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    cut: int = 0
    unanswered: int = 0

    @property
    def tokens(self) -> int:
        return sum(len(example.ids) for example in self.examples)

    @property
    def reasons(self) -> str:
        """Why records teach nothing, with their numbers."""
        return ", ".join(f"{reason} ({rows:,})" for reason, rows in self.unused.most_common())


def read_dialogues(
    records: Iterable[Record], tokenizer: "PreTrainedTokenizerBase", stop: frozenset[int], max_tokens: int
) -> Dialogues:
    """Every record as examples. ``stop`` are the tokens that end a turn: the last thing learnt of each answer."""
    read = Dialogues()
    read.examples = tuple(dialogues(records, tokenizer, stop, max_tokens, read))
    return read


def dialogues(
    records: Iterable[Record],
    tokenizer: "PreTrainedTokenizerBase",
    stop: frozenset[int],
    max_tokens: int,
    read: Dialogues,
) -> Iterator[Example]:
    """The same as a stream; ``read`` takes what is counted, and no example."""
    template = ChatFormat(tokenizer)
    for record in records:
        read.rows += 1
        try:
            made = list(_examples(record, template, stop, max_tokens, read))
        except FormFault as fault:
            read.unused[fault.rule] += 1
            continue
        except TemplateRefusal as refusal:
            read.unused[f"chat template: {refusal}"] += 1
            continue
        kept = [short for example in made if (short := _cut(example, max_tokens)).spans]
        read.cut += sum(len(example.ids) > max_tokens for example in made)
        if made and not kept:
            read.unused["question longer than max_tokens"] += 1
        yield from kept


def _examples(
    record: Record, template: ChatFormat, stop: frozenset[int], max_tokens: int, read: Dialogues
) -> Iterator[Example]:
    conversation = record.conversation()
    if conversation.plain:
        yield from _plain(record.row_id, conversation, template.tokenizer, max_tokens)
        return
    turns = conversation.turns
    learnt = [place for place, turn in enumerate(turns) if turn.learnt and turn.full_text.strip()]
    if not learnt or not any(turn.role in ("user", "tool") for turn in turns):
        read.unused["no answer to a question"] += 1
        return
    read.unanswered += len(turns) - 1 - learnt[-1]
    messages = messages_of(conversation)[: learnt[-1] + 1]
    fitted = template.fit(messages, tools_of(conversation))
    read.changed.update(fitted.changes)
    yield from _Chat(template, stop, fitted, turns).examples(record.row_id)


def _plain(
    row_id: str, conversation: Conversation, tokenizer: "PreTrainedTokenizerBase", max_tokens: int
) -> Iterator[Example]:
    """A text in pieces of at most ``max_tokens``, each with the one token before it that it follows on."""
    text = "".join(turn.text for turn in conversation.turns)
    ids: list[int] = [*tokenizer(text)["input_ids"]]
    if tokenizer.eos_token_id is not None and ids[-1:] != [tokenizer.eos_token_id]:
        ids.append(tokenizer.eos_token_id)
    for start in range(0, max(1, len(ids) - 1), max(1, max_tokens - 1)):
        piece = tuple(ids[start : start + max_tokens])
        if len(piece) > 1:
            yield Example(row_id, piece, ((1, len(piece)),))


def _cut(example: Example, max_tokens: int) -> Example:
    spans = tuple((start, min(end, max_tokens)) for start, end in example.spans if start < max_tokens)
    return Example(example.row_id, example.ids[:max_tokens], spans)


class _Chat:
    """One dialogue in the base's template."""

    def __init__(self, template: ChatFormat, stop: frozenset[int], fitted: FittedChat, turns: Sequence[Turn]) -> None:
        self.template, self.stop, self.tools = template, stop, fitted.tools
        self.messages = fitted.messages
        self.answers = [
            place
            for place, piece in enumerate(fitted.pieces)
            if piece.role == "assistant" and any(turns[source].learnt for source in piece.sources)
        ]
        for place in self.answers:
            if len({turns[source].learnt for source in fitted.pieces[place].sources}) > 1:
                raise TemplateRefusal("it takes no two answers in a row, and of these only one is to be learnt")

    def examples(self, row_id: str) -> list[Example]:
        whole = self._ids(self.answers[-1] + 1, header=False)
        spans: list[tuple[int, int]] = []
        apart: list[Example] = []
        for place in self.answers:
            given = self._ids(place, header=True)
            through = self._ids(place + 1, header=False)
            start = _agreement(given, through)
            end = self._end(through, start)
            if start == len(given) and whole[:end] == through[:end]:
                spans.append((start, end))
            else:
                apart.append(Example(row_id, tuple(through[:end]), ((start, end),)))
        if not spans:
            return apart
        return [Example(row_id, tuple(whole[: spans[-1][1]]), tuple(spans)), *apart]

    def _ids(self, places: int, *, header: bool) -> list[int]:
        if not places:  # a greeting: what the template writes before anything is said
            return self._header()
        return self.template.ids(self.messages[:places], self.tools, header=header)

    def _header(self) -> list[int]:
        """The header before a first turn of the assistant's: what two different greetings have in common."""
        first, second = (
            self.template.ids([{"role": "assistant", "content": said}], self.tools, header=False) for said in ("A", "9")
        )
        return first[: _agreement(first, second)]

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
