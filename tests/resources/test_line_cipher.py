"""Lines at rest: the same line gives the same bytes, another key opens nothing, a changed byte is noticed."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.errors import VaultError
from resources.line_cipher import LineCipher

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))


@given(st.text())
def test_a_line_comes_back_and_is_not_in_what_is_stored(line: str) -> None:
    line = line.encode("utf-8", "ignore").decode()
    sealed = LineCipher(KEY).seal(line)
    assert LineCipher(KEY).open(sealed) == line
    assert sealed == LineCipher(KEY).seal(line)
    assert "\n" not in sealed


def test_another_key_or_a_changed_byte_opens_nothing() -> None:
    sealed = LineCipher(KEY).seal("4111 1111 1111 1111")
    assert b"4111" not in base64.b64decode(sealed)
    with pytest.raises(VaultError):
        LineCipher(OTHER).open(sealed)
    broken = bytearray(base64.b64decode(sealed))
    broken[-1] ^= 1
    with pytest.raises(VaultError):
        LineCipher(KEY).open(base64.b64encode(bytes(broken)).decode())
