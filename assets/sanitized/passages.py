"""How a record is read: each of its texts with its place in the conversation."""

import re
from collections.abc import Collection, Iterator

from assets.forms.chats import ROLES as CHAT_ROLES
from assets.forms.columns import READ
from assets.forms.conversation import Conversation, FormFault
from assets.record import METADATA_FIELDS, Record
from assets.sanitized.answers import asked
from assets.sanitized.detector import Passage
from assets.sanitized.language import LANGUAGES, languages_of
from assets.sanitized.structure import key_of, words

ROLES = frozenset(CHAT_ROLES) | {"narrator"}
# Fields that are structure rather than prose: a word there is no name, though an e-mail address still is one.
STRUCTURE = frozenset(
    "id uuid row row_id role type lang language domain category categories service services template_id split license "
    "source created_at updated_at timestamp date version model intent label labels tags topic tool_call_id "
    "tool_use_id call_id".split()
)
# Fields that hold one utterance, which may be nothing but an answer.
UTTERANCE = frozenset("text message utterance content body comment turn query reply value".split())
PROSE = UTTERANCE | frozenset(
    "instruction input output prompt completion response system context question answer".split()
)


# Keys that are the form of a row; whatever they look like, they are nobody's.
FORM = PROSE | STRUCTURE | READ | frozenset(METADATA_FIELDS)
_DECLARATION = re.compile(r"(?:tools|functions)(?:[.\[]|$)", re.I)
_DESCRIBES = frozenset("description title default example examples enum const".split())


def read_passages(record: Record, numbers: Collection[str] = ()) -> Iterator[tuple[str, Passage]]:
    """``(field path, passage)`` of every text that may carry personal data; the usual roles are left alone.

    The texts at ``numbers`` were numbers: they are read under the words of their key.
    """
    read = _conversation(record)
    turns = _turns(read) if read else {}
    names = {f"{call.path}.name" for call in read.calls} if read else set()
    texts = [(path, text) for path, text in record.texts() if text]
    languages = languages_of(text if key_of(path).lower() not in STRUCTURE else "" for path, text in texts)
    for (path, text), language in zip(texts, languages, strict=True):
        key = key_of(path).lower()
        if key in ("role", "from") and text.strip().lower() in ROLES:
            continue
        if path in turns:
            speaks, question = turns[path]
            wanted = _wanted(question, language) if speaks else ""
            yield path, Passage(text, bare=speaks, asked=wanted, language=language)
            continue
        if path in names or (_DECLARATION.match(path) and key not in _DESCRIBES):
            yield path, Passage(text, prose=False)  # what a tool and its parameters are called is nobody's name
            continue
        label = "" if key in PROSE or key in STRUCTURE else asked(words(key_of(path)))
        if path in numbers:
            yield path, Passage(text, prose=False, asked=label, label=words(key_of(path)))
            continue
        prose, bare = key not in STRUCTURE, key in UTTERANCE and "[" not in path
        yield path, Passage(text, prose=prose, bare=bare, asked=label, language=language if prose else "en")


def _wanted(question: str, language: str) -> str:
    """The type that the turn before asks for: in the language of the answer, or in English."""
    if language in LANGUAGES and question:
        from assets.sanitized.spoken import asked_in

        return asked_in(language, question) or asked(question)
    return asked(question)


def _conversation(record: Record) -> Conversation | None:
    try:
        return record.conversation()
    except FormFault:
        return None


def _turns(read: Conversation) -> dict[str, tuple[bool, str]]:
    """Of each text that somebody says its path, whether a user speaks, and the text before it (of the other side)."""
    turns: dict[str, tuple[bool, str]] = {}
    before = ""
    for turn in () if read.plain else read.turns:
        speaks = turn.role == "user"
        for part in (*turn.reasoning, *turn.parts):
            turns[part.path] = (speaks, before)
        if speaks:
            before = ""  # the question is answered
        elif turn.text:
            before = turn.text
    return turns


def successive(record: Record) -> Iterator[tuple[str, str]]:
    """The paths of each two turns that one speaker took one after the other, whatever was said between."""
    read = _conversation(record)
    last: dict[str, str] = {}
    for turn in read.turns if read else ():
        if len(turn.parts) == 1:
            path = turn.parts[0].path
            if last.get(turn.role, path) != path:
                yield last[turn.role], path
            last[turn.role] = path
