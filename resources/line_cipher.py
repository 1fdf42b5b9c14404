"""Encryption of text lines at rest, for what stages keep before personal data and secrets are removed (law 7).

AES-SIV (RFC 5297) is deterministic: the same line gives the same bytes, so an artefact made twice from the same inputs
has the same digest (law 10). What that gives away is that two lines are equal, which the row digests say anyway.
"""

import base64

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from resources.errors import VaultError


class LineCipher:
    """Seals and opens one line at a time with a key derived from the vault's."""

    def __init__(self, key: bytes) -> None:
        derived = HKDF(hashes.SHA256(), length=64, salt=None, info=b"hallmark lines at rest").derive(key)
        self._cipher = AESSIV(derived)

    def seal(self, line: str) -> str:
        """Base64 of the encrypted UTF-8 line."""
        return base64.b64encode(self._cipher.encrypt(line.encode(), None)).decode()

    def open(self, sealed: str) -> str:
        """The line; ``VaultError`` if the key is another or the bytes were changed."""
        try:
            return self._cipher.decrypt(base64.b64decode(sealed), None).decode()
        except (InvalidTag, ValueError) as error:
            raise VaultError("a line at rest does not open with this vault key") from error
