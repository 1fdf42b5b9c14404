"""Access keys of the gateway: made by ``hallmark keys``, kept as digests only.

A key is 256 random bits, so that its plain SHA-256 cannot be guessed; the file gives nothing away that opens a door.

>>> import tempfile
>>> keys = AccessKeys(Path(tempfile.mkdtemp()) / "keys.json")
>>> secret = keys.create("shop")
>>> keys.name_of(secret), keys.name_of("hmk_wrong"), secret in keys.path.read_text()
('shop', None, False)
>>> keys.revoke("shop"); keys.name_of(secret) is None
True
"""

import dataclasses
import json
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from resources.artifacts import write_whole
from resources.clock import utc
from resources.digests import digest_bytes
from resources.errors import IntegrityError, UsageError

PREFIX = "hmk_"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class AccessKey:
    """``digest`` is the hex SHA-256 of the secret; ``revoked_at`` is empty while the key opens."""

    name: str
    digest: str
    created_at: str
    revoked_at: str = ""


class AccessKeys:
    """The keys in one file; read anew when the file changed, so that a revocation counts at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int] | None = None
        self._names: dict[str, str] = {}

    def create(self, name: str) -> str:
        """Make a key and return its secret, which is shown this once."""
        if not _NAME.fullmatch(name):
            raise UsageError(f"a key's name is letters, digits and . _ - (at most 64), not {name!r}")
        secret = PREFIX + secrets.token_urlsafe(32)
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._lock():
            keys = self.all()
            if any(key.name == name for key in keys):
                raise UsageError(f"there is a key {name} already; a revoked one's name stays its own")
            self._write([*keys, AccessKey(name, digest_bytes(secret.encode()), utc())])
        return secret

    def revoke(self, name: str) -> None:
        with self._lock():
            keys = self.all()
            if not any(key.name == name and not key.revoked_at for key in keys):
                raise UsageError(f"there is no key {name} that opens")
            self._write([dataclasses.replace(key, revoked_at=utc()) if key.name == name else key for key in keys])

    def all(self) -> list[AccessKey]:
        try:
            return [AccessKey(**body) for body in json.loads(self.path.read_bytes())]
        except FileNotFoundError:
            return []
        except (ValueError, TypeError) as error:
            raise IntegrityError(f"{self.path} is not readable; without it no key opens") from error

    def name_of(self, secret: str) -> str | None:
        """Whose key this is; None for no key, a wrong one and a revoked one."""
        try:
            state = self.path.stat()
        except FileNotFoundError:
            return None
        now = (state.st_mtime_ns, state.st_ino)
        if now != self._seen:
            self._names = {key.digest: key.name for key in self.all() if not key.revoked_at}
            self._seen = now
        return self._names.get(digest_bytes(secret.encode("utf-8", "surrogatepass")))

    def _lock(self) -> FileLock:
        return FileLock(f"{self.path}.lock")

    def _write(self, keys: list[AccessKey]) -> None:
        write_whole(self.path, json.dumps([dataclasses.asdict(key) for key in keys], indent=1).encode() + b"\n")
