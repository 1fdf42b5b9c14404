"""Digests and canonical JSON: one spelling of each, so that the same thing has the same name everywhere."""

import hashlib
import json
from pathlib import Path
from typing import Any

CHUNK = 1 << 20


def canonical_json(value: Any) -> bytes:
    """UTF-8 JSON with sorted keys and no spaces. NaN and infinities raise ``ValueError``: they are no values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest_bytes(data: bytes) -> str:
    """Hex SHA-256."""
    return hashlib.sha256(data).hexdigest()


def digest_json(value: Any) -> str:
    """Hex SHA-256 of the canonical JSON of ``value``."""
    return digest_bytes(canonical_json(value))


def digest_file(path: Path) -> str:
    """Hex SHA-256 of a file, read in chunks."""
    state = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            state.update(chunk)
    return state.hexdigest()


def digest_tree(folder: Path) -> dict[str, str]:
    """``{relative posix path: hex SHA-256}`` of every regular file below ``folder``.

    A symbolic link is an ``OSError``: what it points at can change without the tree changing.
    """
    files: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            raise OSError(f"{path}: symbolic links are not admitted in an artefact")
        if path.is_file():
            files[path.relative_to(folder).as_posix()] = digest_file(path)
    return files
