"""What a drop is, and which drops are new.

A data object directly in the store is a drop by itself. A folder is a drop as soon as it holds ``manifest.json``, which
whoever writes the drop writes last::

    {"source": "helpdesk", "author": "export job", "created_at": "2026-11-02", "kind": "data",
     "objects": [{"key": "tickets.jsonl", "sha256": "..."}]}

Every key is optional; ``objects`` (paths below the folder, or entries with ``key`` and own ``sha256`` and metadata)
says what must be there. ``encoding`` (of text that is no UTF-8) and ``columns`` (``{"prompt": "frage"}``, for columns
that no form knows) may stand in either place. ``kind`` is ``data`` or ``feedback``: answers that a person corrected,
whose author may be called ``reviewer``, and who has signed them (``assets.feedback``). Names that start with a dot or
underscore are no data.
"""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from assets.forms.columns import MAPPABLE
from assets.raw.reading import Reading, known_encoding
from resources.digests import digest_json
from resources.object_store import ObjectInfo, ObjectStore

MANIFEST = "manifest.json"
MANIFEST_LIMIT = 16 << 20  # bytes
SETTLED = timedelta(seconds=5)  # how long a file that may still be written must have rested
TICK_OBJECTS = 50_000  # objects one scan lists: about 50 pages, some ten seconds


class _Described(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    source: str = ""
    author: str = Field(default="", validation_alias=AliasChoices("author", "reviewer"))
    created_at: str = ""
    encoding: str = ""
    columns: dict[str, str] = Field(default_factory=dict)

    @field_validator("encoding")
    @classmethod
    def _known(cls, name: str) -> str:
        if not known_encoding(name):
            raise ValueError("is no encoding of text that is known here, such as windows-1252")
        return name

    @field_validator("columns")
    @classmethod
    def _of_forms(cls, columns: dict[str, str]) -> dict[str, str]:
        if unknown := sorted(columns.keys() - MAPPABLE):
            raise ValueError(f"no form has a column {unknown[0]!r}; they have {', '.join(sorted(MAPPABLE))}")
        return columns

    @property
    def reading(self) -> Reading:
        return Reading(self.encoding, self.columns)

    def metadata(self) -> dict[str, str]:
        """What is said, without what is not."""
        said = {"source": self.source, "author": self.author, "created_at": self.created_at}
        return {name: value for name, value in said.items() if value}


class ListedObject(_Described):
    """An object a manifest lists. ``sha256`` is checked against the bytes that arrive."""

    key: str = Field(min_length=1)
    sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")


def _entry(value: Any) -> Any:
    return {"key": value} if isinstance(value, str) else value


class DropManifest(_Described):
    kind: Literal["data", "feedback"] = "data"
    objects: tuple[Annotated[ListedObject, BeforeValidator(_entry)], ...] = ()


@dataclass(frozen=True, slots=True)
class Drop:
    """A drop as it was listed. ``fault`` says why it cannot be ingested: its manifest is not readable, say.

    ``fingerprint`` is over key, etag and size of every object, the manifest included: a changed drop is a new one.
    """

    name: str
    objects: tuple[ObjectInfo, ...]
    fingerprint: str
    manifest: DropManifest = field(default_factory=DropManifest)
    fault: str = ""

    @property
    def partition(self) -> str:
        """``YYYYMMDD-<hash12>``: the day its newest object was modified (UTC), and its fingerprint."""
        newest = max(info.modified for info in self.objects)
        return f"{newest.astimezone(UTC):%Y%m%d}-{self.fingerprint[:12]}"

    @property
    def kind(self) -> str:
        return self.manifest.kind

    @property
    def folder(self) -> str:
        """What the manifest's keys are relative to: empty for a lone object, else the folder with its slash."""
        return self.name if self.name.endswith("/") else ""


def discover(store: ObjectStore) -> list[Drop]:
    """Every drop in the store, in order of name."""
    return [_described(store, name, objects) for name, objects in _candidates(store.list())]


@dataclass(frozen=True, slots=True)
class Cursor:
    """What earlier scans have seen: names of drops with the head of their fingerprint, and where to go on listing.

    Time plays no part. Services disagree on what an object's time means (an upload's start, its end, the original
    file's), and two objects may share one; a time window loses what arrives late. Seen drops that have left the store
    are forgotten after every listing that ran from start to end, so that the cursor stays as small as the store.
    """

    seen: frozenset[str] = frozenset()
    after: str = ""

    @classmethod
    def parse(cls, text: str | None) -> "Cursor":
        if not text:
            return cls()
        body = json.loads(text)
        return cls(frozenset(body["seen"]), body["after"])

    def __str__(self) -> str:
        return json.dumps({"after": self.after, "seen": sorted(self.seen)}, separators=(",", ":"))


def scan(
    store: ObjectStore, cursor: str | None, limit: int, *, now: datetime | None = None, objects: int = TICK_OBJECTS
) -> tuple[list[Drop], str]:
    """At most ``limit`` drops not seen before, and the cursor for the next scan.

    A scan lists about ``objects`` objects and leaves the rest to the next one. A drop whose newest file could still be
    in the middle of being written is left to a later scan. The caller stores the cursor only after it has acted on the
    drops: a crash in between announces them again, which is harmless, while the other order would lose them.
    """
    state = Cursor.parse(cursor)
    rested = (now or datetime.now(UTC)) - SETTLED
    seen, present = set(state.seen), set()
    found: list[Drop] = []
    listed, after, more = 0, state.after, False
    for name, members in _candidates(store.list(after=state.after)):
        if listed >= objects or len(found) >= limit:
            more = True
            break
        listed += len(members)
        after = members[-1].key
        token = _fingerprint(members)[:16]
        present.add(token)
        if token in seen or not (store.appears_whole or max(info.modified for info in members) <= rested):
            continue
        seen.add(token)
        found.append(_described(store, name, members))
    if more:
        return found, str(Cursor(frozenset(seen), after))
    return found, str(Cursor(frozenset(seen if state.after else seen & present)))


def _candidates(listing: Iterator[ObjectInfo]) -> Iterator[tuple[str, tuple[ObjectInfo, ...]]]:
    """Lone objects and folders with a manifest: ``(name, objects)``, the manifest among the objects.

    Keys with a common prefix follow each other in a listing, so that one folder at a time is held.
    """
    for name, group in itertools.groupby(listing, key=lambda info: _unit(info.key)):
        members = tuple(info for info in group if _is_data(info.key.removeprefix(name) or name))
        whole = any(info.key == name + MANIFEST for info in members) if name.endswith("/") else name != MANIFEST
        if members and whole:
            yield name, members


def _unit(key: str) -> str:
    first, slash, _ = key.partition("/")
    return first + slash


def _is_data(path: str) -> bool:
    return not any(part.startswith((".", "_")) for part in PurePosixPath(path).parts)


def _described(store: ObjectStore, name: str, members: tuple[ObjectInfo, ...]) -> Drop:
    fingerprint = _fingerprint(members)
    objects = tuple(info for info in members if info.key != name + MANIFEST)
    if len(objects) == len(members):
        return Drop(name, objects, fingerprint)
    manifest = next(info for info in members if info.key == name + MANIFEST)
    described, fault = DropManifest(), "" if objects else f"holds nothing but its {MANIFEST}"
    if manifest.size > MANIFEST_LIMIT:
        fault = f"has a {MANIFEST} of {manifest.size:,} bytes; at most {MANIFEST_LIMIT:,} are read"
    else:
        try:
            described = DropManifest.model_validate_json(store.read(manifest, MANIFEST_LIMIT))
        except ValidationError as error:
            wrong = [f"{'.'.join(map(str, item['loc'])) or 'file'}: {item['msg']}" for item in error.errors()[:3]]
            fault = f"has a {MANIFEST} that is not valid ({'; '.join(wrong)})"
    return Drop(name, objects or (manifest,), fingerprint, described, fault)


def _fingerprint(members: tuple[ObjectInfo, ...]) -> str:
    return digest_json(sorted([info.key, info.etag, info.size] for info in members))
