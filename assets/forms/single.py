"""Rows with one question and its answer, a plain text, a preference, or a transcript in one cell."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from assets.forms.cells import json_or_text, text_of
from assets.forms.chats import chat, is_chat
from assets.forms.columns import ANSWERS, CHATS, REASONING, SYSTEM, Columns
from assets.forms.conversation import Conversation, FormFault, Text, Turn
from assets.forms.tools import calls_of, declared, inline_calls

QUESTIONS = ("prompt", "instruction", "question", "query", "input")
BESIDE = ("input", "context")  # what an instruction or question is about
_SPEAKERS = re.compile(r"(?:^|\n)[ \t]*(SYSTEM|USER|ASSISTANT|FUNCTION RESPONSE):[ \t]*")
_END = re.compile(r"\s*<\|endoftext\|>\s*\Z")


def read_chat(row: Columns) -> Conversation:
    name = row.first(CHATS)
    turns = [*_system(row), *chat(row.value(name), row.path(name), row.mapping)]
    return Conversation(tuple(turns), _tools(row))


def read_pair(row: Columns) -> Conversation:
    """A question and an answer, each a text or a list of messages; with a system text, a history and tools."""
    question = row.first(QUESTIONS)
    answer = row.first(ANSWERS)
    turns = [*_system(row), *_history(row), *_asked(row, question)]
    said = row.value(answer)
    if is_chat(said):
        turns += chat(said, row.path(answer), row.mapping)
    elif answer:
        turns.append(_answer(row, text_of(said, row.path(answer), number=True)))
    return Conversation(tuple(turns), _tools(row))


def read_calls(row: Columns) -> Conversation:
    """xLAM: a query, the tools, and the calls that answer it."""
    calls = calls_of(row.value("answers"), row.path("answers"))
    asked = Turn("user", text_of(row.value("query"), row.path("query")))
    said = (Turn("assistant", calls=tuple(calls), learnt=True),) if calls else ()
    return Conversation((*_system(row), asked, *said), _tools(row))


def read_preference(row: Columns) -> Conversation:
    """The chosen answer and what it answers; the rejected one is kept in the row and not learnt."""
    name = "chosen" if row.has("chosen") else "preferred_output"
    chosen, path = row.value(name), row.path(name)
    if isinstance(chosen, dict):
        turns = [replace(turn, parts=tuple(_lifted(turn.parts, path))) for turn in chat([chosen], path, row.mapping)]
    elif isinstance(chosen, list):
        turns = chat(chosen, path, row.mapping)
    else:
        said = text_of(chosen, path, number=True)
        turns = [_answer(row, said)] if said else []
    given = list(_context(row))
    if given and [turn.full_text for turn in turns[: len(given)]] == [turn.full_text for turn in given]:
        turns = turns[len(given) :]  # a chosen side that repeats the prompt
    elif not given:
        turns = _after_shared(row, turns)
    return Conversation((*_system(row), *given, *turns), _tools(row))


def _lifted(parts: tuple[Text, ...], path: str) -> Iterator[Text]:
    """Texts of a lone message that stands in its column without a list."""
    return (Text(part.path.replace(f"{path}[0]", path, 1), part.text) for part in parts)


def _context(row: Columns) -> Iterator[Turn]:
    """What a preference row asks: its own chat so far, or its question. None of it is learnt."""
    whole = row.value("input")
    if isinstance(whole, dict):  # OpenAI's preference rows
        yield from chat(whole.get("messages"), f"{row.path('input')}.messages", row.mapping, learnt=False)
        return
    if name := row.first(CHATS):
        yield from chat(row.value(name), row.path(name), row.mapping, learnt=False)
        return
    yield from (replace(turn, learnt=False) for turn in _history(row))
    if question := row.first(QUESTIONS):
        yield from _asked(row, question)


def _after_shared(row: Columns, turns: list[Turn]) -> list[Turn]:
    """Of two whole dialogues what they share is the prompt, and no part of the chosen answer."""
    rejected = row.value("rejected")
    if not isinstance(rejected, list):
        return turns
    other = chat(rejected, row.path("rejected"), row.mapping)
    shared = 0
    while shared < min(len(turns), len(other)) and turns[shared].full_text == other[shared].full_text:
        shared += 1
    return [replace(turn, learnt=turn.learnt and place >= shared) for place, turn in enumerate(turns)]


def read_transcript(row: Columns) -> Conversation:
    """Glaive: SYSTEM, USER, ASSISTANT and FUNCTION RESPONSE in one text, the tools in the system text."""
    value = row.value("chat")
    if is_chat(value):
        return Conversation((*_system(row), *chat(value, row.path("chat"), row.mapping)), _tools(row))
    if not isinstance(value, str):
        raise FormFault("not-text", "the column chat holds neither a transcript nor a list of messages")
    turns = list(_system(row))
    marks = list(_SPEAKERS.finditer(value))
    if value and (not marks or value[: marks[0].start()].strip()):
        raise FormFault("not-text", "the column chat holds no transcript that begins with USER: or ASSISTANT:")
    ends = [mark.start() for mark in marks[1:]] + [len(value)]
    for mark, end in zip(marks, ends, strict=True):
        turns.append(_passage(mark[1], _END.sub("", value[mark.end() : end]).strip(), row.path("chat")))
    return Conversation(tuple(turns))


def _passage(speaker: str, text: str, path: str) -> Turn:
    parts = (Text(path, text),) if text else ()
    if speaker == "ASSISTANT":
        return Turn("assistant", parts, calls=tuple(inline_calls(text, path)), learnt=True)
    return Turn({"SYSTEM": "system", "USER": "user"}.get(speaker, "tool"), parts)  # type: ignore[arg-type]


def read_text(row: Columns) -> Conversation:
    """A text with nobody speaking."""
    parts = text_of(row.value("text"), row.path("text"))
    return Conversation((Turn("assistant", parts, learnt=True),) if parts else (), plain=True)


def _system(row: Columns) -> Iterator[Turn]:
    name = row.first(SYSTEM)
    if name and (parts := text_of(row.value(name), row.path(name))):
        yield Turn("system", parts)


def _history(row: Columns) -> Iterator[Turn]:
    """LLaMA-Factory's earlier rounds: a list of [question, answer]."""
    history, path = json_or_text(row.value("history")), row.path("history")
    if is_chat(history):
        yield from chat(history, path, row.mapping)
        return
    if history is None or history in ("", []):
        return
    if not isinstance(history, list) or not all(isinstance(each, list) and len(each) == 2 for each in history):
        raise FormFault("not-text", "the history is no list of pairs of question and answer")
    for place, (asked, said) in enumerate(history):
        yield Turn("user", text_of(asked, f"{path}[{place}][0]"))
        yield Turn("assistant", text_of(said, f"{path}[{place}][1]", number=True), learnt=True)


def _asked(row: Columns, question: str) -> list[Turn]:
    value = row.value(question)
    if is_chat(value):
        return chat(value, row.path(question), row.mapping, learnt=False)
    parts = text_of(value, row.path(question))
    if question in ("instruction", "prompt", "question", "query"):
        for name in BESIDE:
            if row.has(name) and not (name == "input" and isinstance(row.value(name), dict)):
                parts += text_of(row.value(name), row.path(name), number=True)
    return [Turn("user", parts, glue="\n\n")] if parts else []


def _answer(row: Columns, said: tuple[Text, ...]) -> Turn:
    thought = next((text_of(row.value(name), row.path(name)) for name in REASONING if row.filled(name)), ())
    calls = tuple(call for part in said for call in inline_calls(part.text, part.path))
    return Turn("assistant", said, thought, calls, learnt=True)


def _tools(row: Columns) -> Any:
    name = row.first(("tools", "functions"))
    if not name and isinstance(row.value("input"), dict):
        return declared(row.value("input").get("tools"))
    return declared(row.value(name)) if name else ()
