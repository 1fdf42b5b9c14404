"""The catalogue of Kingfisher (MongoDB, Apache-2.0): some 480 formats of providers, matched in process by Vectorscan.

It is read only where a text holds a word that could be a token; its compiled form is kept in the user's cache folder,
so that loading takes 0.3 s the second time. Scanning never uses the network.
"""

import functools
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from assets.sanitized.secrets.values import is_example
from resources.pii_engine import Span

if TYPE_CHECKING:
    from kingfisher_sdk import Scanner

# The end of a sentence, which the catalogue would take for a part of the token.
STOP = re.compile(r"[.,:;!?)\]](?=\s|$)")
# Rules that name an account or a place rather than a secret.
NO_SECRET = re.compile(
    r"(?:client|application|app|account|tenant|project|key|access|auth|token|api)-id(?:\.\d+)?$|public-(?:key|api-token)|domain|cloud-name|account-name|username|token-name|-url(?:\.\d+)?$"
)


@functools.cache
def _scanner() -> "Scanner":
    from kingfisher_sdk import Rules, Scanner

    return Scanner(Rules())


def catalogued(text: str) -> Iterator[Span]:
    """Spans of the tokens that the catalogue knows."""
    wide = None
    for finding in _scanner().scan(STOP.sub(" ", text)):
        if (
            not finding.visible
            or finding.is_base64_encoded
            or NO_SECRET.search(finding.rule_id)
            or is_example(finding.secret)
        ):
            continue
        start, end = finding.location["start_offset"], finding.location["end_offset"]
        if not text.isascii():  # offsets count bytes
            wide = wide or text.encode()
            start, end = len(wide[:start].decode()), len(wide[:end].decode())
        within = text.find(finding.secret, start, end)
        if within >= 0:
            start, end = within, within + len(finding.secret)
        yield Span(start, end, "CREDENTIAL", f"secret.{finding.rule_id.split('.')[1]}", 0.95)
