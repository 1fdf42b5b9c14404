"""How a record is read: each of its texts with its place in the conversation."""

from collections.abc import Collection, Iterator

from assets.record import METADATA_FIELDS, Record
from assets.sanitized.answers import asked
from assets.sanitized.detector import Passage
from assets.sanitized.structure import key_of, words

USER_ROLES = frozenset({"user", "human", "customer", "client", "caller", "prompter"})
ROLES = USER_ROLES | frozenset("assistant system tool function developer agent bot model gpt narrator".split())
# Fields that are structure rather than prose: a word there is no name, though an e-mail address still is one.
STRUCTURE = frozenset(
    "id uuid row row_id role type lang language domain category categories service services template_id split license "
    "source created_at updated_at timestamp date version model intent label labels tags topic".split()
)
# Fields that hold one utterance, which may be nothing but an answer.
UTTERANCE = frozenset("text message utterance content body comment turn query reply value".split())
PROSE = UTTERANCE | frozenset(
    "instruction input output prompt completion response system context question answer".split()
)


# Keys that are the form of a row; whatever they look like, they are nobody's.
FORM = PROSE | STRUCTURE | frozenset({"messages", *METADATA_FIELDS})


def read_passages(record: Record, numbers: Collection[str] = ()) -> Iterator[tuple[str, Passage]]:
    """``(field path, passage)`` of every text that may carry personal data; the usual roles are left alone.

    The texts at ``numbers`` were numbers: they are read under the words of their key.
    """
    turns = _turns(record)
    for path, text in record.texts():
        if not text or (path.endswith("].role") and text.lower() in ROLES):
            continue
        if path in turns:
            role, question = turns[path]
            speaks = role in USER_ROLES
            yield path, Passage(text, bare=speaks, asked=asked(question) if speaks else "")
            continue
        key = key_of(path).lower()
        label = "" if key in PROSE or key in STRUCTURE else asked(words(key_of(path)))
        if path in numbers:
            yield path, Passage(text, prose=False, asked=label, label=words(key_of(path)))
            continue
        yield path, Passage(text, prose=key not in STRUCTURE, bare=key in UTTERANCE and "[" not in path, asked=label)


def _turns(record: Record) -> dict[str, tuple[str, str]]:
    """Of each message its path, its role and the text before it (of the other side)."""
    messages = record.fields.get("messages")
    if not isinstance(messages, list):
        return {}
    turns: dict[str, tuple[str, str]] = {}
    before = ""
    for index, message in enumerate(messages):
        if not isinstance(message, dict):
            continue
        role, content = str(message.get("role", "")).lower(), message.get("content")
        turns[f"messages[{index}].content"] = (role, before)
        if role not in USER_ROLES and isinstance(content, str):
            before = content
        elif role in USER_ROLES:
            before = ""  # the question is answered
    return turns


def successive(record: Record) -> Iterator[tuple[str, str]]:
    """The paths of each two turns that one speaker took one after the other, whatever was said between."""
    messages = record.fields.get("messages")
    last: dict[str, str] = {}
    for index, message in enumerate(messages if isinstance(messages, list) else ()):
        if isinstance(message, dict) and isinstance(message.get("content"), str):
            role, path = str(message.get("role", "")), f"messages[{index}].content"
            if role in last:
                yield last[role], path
            last[role] = path
