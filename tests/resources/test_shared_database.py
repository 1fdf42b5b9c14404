"""A SQLite file that several processes share."""

import multiprocessing
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from resources.shared_database import connect

SCHEMA = "CREATE TABLE IF NOT EXISTS seen (who INTEGER)"


def _write(path: Path, who: int, start: Any) -> None:
    start.wait()
    database = connect(path, SCHEMA)
    database.execute("INSERT INTO seen VALUES (?)", (who,))
    database.close()


def test_processes_that_open_a_new_file_at_once_all_write_to_it(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    for turn in range(10):
        path, start = tmp_path / f"{turn}.sqlite", context.Event()
        processes = [context.Process(target=_write, args=(path, who, start)) for who in range(4)]
        for process in processes:
            process.start()
        start.set()
        for process in processes:
            process.join(60)
        assert [process.exitcode for process in processes] == [0] * 4
        database = connect(path, SCHEMA)
        assert database.execute("SELECT COUNT(*) FROM seen").fetchone()[0] == 4
        assert database.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        database.close()


def test_a_file_that_is_no_database_is_an_error_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite"
    path.write_text("these are notes, not a database" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        connect(path, SCHEMA)
    assert path.read_text().startswith("these are notes")
