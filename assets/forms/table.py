"""The forms: what they are called, how each is told, how it is read, and what to write for columns that fit none.

In    the fields of a row, as they came
Out   a typed conversation, or the rule by which the row is none
Read  conversation.py (what comes out), columns.py and cells.py (fields by name), single.py (one question), chats.py
      (lists of messages), tools.py and call_rules.py (calls), template.py (back into a chat template)

Forms are tried in this order; the first whose column is filled decides, else the first whose column is there.

>>> read({"question": "2 + 2?", "answer": 4}).turns[-1].text
'4'
>>> form_of({"conversations": [{"from": "human", "value": "Hi"}]})
'messages'
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from assets.forms.call_rules import check_calls, without_mere_text
from assets.forms.columns import ANSWERS, CHATS, MEDIA, Columns, shown
from assets.forms.conversation import Conversation, FormFault
from assets.forms.single import (
    read_calls,
    read_chat,
    read_pair,
    read_preference,
    read_text,
    read_transcript,
)

OTHER = "other"
TREE = (
    "the row is a message of a tree (parent_id, replies), not a dialogue; write one row for each path from a root to a "
    "leaf, as messages: [{role: user, content: ...}, {role: assistant, content: ...}]"
)
NO_MAPPING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Form:
    """``told_by``: the column that tells the form, with those that must be beside it."""

    name: str
    told_by: tuple[tuple[str, ...], ...]
    read: Callable[[Columns], Conversation]


FORMS = (
    Form("preference", (("chosen",), ("preferred_output",)), read_preference),
    Form("messages", tuple((name,) for name in CHATS), read_chat),
    Form("calls", (("query", "answers", "tools"),), read_calls),
    Form("instruction", (("instruction",),), read_pair),
    Form("prompt", (("prompt",),), read_pair),
    Form("question", (("question",), ("query",)), read_pair),
    Form("input", tuple(("input", answer) for answer in ANSWERS), read_pair),
    Form("transcript", (("chat",),), read_transcript),
    Form("text", (("text",),), read_text),
)
FORM_NAMES = tuple(form.name for form in FORMS)
# How the columns of a question and its answer are called elsewhere, for the mapping to suggest.
_ASKING = (
    "prompt question query ask user human instruction request customer frage anfrage pregunta domanda pergunta vraag"
).split()
_SAYING = (
    "completion answer response reply assistant bot output target antwort respuesta réponse reponse risposta resposta "
    "antwoord"
).split()


def form_of(fields: Mapping[str, Any], mapping: Mapping[str, str] = NO_MAPPING) -> str:
    """The name of a row's form; ``other`` where none fits."""
    form = _told(Columns(fields, mapping))
    return form.name if form else OTHER


def read(fields: Mapping[str, Any], mapping: Mapping[str, str] = NO_MAPPING) -> Conversation:
    """The conversation in a row; ``FormFault`` says by which rule there is none."""
    row = Columns(fields, mapping)
    form = _told(row)
    if form is None:
        raise FormFault("unknown-form", _advice(fields))
    if any(row.filled(name) for name in MEDIA):
        raise FormFault("image-or-audio", "the row has images, audio or video; only text can be learnt here")
    if any(row.value(name) is False for name in ("label", "kto_tag")):
        raise FormFault("undesired-answer", "the row is labelled as an answer that is not desired, and is not learnt")
    if _of_a_tree(row, form):
        raise FormFault("message-tree", TREE)
    conversation = without_mere_text(form.read(row))
    check_calls(conversation)
    return conversation


def _told(row: Columns) -> Form | None:
    present = [(form, names) for form in FORMS for names in form.told_by if all(map(row.has, names))]
    filled = (form for form, names in present if all(map(row.filled, names)))
    return next(filled, present[0][0] if present else None)


def _of_a_tree(row: Columns, form: Form) -> bool:
    """Whether a row is one message of a tree, as Open Assistant exports them: flat with ``parent_id``, or nested."""
    if form.name == "text":
        return row.has("parent_id") and row.has("role")
    root = row.value("prompt")
    return form.name == "prompt" and isinstance(root, dict) and "replies" in root


def _advice(fields: Mapping[str, Any]) -> str:
    """What is there, and what to write so that it is read."""
    dialogue = next((name for name, value in fields.items() if isinstance(value, list) and shown([name]) == name), "")
    if dialogue:
        return (
            f"no form fits its columns ({shown(fields)}); a list of messages has a role and a content each: write "
            f"{dialogue} as messages: [{{role: user, content: ...}}, {{role: assistant, content: ...}}]"
        )
    texts = [name for name, value in fields.items() if isinstance(value, str) and shown([name]) == name]
    asked = next((name for name in texts if _called(name, _ASKING)), "")
    said = next((name for name in texts if name != asked and _called(name, _SAYING)), "")
    rest = [name for name in texts if name not in (asked, said)]
    asked = asked or (rest.pop(0) if rest else "QUESTION")
    said = said or (rest.pop(0) if rest else "ANSWER")
    return (
        f"no form fits its columns ({shown(fields) or 'none'}); say which is which in the drop's manifest or the "
        f"policy, columns: {{prompt: {asked}, completion: {said}}}, or with --columns prompt={asked},completion={said}"
    )


def _called(name: str, words: list[str]) -> bool:
    return any(word in name.lower() for word in words)
