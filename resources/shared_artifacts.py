"""Artefacts in an object store, for stages that run on several machines; a local folder is only their cache.

Layout below the store's prefix::

    blobs/<ab>/<sha256>                          the content of a file, named by its digest: stored once, never changed
    <stage>/<partition>/<key>/manifest.json      a sealed artefact: names of files and their digests, written last
    <stage>/<partition>/current                  the key of the artefact that counts

Files are named by content, so that two machines that make the same artefact at once cannot mix their files; a manifest
is written only if there is none (the first one sealed is the artefact, the other attempt is dropped), and ``current``
only over the state that was read. Locks between machines would save work, not correctness, and there are none.

A file is fetched when it is first asked for, proven against its digest, and kept.
"""

import contextlib
import dataclasses
import shutil
from functools import partial
from pathlib import Path

from resources.artifacts import MANIFEST, WHOLE, Artifact, ArtifactStore, Manifest
from resources.digests import canonical_json
from resources.errors import Conflict, IntegrityError, StoreError
from resources.object_store import ObjectStore

MANIFEST_LIMIT = 64 << 20  # bytes
POINTER = "current"
ATTEMPTS = 20  # to move ``current`` while others move it, too


class SharedArtifactStore(ArtifactStore):
    """``root`` is this machine's cache and drafts; ``remote`` is what counts."""

    def __init__(self, root: Path, remote: ObjectStore) -> None:
        super().__init__(root)
        self.remote = remote

    def get(self, stage: str, partition: str, key: str) -> Artifact | None:
        folder = self.root / stage / partition / key
        if not (folder / MANIFEST).exists():
            found = self.remote.head(f"{stage}/{partition}/{key}/{MANIFEST}")
            if found is None:
                return None
            folder.mkdir(parents=True, exist_ok=True)
            self.remote.fetch(found.info, folder / MANIFEST)
        local = self.read(folder)
        return None if local is None else self._lazy(local)

    def every(self, stage: str, partition: str = WHOLE) -> list[Artifact]:
        prefix = f"{stage}/{partition}/"
        keys = [info.key.split("/")[-2] for info in self.remote.list(prefix) if info.key.endswith(f"/{MANIFEST}")]
        return [found for key in keys if (found := self.get(stage, partition, key))]

    def current(self, stage: str, partition: str = WHOLE) -> Artifact | None:
        found = self.remote.head(f"{stage}/{partition}/{POINTER}")
        if found is None:
            return None
        return self.get(stage, partition, self.remote.read(found.info, 1024).decode().strip())

    def partitions(self, stage: str) -> list[str]:
        keys = (info.key for info in self.remote.list(f"{stage}/"))
        return sorted(key.split("/")[-2] for key in keys if key.endswith(f"/{POINTER}"))

    def use(self, artifact: Artifact) -> None:
        """Move ``current`` by compare-and-swap: the last one has the word, and none undoes what it did not see."""
        key = f"{artifact.manifest.stage}/{artifact.manifest.partition}/{POINTER}"
        for _ in range(ATTEMPTS):
            found = self.remote.head(key)
            if found and self.remote.read(found.info, 1024).decode().strip() == artifact.manifest.key:
                return
            with contextlib.suppress(Conflict):
                self.remote.put_if(artifact.manifest.key.encode(), key, etag=found.info.etag if found else None)
                return
        raise StoreError(f"{self.remote.uri}/{key} is written all the time by others; run again")

    def _promote(self, folder: Path, manifest: Manifest) -> Artifact:
        for name, digest in manifest.files.items():
            blob = _blob(digest)
            if self.remote.head(blob) is None:
                self.remote.put(folder / name, blob)
        place = f"{manifest.stage}/{manifest.partition}/{manifest.key}/{MANIFEST}"
        body = canonical_json(dataclasses.asdict(manifest)) + b"\n"
        try:
            self.remote.put_if(body, place, etag=None)
        except Conflict:
            return self._other(folder, manifest)
        return self._lazy(super()._promote(folder, manifest))

    def _other(self, folder: Path, manifest: Manifest) -> Artifact:
        """Another machine sealed this artefact first: drop the attempt and take that one."""
        shutil.rmtree(folder)
        folder.with_name(f"{folder.name}.json").unlink(missing_ok=True)
        made = self.get(manifest.stage, manifest.partition, manifest.key)
        if made is None:
            raise IntegrityError(f"{manifest.stage} {manifest.partition} {manifest.key} was sealed and is gone")
        self.use(made)
        return made

    def _lazy(self, artifact: Artifact) -> Artifact:
        return dataclasses.replace(artifact, fetch=partial(self._fetch, artifact))

    def _fetch(self, artifact: Artifact, name: str) -> None:
        digest, target = artifact.manifest.files[name], artifact.folder / name
        found = self.remote.head(_blob(digest))
        if found is None:
            raise IntegrityError(f"{artifact.folder.name}: {name} is gone from {self.remote.uri}")
        target.parent.mkdir(parents=True, exist_ok=True)
        arrived = self.remote.fetch(found.info, target)
        if arrived.sha256 != digest:
            target.unlink()
            raise IntegrityError(f"{self.remote.uri}/{_blob(digest)} is not what its name says: it was changed")


def _blob(digest: str) -> str:
    return f"blobs/{digest[:2]}/{digest}"


def require_conditional_writes(store: ObjectStore) -> None:
    """``StoreError`` where the service takes a conditional write and ignores its condition: writers would overwrite
    each other in silence. Tried on an object of its own, which stays."""
    key = "conditional-writes"
    with contextlib.suppress(Conflict):
        store.put_if(b"probe", key, etag=None)
    try:
        store.put_if(b"probe", key, etag=None)
    except Conflict:
        return
    raise StoreError(
        f"{store.uri} ignores conditional writes (If-None-Match), so that two machines could overwrite each other's "
        "decisions; use a service that has them (AWS S3, MinIO, Ceph), or one machine with HALLMARK_ARTIFACTS unset"
    )
