"""How a file is to be read where it does not say so itself: its encoding, and what its columns are in the forms."""

import codecs
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from assets.forms.columns import checked
from resources.digests import CHUNK
from resources.errors import InputError

# Euro, ellipsis, quotes, dashes, no-break space, pound, section, guillemets, degree, inverted question mark.
_SIGNS = b"\x80\x85\x91\x92\x93\x94\x95\x96\x97\xa0\xa3\xa7\xab\xb0\xbb\xbf"
UTF8 = frozenset({"utf-8", "utf_8_sig"})


@dataclass(frozen=True, slots=True)
class Reading:
    """``encoding`` of text files, empty for UTF-8. ``columns`` is ``{name in the forms: the file's own column}``."""

    encoding: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not known_encoding(self.encoding):
            message = f"{self.encoding!r} is no known encoding of text, such as windows-1252, shift_jis, utf-16"
            raise InputError(message, object_key="encoding", rule="encoding-known")

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "Reading":
        """From the policy's settings of the raw stage; ``InputError`` names what is wrong with them."""
        where = "policy: settings.raw_drop"
        if unknown := sorted(settings.keys() - {"encoding", "columns", "shard_rows"}):
            raise InputError(f"unknown settings {unknown}", object_key=where, rule="settings-valid")
        columns = settings.get("columns") or {}
        if not isinstance(columns, Mapping):
            raise InputError("columns is a mapping, {prompt: frage}", object_key=where, rule="settings-valid")
        return cls(str(settings.get("encoding") or ""), checked(columns, where))

    @classmethod
    def of_metadata(cls, metadata: Mapping[str, str], object_key: str) -> "Reading":
        """From an object's own metadata, as ``metadata`` gives it."""
        try:
            columns = json.loads(metadata.get("columns") or "{}")
        except ValueError:
            columns = None
        if not isinstance(columns, dict):
            raise InputError("its metadata columns are no JSON object", object_key=object_key, rule="columns-known")
        return cls(metadata.get("encoding", ""), checked(columns, object_key))

    def metadata(self) -> dict[str, str]:
        """As an object's metadata; ASCII, which is all that object stores carry."""
        said = {"encoding": self.encoding, "columns": json.dumps(dict(self.columns)) if self.columns else ""}
        return {name: value for name, value in said.items() if value}

    def over(self, other: "Reading") -> "Reading":
        """This reading, and ``other`` where it says nothing."""
        return Reading(self.encoding or other.encoding, {**other.columns, **self.columns})

    @property
    def is_utf8(self) -> bool:
        return not self.encoding or codecs.lookup(self.encoding).name in UTF8


def known_encoding(name: str) -> bool:
    """Whether a text encoding is called so; an empty name stands for UTF-8."""
    try:
        return not name or bool(codecs.lookup(name)._is_text_encoding)
    except LookupError:
        return False


def as_utf8(stream: IO[bytes], encoding: str, object_key: str) -> IO[bytes]:
    """A temporary file with the stream's text as UTF-8; ``InputError`` where the text is not in that encoding.

    Lines, and the digests of their bytes, are then those of the UTF-8 text.
    """
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    copy = tempfile.TemporaryFile()  # noqa: SIM115 (handed to the caller, who closes it)
    place = 0
    try:
        while chunk := stream.read(CHUNK):
            copy.write(decoder.decode(chunk).encode())
            place += len(chunk)
        copy.write(decoder.decode(b"", final=True).encode())
    except UnicodeError:
        copy.close()
        message = f"is not {encoding} text after byte {place:,}, which is what was said of it"
        raise InputError(message, object_key=object_key, rule="encoding") from None
    copy.seek(0)
    return copy


def looks_like(data: bytes) -> str:
    """The encoding that bytes which are no UTF-8 are most likely in; empty where that cannot be told.

    Windows-1252 keeps typographic quotes and the euro sign where ISO 8859-1 has control characters, and both have
    Western letters above 0xC0: its five unused bytes tell the rest apart.
    """
    high = [byte for byte in data if byte >= 0x80]
    if data.count(0) > len(data) // 4:
        return "utf-16"
    binary = any(byte < 9 for byte in data)  # control characters that no text has
    if binary or not high or any(byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D) for byte in high):
        return ""
    western = sum(byte >= 0xC0 or byte in _SIGNS for byte in high)
    return "windows-1252" if western >= 0.8 * len(high) else ""
