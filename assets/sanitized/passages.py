"""How a record is read: each of its texts with its place in the conversation."""

from collections.abc import Iterator

from assets.record import Record
from assets.sanitized.answers import asked
from assets.sanitized.detector import Passage

USER_ROLES = frozenset({"user", "human", "customer", "client", "caller", "prompter"})
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


def read_passages(record: Record) -> Iterator[tuple[str, Passage]]:
    """``(field path, passage)`` of every text that may carry personal data; roles of messages are left alone."""
    turns = _turns(record)
    for path, text in record.texts():
        if not text or path.endswith("].role"):
            continue
        if path in turns:
            role, question = turns[path]
            speaks = role in USER_ROLES
            yield path, Passage(text, bare=speaks, asked=asked(question) if speaks else "")
            continue
        key = path.rpartition(".")[2].partition("[")[0].lower()
        label = "" if key in PROSE or key in STRUCTURE else asked(key.replace("_", " ").replace("-", " "))
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
