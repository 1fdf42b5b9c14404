"""From overlapping candidate spans to the ones that are redacted.

The rule that matters: **never half a value**. Where two spans overlap, the stronger keeps its characters and the rest
of the weaker stays a span of its own if it still carries a letter or digit.

>>> found = [Span(0, 10, "PERSON", "ner", .8), Span(6, 14, "PHONE_NUMBER", "phone", .9)]
>>> [(span.start, span.end, span.type) for span in resolve("Anna 5 5550100", found)]
[(0, 6, 'PERSON'), (6, 14, 'PHONE_NUMBER')]
"""

import bisect
import dataclasses
import re
from collections.abc import Iterable

from resources.pii_engine import Span

# A placeholder this stage writes. The number makes it unlike text that people write.
PLACEHOLDER = re.compile(r"\[[A-Z][A-Z_]*_\d+\]")

# Which type wins an overlap: what is proven by form or checksum before what is guessed from words.
RANK = {
    type_: rank
    for rank, types in enumerate(
        (
            ("PRIVATE_KEY", "CREDENTIAL"),
            ("SECRET", "PASSWORD"),
            ("EMAIL_ADDRESS", "PROFILE_URL", "IBAN_CODE", "IP_ADDRESS", "MAC_ADDRESS", "CRYPTO_WALLET"),
            ("CREDIT_CARD", "US_SSN", "GEO_COORDINATE"),
            ("STREET_ADDRESS",),
            ("NATIONAL_ID", "HEALTH_ID", "TAX_ID", "PASSPORT", "DRIVER_LICENSE", "VEHICLE_ID", "DEVICE_ID"),
            ("DATE_OF_BIRTH", "AGE"),
            ("BANK_ACCOUNT", "ACCOUNT_NUMBER", "RECORD_NUMBER", "USERNAME", "POSTCODE"),
            ("PHONE_NUMBER",),
            ("PERSON",),
        )
    )
    for type_ in types
}
LAST = len(RANK)


def resolve(text: str, spans: Iterable[Span]) -> list[Span]:
    """Non-overlapping spans in order, trimmed of white space, none of them touching an existing placeholder."""
    barriers = [match.span() for match in PLACEHOLDER.finditer(text)]
    ordered = sorted(spans, key=lambda span: (RANK.get(span.type, LAST), -len(span), -span.score, span.start))
    taken: list[tuple[int, int]] = sorted(barriers)
    kept: list[Span] = []
    for span in ordered:
        for part in _free(span.start, span.end, taken):
            start, end = _trim(text, *part)
            whole = start <= span.start and end >= span.end
            if start < end and (whole or any(map(str.isalnum, text[start:end]))):
                piece = dataclasses.replace(span, start=start, end=end)
                kept.append(piece)
                bisect.insort(taken, (start, end))
    return sorted(kept, key=lambda span: span.start)


def _free(start: int, end: int, taken: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The parts of ``start..end`` that no interval of the sorted, disjoint ``taken`` covers."""
    free = []
    index = max(0, bisect.bisect_left(taken, (start, start)) - 1)
    while index < len(taken) and taken[index][0] < end:
        low, high = taken[index]
        if high > start:
            if low > start:
                free.append((start, low))
            start = max(start, high)
        index += 1
    if start < end:
        free.append((start, end))
    return free


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return start, end
