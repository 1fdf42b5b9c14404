"""A local folder as an object store.

The etag of a file is the MD5 of its content, as S3 gives it to an object uploaded in one part: a copy is the same
object, and so is the same folder served over S3. It tells contents apart, it protects nothing: what is read is named by
its SHA-256.

An object's own metadata stands beside it in ``.<name>.metadata.json``. Names that start with a dot and symbolic links
are not objects: a link could point outside the folder.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import ClassVar

from filelock import FileLock

from resources.artifacts import write_whole
from resources.digests import CHUNK, canonical_json
from resources.errors import StoreError
from resources.object_store import ObjectHead, ObjectInfo, ObjectStore, Span, changed, disk_error, lost

# The etags of this process by path: a file is hashed again only when its date, size or number differs. A write that
# leaves all three as they were is caught when the content is read, see ``_stream``.
_ETAGS: dict[Path, tuple[tuple[int, int, int], str]] = {}


class FolderStore(ObjectStore):
    appears_whole: ClassVar[bool] = False

    def __init__(self, root: Path) -> None:
        self.root = root
        self.uri = root.as_uri()

    def list(self, prefix: str = "", *, after: str = "") -> Iterator[ObjectInfo]:
        if not self.root.is_dir():
            raise StoreError(f"{self.root} is not a folder; create it or name another store")
        try:
            yield from (self._info(key) for key in _keys(self.root, "") if key.startswith(prefix) and key > after)
        except OSError as error:
            raise disk_error(error, f"cannot list {self.root}") from error

    def head(self, key: str) -> ObjectHead | None:
        path = self._path(key)
        if not path.is_file():
            return None
        beside = _metadata_path(path)
        try:
            info = self._info(key)
            metadata = json.loads(beside.read_bytes()) if beside.exists() else {}
        except OSError as error:
            raise disk_error(error, f"cannot read {path}") from error
        except ValueError as error:
            raise StoreError(f"{beside} is not readable JSON; correct or remove it") from error
        if not isinstance(metadata, dict):
            raise StoreError(f"{beside} is not a JSON object; correct or remove it")
        return ObjectHead(info, info.etag, {str(name).lower(): str(value) for name, value in metadata.items()})

    def put(self, source: Path | bytes, key: str, metadata: Mapping[str, str] | None = None) -> ObjectInfo:
        path = self._path(key)
        partial = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            if metadata:
                write_whole(_metadata_path(path), canonical_json(dict(metadata)))
            path.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as stream:
                for chunk in [source] if isinstance(source, bytes) else _chunks(source):
                    stream.write(chunk)
            partial.replace(path)
            return self._info(key)
        except OSError as error:
            raise disk_error(error, f"cannot write {path}") from error
        finally:
            partial.unlink(missing_ok=True)

    def put_if(self, data: bytes, key: str, *, etag: str | None) -> ObjectInfo:
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(path.with_name(f".{path.name}.lock")):
                if (self._info(key).etag if path.exists() else None) != etag:
                    raise lost(self.uri, key)
                write_whole(path, data)
                return self._info(key)
        except OSError as error:
            raise disk_error(error, f"cannot write {path}") from error

    def _stream(self, info: ObjectInfo, span: Span | None = None) -> Iterator[bytes]:
        try:
            if self._info(info.key) != info:
                raise changed(self.uri, info.key)
            if span:  # who asks for a part knows its digest
                yield from _chunks(self._path(info.key), span)
                return
            state = _md5()
            for chunk in _chunks(self._path(info.key)):
                state.update(chunk)
                yield chunk
            if state.hexdigest() != info.etag:
                raise changed(self.uri, info.key)
        except OSError as error:
            raise disk_error(error, f"cannot read {self.root / info.key}") from error

    def _info(self, key: str) -> ObjectInfo:
        path = self._path(key)
        status = path.stat()
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        known = _ETAGS.get(path)
        if known is None or known[0] != stamp:
            known = _ETAGS[path] = (stamp, _etag(path))
        return ObjectInfo(key, known[1], status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))

    def _path(self, key: str) -> Path:
        parts = PurePosixPath(key).parts
        if not parts or key.startswith("/") or ".." in parts:
            raise StoreError(f"{key!r} is no key: it leads out of the store")
        return self.root.joinpath(*parts)


def _keys(folder: Path, prefix: str) -> Iterator[str]:
    """Keys below a folder in the order S3 lists them: as if every folder's name ended in a slash."""
    with os.scandir(folder) as entries:
        names = sorted(
            entry.name + ("/" if entry.is_dir(follow_symlinks=False) else "")
            for entry in entries
            if not entry.name.startswith(".") and not entry.is_symlink()
        )
    for name in names:
        if name.endswith("/"):
            yield from _keys(folder / name, prefix + name)
        else:
            yield prefix + name


def _etag(path: Path) -> str:
    state = _md5()
    for chunk in _chunks(path):
        state.update(chunk)
    return state.hexdigest()


def _md5() -> "hashlib._Hash":
    return hashlib.md5(usedforsecurity=False)


def _chunks(path: Path, span: Span | None = None) -> Iterator[bytes]:
    with path.open("rb") as stream:
        if span is None:
            while chunk := stream.read(CHUNK):
                yield chunk
            return
        place = stream.seek(span.start)
        while chunk := stream.read(min(CHUNK, span.end - place)):
            place += len(chunk)
            yield chunk


def _metadata_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.metadata.json")
