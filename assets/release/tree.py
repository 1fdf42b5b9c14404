"""The files of a release, listed strictly: whatever is not a regular file in its place is a difference."""

import stat
from collections.abc import Mapping
from pathlib import Path

from resources.digests import digest_file


def differences(folder: Path, recorded: Mapping[str, str], besides: frozenset[str]) -> list[str]:
    """Every way in which ``folder`` is not ``{relative path: hex SHA-256}``; ``besides`` are files not hashed here."""
    if folder.is_symlink() or not folder.is_dir():
        return [f"not a folder: {folder.name}"]
    found: list[str] = []
    seen: set[str] = set()
    folders = {parent.as_posix() for name in (*recorded, *besides) for parent in Path(name).parents}
    for path in sorted(folder.rglob("*")):
        name, mode = path.relative_to(folder).as_posix(), path.lstat().st_mode
        if stat.S_ISDIR(mode):
            found += [] if name in folders else [f"unexpected folder: {name}"]
        elif not stat.S_ISREG(mode):
            found.append(f"{'link' if stat.S_ISLNK(mode) else 'not a regular file'}: {name}")
            seen.add(name)
        elif name in recorded:
            seen.add(name)
            if digest_file(path) != recorded[name]:
                found.append(f"changed: {name}")
        elif name not in besides:
            found.append(f"unexpected: {name}")
    missing = sorted(recorded.keys() - seen)
    return found + [f"missing: {name}" for name in missing]
