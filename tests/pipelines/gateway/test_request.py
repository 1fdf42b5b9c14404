"""Requests are read strictly: whatever is wrong with one is said, and is never an error of the gateway's."""

import pytest

from pipelines.gateway.request import read
from resources.errors import InputError

CHAT = b'"messages": [{"role": "user", "content": "hi \\ud83d\\ude00"}]'


def test_a_plain_request_is_understood() -> None:
    asked = read(b'{%s, "stop": "x", "max_tokens": 5000}' % CHAT).for_engine(100)
    assert (asked.prompt(), asked.stop, asked.max_tokens) == ("hi \U0001f600", ("x",), 100)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{%s, %s}" % (CHAT, CHAT),
        b'{%s, "temperature": NaN}' % CHAT,
        b'{%s, "temperature": 1e999}' % CHAT,
        b'{%s, "seed": 1e999, "user": "\\ud83d"}' % CHAT,
        b'{%s, "n": 2}' % CHAT,
        b'{%s, "best_of": 2}' % CHAT,
        b'{"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}',
        b'{"messages": [{"role": "user", "content": "\xff"}]}',
        b'{"messages": ' + b"[" * 5000,
    ],
)
def test_what_is_wrong_is_said(body: bytes) -> None:
    with pytest.raises(InputError, match="request"):
        read(body)
