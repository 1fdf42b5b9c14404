"""Stops every connection and name lookup beyond this machine, in this process and in every Python it starts.

Python imports ``sitecustomize`` at start-up from the first place on its path, so a test run that puts this folder on
``PYTHONPATH`` guards its subprocesses too. An audit hook (PEP 578) sees each call on its way into the C library: no
library can hold an unpatched reference to it, and it cannot be taken off again. What was tried is also appended to the
file named by ``HALLMARK_EGRESS_LOG``, because a library may swallow the error.
"""

import os
import sys
from typing import Any

LOCAL_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})
WILDCARD = frozenset({"", "0.0.0.0", "::"})
CONNECTIONS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
LOOKUPS = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})


class EgressError(OSError):
    """Something beyond this machine was called."""


def forbidden(event: str, arguments: tuple[Any, ...]) -> str:
    """What the audited call would have reached; empty if it stays on this machine."""
    if event in LOOKUPS:
        host = arguments[0]
        name = host.decode(errors="replace") if isinstance(host, bytes) else host
        return "" if name is None or name in LOCAL_HOSTS | WILDCARD else f"{event} {name}"
    if event in CONNECTIONS:
        address = arguments[1]
        if not isinstance(address, tuple) or address[0] in LOCAL_HOSTS:  # not a tuple: a unix or netlink socket
            return ""
        return f"{event} {address[0]}:{address[1]}"
    return ""


def guard(event: str, arguments: tuple[Any, ...]) -> None:
    if not event.startswith("socket."):
        return
    target = forbidden(event, arguments)
    if target:
        log = os.environ.get("HALLMARK_EGRESS_LOG")
        if log:
            with open(log, "a", encoding="utf-8") as stream:  # noqa: PTH123 - pathlib may not be importable yet
                stream.write(f"{target} from {sys.argv[:3]}\n")
        raise EgressError(f"egress is not allowed: {target}")


if os.environ.get("HALLMARK_EGRESS_LOG"):
    sys.addaudithook(guard)
