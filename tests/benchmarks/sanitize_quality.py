"""How much personal data ``hallmark sanitize`` finds, by type, with its false alarms.

    python -m tests.benchmarks.sanitize_quality [--data ../shared/data] [--half tune|report|all] [--errors N]

``pii_sentences.jsonl`` (presidio-research, synthetic sentences) is split by template, ``pii_chat.jsonl`` (MultiDoGO,
customers' turns) by domain; rules were tuned on one half and the other is reported. A value counts as found when every
one of its letters and digits is inside a redaction. "Registers" are templates of this project (letters, tickets, chat,
forms, calls, reports; ``tests/personal_places.py``), split by template, with people of twenty countries. Intervals are Wilson's, 95 %.
"""

import argparse
import json
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assets.record import Origin, Record
from assets.sanitized.sanitize import Sanitizer
from assets.sanitized.settings import SanitizeSettings
from tests.benchmarks import figures
from tests.benchmarks.figures import Figure, of_share

sys.path.append(str(Path(__file__).parents[1]))
from personal_places import TYPES, clean, labelled

DATA = Path(__file__).parents[2].parent / "shared" / "data"
# What the default policy removes, by the names of the data sets.
SENTENCES = (
    "PERSON STREET_ADDRESS PHONE_NUMBER EMAIL_ADDRESS CREDIT_CARD IBAN_CODE US_SSN IP_ADDRESS "
    "US_DRIVER_LICENSE AGE ZIP_CODE"
).split()
CHAT = {
    "name": "name",
    "email_address": "e-mail",
    "phonenumber": "phone",
    "phone_number": "phone",
    "card_number": "card",
    "ssn": "SSN",
    "address": "address",
    "account_number": "account",
    "target_account_number": "account",
    "password": "password",
}
TUNE_DOMAINS = ("finance", "airline", "software")


@dataclass(slots=True)
class Score:
    found: Counter[str] = field(default_factory=Counter)
    total: Counter[str] = field(default_factory=Counter)
    characters: int = 0
    right: int = 0
    clean_turns: int = 0
    alarmed_turns: int = 0
    misses: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    alarms: list[str] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--half", choices=("tune", "report", "all"), default="report")
    parser.add_argument("--errors", type=int, default=0, help="print so many misses of each type and false alarms")
    figures.option(parser)
    options = parser.parse_args()
    taken: list[Figure] = []
    sanitizer = Sanitizer(SanitizeSettings())
    for name, mapping, tuned in (
        ("pii_sentences.jsonl", {type_: type_ for type_ in SENTENCES}, lambda row: row["template_id"] // 2 % 2 == 0),
        ("pii_chat.jsonl", CHAT, lambda row: row["domain"] in TUNE_DOMAINS),
    ):
        rows = [json.loads(line) for line in (options.data / name).open(encoding="utf-8")]
        rows = [row for row in rows if options.half == "all" or tuned(row) == (options.half == "tune")]
        taken += show(name, options.half, len(rows), measure(sanitizer, rows, mapping), options.errors)
    rows = list(registers(options.half))
    taken += show(
        "registers",
        options.half,
        len(rows),
        measure(sanitizer, rows, {type_: type_ for type_ in TYPES.values()}),
        options.errors,
    )
    figures.write(options.json, taken)


def registers(half: str) -> Iterator[dict[str, Any]]:
    """Every template five times, each with values of its own, and the texts without people."""
    for part in ("tune", "report") if half == "all" else (half,):
        for seed in range(1, 6):
            for _, text, spans in labelled(seed, part):
                yield {
                    "text": text,
                    "spans": [{"type": type_, "start": start, "end": end} for type_, start, end in spans],
                }
        yield from ({"text": text, "spans": []} for text in clean(part))


def measure(sanitizer: Sanitizer, rows: list[dict[str, Any]], mapping: dict[str, str]) -> Score:
    score = Score()
    records = (
        Record(str(index), {"text": row["text"]}, Origin("bench", "", index, "")) for index, row in enumerate(rows)
    )
    for row, sanitized in zip(rows, sanitizer.sanitize(records), strict=True):
        text = row["text"]
        covered = {at for one in sanitized.redactions for at in range(one.start, one.end) if text[at].isalnum()}
        gold = {at for span in row["spans"] for at in range(span["start"], span["end"])}
        for span in row["spans"]:
            if (type_ := mapping.get(span["type"])) is None:
                continue
            letters = {at for at in range(span["start"], span["end"]) if text[at].isalnum()}
            score.total[type_] += 1
            score.found[type_] += letters <= covered
            if not letters <= covered:
                score.misses[type_].append(mark(text, row["spans"], sanitized.redactions))
        score.characters += len(covered)
        score.right += len(covered & gold)
        if covered - gold:
            score.alarms.append(mark(text, row["spans"], sanitized.redactions))
        if not row["spans"]:
            score.clean_turns += 1
            score.alarmed_turns += bool(sanitized.redactions)
    return score


def mark(text: str, gold: Iterable[dict[str, Any]], redactions: Iterable[Any]) -> str:
    marks = [f"{span['type']}={text[span['start'] : span['end']]!r}" for span in gold]
    found = [f"{one.type}:{one.rule}={text[one.start : one.end]!r}" for one in redactions]
    return f"{text!r}\n      gold {marks}\n      found {found}"


def wilson(hits: int, n: int) -> tuple[float, float]:
    if n == 0:
        return 0.0, 1.0
    p, z = hits / n, 1.96
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return centre - half, centre + half


def show(name: str, half: str, rows: int, score: Score, errors: int) -> list[Figure]:
    source = name.removesuffix(".jsonl")
    print(f"\n{name}, {half}: {rows} rows")
    for type_, total in score.total.most_common():
        low, high = wilson(score.found[type_], total)
        print(f"  {type_:20} {score.found[type_] / total:.3f}  [{low:.3f}, {high:.3f}]  {score.found[type_]}/{total}")
        for miss in score.misses[type_][:errors]:
            print(f"    miss {miss}")
    taken = [of_share(f"{source}: {type_}", score.found[type_], n) for type_, n in score.total.most_common()]
    total = sum(score.total.values())
    print(f"  {'all':20} {sum(score.found.values()) / total:.3f}  n {total}")
    print(f"  character precision  {score.right / max(1, score.characters):.3f}  of {score.characters}")
    if score.clean_turns:
        share = score.alarmed_turns / score.clean_turns
        print(f"  rows without PII     {score.clean_turns}, with a redaction {score.alarmed_turns} ({share:.3f})")
        taken.append(of_share(f"{source}: alarms where there is nothing", score.alarmed_turns, score.clean_turns))
    for alarm in score.alarms[: 4 * errors]:
        print(f"    alarm {alarm}")
    return taken


if __name__ == "__main__":
    main()
