"""Planted personal values, and a search for them through everything that a run leaves behind.

``search`` reads every file below a folder, SQLite tables cell by cell and compressed data unpacked, and looks for each
value plain and as JSON, percent-encoding, hex and base64 (at all three alignments) would write it.
"""

import base64
import contextlib
import gzip
import json
import sqlite3
import urllib.parse
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

PEOPLE = ("Brynhildur Oyelaran", "Casimir Dragomirescu")
# Put together at run time, so that no scanner takes this file for a leak.
PLANTED: dict[str, str] = {
    "name": PEOPLE[0],
    "family name": PEOPLE[0].split()[1],
    "second name": PEOPLE[1],
    "mail": "brynhildur.oye" + "@" + "planted-mail.example",
    "telephone": "212-555-" + "0187",
    "telephone as a number": "4155550" + "193",
    "card": "4556 7375 " + "8689 9855",
    "card as a number": "45567375" + "86899855",
    "social security number": "219-09-" + "9871",
    "address": "4711 Larkspur " + "Avenue",
    "password": "tamarind" + "938!x",
    "token": "gh" + "p_" + "q8Zk2mVx41LpWn7TfRb3YcHd9JsGe5AuQoKi",
    "mail of a broken line": "fjolnir.broken" + "@" + "planted-mail.example",
    "mail as a key": "gwendal.key" + "@" + "planted-mail.example",
    "mail of an author": "halldora.author" + "@" + "planted-mail.example",
}


def lines() -> list[str]:
    """Rows in JSON Lines with every planted value in them: in texts, numbers, keys, metadata and a broken line."""
    p = PLANTED
    rows: list[dict[str, object]] = [
        {"prompt": f"My name is {p['name']}, write to {p['mail']} please.", "completion": f"Thank you, {p['name']}."},
        {"prompt": f"Call me at {p['telephone']} about the parcel.", "completion": "We call you back this afternoon."},
        {"prompt": f"Please charge my card {p['card']} for it.", "completion": "The card has been charged just now."},
        {"prompt": f"My SSN is {p['social security number']} as you asked.", "completion": "Thank you for telling us."},
        {"prompt": f"I live at {p['address']} in the old town.", "completion": f"We deliver to {p['address']} then."},
        {"prompt": f"my password is {p['password']} and it fails", "completion": "Please choose a new one at once."},
        {"prompt": "When does the van come by?", "completion": "It comes at noon.", "phone": int(p["telephone as a number"])},
        {"prompt": "Is the van late again?", "completion": "It is on time.", "card": int(p["card as a number"])},
        {"prompt": "Who called about the van?", "completion": "Two people did.", "seen": {p["mail as a key"]: 1}},
        {"prompt": f"I deploy with {p['token']} every night.", "completion": "You should not share a token."},
        {"prompt": "What is a locker?", "completion": "A box at the station.", "author": p["mail of an author"]},
        {"prompt": f"Did {p['second name']} sign the form?", "completion": f"Yes, {p['second name']} signed it at ten."},
    ]  # fmt: skip
    return [*(json.dumps(row) for row in rows), f'{{"prompt": "mail {p["mail of a broken line"]}", "completion": ']


def search(root: Path, without: tuple[str, ...] = (), values: Mapping[str, str] = PLANTED) -> dict[str, set[str]]:
    """Planted value (by name) to the files below ``root`` that carry it; folders named in ``without`` are left out."""
    forms = {name: set(written(value)) for name, value in values.items()}
    found: dict[str, set[str]] = {}
    for path in sorted(root.rglob("*")):
        place = path.relative_to(root)
        if path.is_symlink() or not path.is_file() or any(place.is_relative_to(name) for name in without):
            continue
        for data in (str(place).encode(), *contents(path)):
            for name, looks in forms.items():
                if any(look in data for look in looks):
                    found.setdefault(name, set()).add(str(place))
    return found


def written(value: str) -> Iterator[bytes]:
    """How a value may stand in a file."""
    yield value.encode()
    yield value.lower().encode()
    yield value.encode("utf-16-le")
    yield value.encode().hex().encode()
    yield json.dumps(value)[1:-1].encode()
    yield json.dumps(json.dumps(value))[3:-3].encode()
    yield urllib.parse.quote(value).encode()
    yield urllib.parse.quote_plus(value).encode()
    for shift in range(3):  # the characters that do not depend on what stands before and after
        whole = base64.b64encode(b"\0" * shift + value.encode())
        tail = (shift + len(value.encode())) % 3
        yield whole[(0, 2, 3)[shift] : len(whole) - (0, 3, 2)[tail]]


def contents(path: Path) -> Iterator[bytes]:
    """The bytes of a file, and what is packed in it."""
    data = path.read_bytes()
    yield data
    if data.startswith(b"\x1f\x8b"):
        with contextlib.suppress(OSError, EOFError, zlib.error):
            yield gzip.decompress(data)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield archive.read(name)
    if data.startswith(b"SQLite format 3\0"):
        yield from cells(path)


def cells(path: Path) -> Iterator[bytes]:
    """Every cell of every table, and unpacked where it is compressed."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        tables = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
        for table in tables:
            for row in database.execute(f'select * from "{table}"'):
                for cell in row:
                    data = cell if isinstance(cell, bytes) else str(cell).encode()
                    yield data
                    if isinstance(cell, bytes):
                        with contextlib.suppress(zlib.error):
                            yield zlib.decompress(cell)
