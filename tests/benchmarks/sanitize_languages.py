"""How much personal data ``hallmark sanitize`` finds in languages other than English, by type, with its false alarms.

    python -m tests.benchmarks.sanitize_languages [--half report|tune|other|held_back] [--seeds 5] [--language de] [--errors N] [--json FILE]

The texts are this project's own (``tests/spoken``): letters, chats, tickets and contracts, split by template, and styles
that no rule was made on ("other", "held_back"); half of the people have names that the sanitiser's lists do not know. A value counts
as found when every one of its letters and digits is inside a redaction; a row is sanitised as the command does it, with
the default policy, and its language is told by the sanitiser. Character precision counts redacted letters and digits
that belong to a value. Intervals are Wilson's, 95 %.
"""

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from assets.golden.inference.statistics import share_interval
from assets.record import Origin, Record
from assets.sanitized.sanitize import Sanitizer
from assets.sanitized.settings import SanitizeSettings
from tests.benchmarks import figures
from tests.benchmarks.figures import Figure, of_share

sys.path.append(str(Path(__file__).parents[1]))
from spoken_people import LANGUAGES, Labelled, clean, labelled

TYPES = {
    "PERSON": "persons",
    "PERSON, not listed": "persons on no list of names",
    "STREET_ADDRESS": "street addresses",
    "IDENTIFIER": "national identifiers",
    "PHONE_NUMBER": "telephone numbers",
    "IBAN_CODE": "IBANs",
    "EMAIL_ADDRESS": "e-mail addresses",
}
BARS = {"PERSON": 0.90, "STREET_ADDRESS": 0.85, "precision": 0.85}
BAR = 0.97


@dataclass(slots=True)
class Score:
    found: Counter[str] = field(default_factory=Counter)
    total: Counter[str] = field(default_factory=Counter)
    redacted: int = 0
    right: int = 0
    clean: int = 0
    alarmed: int = 0
    misses: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    alarms: list[str] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", choices=("tune", "report", "other", "held_back"), default="report")
    parser.add_argument("--seeds", type=int, default=5, help="how often each template is filled in")
    parser.add_argument("--language", choices=LANGUAGES, help="one language alone")
    parser.add_argument("--errors", type=int, default=0, help="print so many misses of each type and false alarms")
    figures.option(parser)
    options = parser.parse_args()
    found: list[Figure] = []
    sanitizer = Sanitizer(SanitizeSettings(residual_rows=0))
    for language in (options.language,) if options.language else LANGUAGES:
        texts = [text for seed in range(options.seeds) for text in labelled(language, options.half, seed)]
        score = measure(sanitizer, texts, clean(language, options.half))
        show(language, options.half, len(texts), score, options.errors)
        found.extend(published(language, score))
    figures.write(options.json, found)


def published(language: str, score: Score) -> Iterator[Figure]:
    for type_, name in TYPES.items():
        if n := score.total[type_]:
            yield of_share(name, score.found[type_], n, language)
    precision = score.right / max(1, score.redacted)
    yield Figure("character precision", precision, language, score.redacted, unit="share")
    yield of_share("texts with nobody in them, touched", score.alarmed, score.clean, language)


def measure(sanitizer: Sanitizer, texts: list[Labelled], nobody: Iterable[str]) -> Score:
    score = Score()
    everything = [*texts, *(Labelled("clean", text, ()) for text in nobody)]
    records = (Record(str(at), {"text": each.text}, Origin("bench", "", at, "")) for at, each in enumerate(everything))
    for each, sanitized in zip(everything, sanitizer.sanitize(records), strict=True):
        text = each.text
        covered = {at for one in sanitized.redactions for at in range(one.start, one.end) if text[at].isalnum()}
        gold = {at for _, start, end, _ in each.spans for at in range(start, end)}
        for type_, start, end, listed in each.spans:
            letters = {at for at in range(start, end) if text[at].isalnum()}
            for name in (type_, "PERSON, not listed") if type_ == "PERSON" and not listed else (type_,):
                score.total[name] += 1
                score.found[name] += letters <= covered
            if not letters <= covered:
                score.misses[type_].append(
                    f"{text[start:end]!r} in {text!r}\n      found {_told(text, sanitized.redactions)}"
                )
        score.redacted += len(covered)
        score.right += len(covered & gold)
        if covered - gold:
            score.alarms.append(f"{text!r}\n      found {_told(text, sanitized.redactions)}")
        if each.register == "clean":
            score.clean += 1
            score.alarmed += bool(sanitized.redactions)
    return score


def _told(text: str, redactions: Iterable[object]) -> list[str]:
    return [f"{one.type}:{one.rule}={text[one.start : one.end]!r}" for one in redactions]  # type: ignore[attr-defined]


def show(language: str, half: str, rows: int, score: Score, errors: int) -> None:
    print(f"\n{language}, {half}: {rows} texts")
    for type_ in TYPES:
        hits, n = score.found[type_], score.total[type_]
        if n:
            low, high = share_interval(hits, n)
            print(f"  {type_:22} {hits / n:.3f}  [{low:.3f}, {high:.3f}]  {hits}/{n}{_below(type_, hits / n)}")
        for miss in score.misses[type_][:errors]:
            print(f"    miss {miss}")
    precision = score.right / max(1, score.redacted)
    print(f"  {'character precision':22} {precision:.3f}  of {score.redacted}{_below('precision', precision)}")
    for alarm in score.alarms[:errors]:
        print(f"    alarm {alarm}")
    low, high = share_interval(score.alarmed, score.clean)
    print(
        f"  {'clean texts touched':22} {score.alarmed / score.clean:.3f}  [{low:.3f}, {high:.3f}]  {score.alarmed}/{score.clean}"
    )


def _below(type_: str, value: float) -> str:
    bar = BARS.get(type_.partition(",")[0], BAR)
    return f"  below {bar:.2f}" if value < bar else ""


if __name__ == "__main__":
    main()
