"""Where drops arrive: an S3 bucket or a local folder, behind one small interface.

``ObjectStore.open`` tells the two apart by URI. Keys are relative to the URI's folder or prefix. Every failure is a
``StoreError`` that says what happened, to which object, and what to do.

>>> import pathlib, tempfile
>>> folder = tempfile.TemporaryDirectory()
>>> store = ObjectStore.open(pathlib.Path(folder.name).as_uri())
>>> _ = store.put(b'{"prompt": "Hi", "completion": "Hello"}', "monday.jsonl", {"source": "helpdesk"})
>>> [(info.key, info.size) for info in store.list()]
[('monday.jsonl', 39)]
>>> dict(store.head("monday.jsonl").metadata), store.head("tuesday.jsonl")
({'source': 'helpdesk'}, None)
"""

import abc
import errno
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar
from urllib.parse import unquote, urlsplit

from resources.errors import Conflict, StoreError, UsageError


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One object as a listing shows it. ``etag`` changes when the content does; ``modified`` is in UTC."""

    key: str
    etag: str
    size: int
    modified: datetime


@dataclass(frozen=True, slots=True)
class ObjectHead:
    """An object with what a listing does not show: its version and its own metadata, names in lower case."""

    info: ObjectInfo
    version: str
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Fetched:
    """What arrived: hex SHA-256 and size in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes ``start`` to ``end`` (not included) of an object; at least one."""

    start: int
    end: int


class ObjectStore(abc.ABC):
    """An object store, seen from one folder or prefix in it."""

    uri: str
    # Whether an object appears only when it is whole. In a folder, a file is seen while it is still being copied.
    appears_whole: ClassVar[bool]

    @staticmethod
    def open(uri: str, *, endpoint: str = "") -> "ObjectStore":
        """The store at ``file:///folder`` or ``s3://bucket/prefix``.

        ``endpoint`` is the address of an S3 service other than AWS (default: ``HALLMARK_S3_ENDPOINT``, then the AWS
        configuration). Opening connects to nothing.
        """
        parts = urlsplit(uri)
        if parts.scheme == "file" and parts.netloc in ("", "localhost") and parts.path:
            from resources.folder_store import FolderStore

            return FolderStore(Path(unquote(parts.path)))
        if parts.scheme == "s3" and parts.netloc:
            from resources.s3_store import S3Store

            return S3Store(parts.netloc, parts.path.strip("/"), endpoint)
        raise UsageError(f"{uri}: a store is file:///folder or s3://bucket/prefix")

    @abc.abstractmethod
    def list(self, prefix: str = "", *, after: str = "") -> Iterator[ObjectInfo]:
        """Objects whose key starts with ``prefix``, in order of key, from behind ``after`` on; read page by page."""

    @abc.abstractmethod
    def head(self, key: str) -> ObjectHead | None:
        """One object with its metadata; None if there is none of that name."""

    @abc.abstractmethod
    def put(self, source: Path | bytes, key: str, metadata: Mapping[str, str] | None = None) -> ObjectInfo:
        """Store a file or bytes as a whole object."""

    @abc.abstractmethod
    def put_if(self, data: bytes, key: str, *, etag: str | None) -> ObjectInfo:
        """Store a small object only if it is still the one with ``etag``, or, for None, if there is none of that name.

        Compare-and-swap: of several writers that saw the same state one succeeds, the others get ``Conflict``. S3
        calls it a conditional write (``If-Match``, ``If-None-Match``); not every service that speaks S3 honours it.
        """

    @abc.abstractmethod
    def _stream(self, info: ObjectInfo, span: Span | None = None) -> Iterator[bytes]:
        """The content of an object in chunks; ``StoreError`` if it is not, or no longer, the one in ``info``."""

    def chunks(self, info: ObjectInfo) -> Iterator[bytes]:
        """The content of an object, for a reader that keeps none of it."""
        return self._stream(info)

    def fetch(self, info: ObjectInfo, target: Path, span: Span | None = None) -> Fetched:
        """Copy an object, or of it only the bytes of ``span``, to ``target``, whole or not at all.

        The object is compared with ``info`` before the first byte and after the last: one that changed while it was
        read is a ``StoreError``, so that no row comes from a mixture of two versions.
        """
        partial = target.with_name(f".{target.name}.part")
        state, size = hashlib.sha256(), 0
        try:
            with partial.open("wb") as stream:
                for chunk in self._stream(info, span) if span else self._stream(info):
                    state.update(chunk)
                    size += len(chunk)
                    stream.write(chunk)
            after = self.head(info.key)
            expected = span.end - span.start if span else info.size
            if size != expected or after is None or after.info.etag != info.etag:
                raise changed(self.uri, info.key)
            partial.replace(target)
        except OSError as error:
            raise disk_error(error, f"cannot write {info.key} to {target.parent}") from error
        finally:
            partial.unlink(missing_ok=True)
        return Fetched(state.hexdigest(), size)

    def read(self, info: ObjectInfo, limit: int) -> bytes:
        """The content of a small object; ``StoreError`` if it has more than ``limit`` bytes."""
        if info.size > limit:
            raise StoreError(f"{self.uri}/{info.key} has {info.size:,} bytes; at most {limit:,} are read")
        return b"".join(self._stream(info))


def changed(uri: str, key: str) -> StoreError:
    """The error for an object that is no longer the one that was listed."""
    return StoreError(
        f"{uri}/{key} changed while it was read; nothing was taken from it. Write a drop once, under a new name, "
        "and run again: the changed object is announced as a new drop"
    )


def lost(uri: str, key: str) -> Conflict:
    """The error for a conditional write that came second."""
    return Conflict(f"{uri}/{key} was written by another process in between; nothing was changed")


def disk_error(error: OSError, what: str) -> StoreError:
    """The error for a local file that cannot be read or written, with what to do."""
    return StoreError(f"{what}: {_ADVICE.get(error.errno or 0) or error.strerror or type(error).__name__}")


_ADVICE = {
    errno.ENOSPC: "the disk is full; free space and run again: nothing half-written was kept",
    errno.EDQUOT: "the disk quota is used up; free space and run again: nothing half-written was kept",
    errno.EACCES: "permission denied; check who owns it",
    errno.EPERM: "permission denied; check who owns it",
    errno.EROFS: "the file system is read-only",
    errno.ENOENT: "it does not exist",
}
