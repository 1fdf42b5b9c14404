"""One engine for all tests of the room: loading it takes some seconds."""

from collections.abc import Callable
from typing import Any

import pytest

from assets.record import Origin, Record
from assets.sanitized.sanitize import Sanitized, Sanitizer
from assets.sanitized.settings import SanitizeSettings
from resources.pii_engine import PiiEngine
from resources.vault import Vault

Redact = Callable[..., list[Sanitized]]


@pytest.fixture(scope="session")
def engine() -> PiiEngine:
    from assets.sanitized.detector import build_engine

    return build_engine()


@pytest.fixture
def redact(engine: PiiEngine) -> Redact:
    """``redact({fields}, ..., vault=..., **settings)`` runs records through a sanitiser of their own."""

    def run(*rows: dict[str, Any], vault: Vault | None = None, **settings: Any) -> list[Sanitized]:
        sanitizer = Sanitizer(SanitizeSettings(residual_rows=0, **settings), vault, engine)
        return list(sanitizer.sanitize(record(fields, at) for at, fields in enumerate(rows)))

    return run


@pytest.fixture
def clean(redact: Redact) -> Callable[..., str]:
    """``clean(text)``: a lone text, sanitised."""

    def run(text: str, **settings: Any) -> str:
        [row] = redact({"text": text}, **settings)
        return str(row.outcome.record.fields["text"])

    return run


def record(fields: dict[str, Any], line: int = 0) -> Record:
    return Record(f"row{line}", fields, Origin("test.jsonl", "1", line + 1, "00"))
