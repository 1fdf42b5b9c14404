"""Time as records write it: UTC, ISO 8601, whole seconds, so that text order is time order."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from resources.errors import IntegrityError

if TYPE_CHECKING:
    from resources.decision_log import Entry

FORMAT = "%Y-%m-%dT%H:%M:%SZ"
TOLERANCE = timedelta(minutes=5)  # machines that write one log may disagree by this much


def utc(moment: datetime | None = None) -> str:
    """``moment``, or now."""
    return (moment or datetime.now(UTC)).astimezone(UTC).strftime(FORMAT)


def parse(text: str) -> datetime:
    """The moment a record names; anything but the one format is a ``ValueError``."""
    return datetime.strptime(text, FORMAT).replace(tzinfo=UTC)


def not_before(chain: "Sequence[Entry]", moment: datetime | None = None) -> datetime:
    """Now, unless the clock stands before the last decision of the log.

    A clock set back would make an expired approval valid again, so that is an ``IntegrityError``.
    """
    now = moment or datetime.now(UTC)
    if chain and now < parse(chain[-1].at) - TOLERANCE:
        raise IntegrityError(f"the clock says {utc(now)}, but the last decision was recorded at {chain[-1].at}")
    return now
