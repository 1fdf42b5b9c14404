"""The search for leaks itself: it finds a planted value in every form in which a file may hide it."""

import base64
import gzip
import json
import sqlite3
import zipfile
import zlib
from pathlib import Path

import pytest

from tests.leaks import PLANTED, lines, search

MAIL = PLANTED["mail"]
HIDDEN = {
    "plain.txt": f"wrote to {MAIL}.".encode(),
    "rows.jsonl": json.dumps({"body": json.dumps({"mail": MAIL})}).encode(),
    "wide.txt": MAIL.encode("utf-16-le"),
    "encoded.txt": base64.b64encode(f"x{MAIL}, and more".encode()),
    "shifted.txt": base64.b64encode(f"xy{MAIL}, and more".encode()),
    "aligned.txt": base64.b64encode(MAIL.encode()),
    "hex.txt": MAIL.encode().hex().encode(),
    "packed.gz": gzip.compress(MAIL.encode()),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_a_value_is_found_however_it_is_written(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(HIDDEN[name])
    assert search(tmp_path)["mail"] == {name}


def test_a_value_is_found_in_databases_archives_and_file_names(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "events.db") as database:
        database.execute("create table events (body blob)")
        database.execute("insert into events values (?)", (zlib.compress(f"metadata {MAIL}".encode()),))
    database.close()
    with zipfile.ZipFile(tmp_path / "bundle.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", MAIL * 50)
    (tmp_path / MAIL).touch()
    assert search(tmp_path)["mail"] == {"events.db", "bundle.zip", MAIL}


def test_what_is_left_out_is_not_searched_and_clean_files_are_clean(tmp_path: Path) -> None:
    (tmp_path / "vault").mkdir()
    (tmp_path / "vault" / "a.jsonl").write_text("\n".join(lines()))
    (tmp_path / "clean.txt").write_text("[PERSON_1] wrote")
    assert search(tmp_path, without=("vault",)) == {}
    assert set(search(tmp_path)) == set(PLANTED)
