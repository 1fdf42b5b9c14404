"""Which scanner finds secrets: Hallmark as it ships, Kingfisher, CredSweeper with its model, detect-secrets.

    python -m tests.benchmarks.sanitize_secrets [--seed 1] [--half tune|report] [--errors]

Four sets, all built at run time. Named: the published formats of more than sixty providers (``tests/credentials.py``),
which rules know. Unnamed: token shapes of forty providers that no rule of ours names. Places: some hundred contexts in
which secrets live. Against these, look-alikes and contexts in which nothing is secret. Unnamed, places and their
negatives are split; rules saw the half "tune" only. A secret counts as found when every letter and digit of it lies in
a finding; a negative text counts as alarmed by any finding of a secret. Intervals are Wilson's, 95 %.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from assets.record import Origin, Record
from assets.sanitized.residual import share
from assets.sanitized.sanitize import Sanitizer
from assets.sanitized.settings import SanitizeSettings
from tests.benchmarks import figures
from tests.benchmarks.figures import Figure, of_share

sys.path.append(str(Path(__file__).parents[1]))
from credentials import credentials, look_alikes
from secret_places import harmless, places, unnamed

SECRET = frozenset({"CREDENTIAL", "PRIVATE_KEY", "SECRET", "PASSWORD"})
KINDS = {
    "named": "named formats",
    "unnamed": "tokens that no rule of ours names",
    "places": "places that secrets live in",
    "look-alikes": "look-alikes (alarms)",
    "harmless": "nothing secret (alarms)",
}
SEEDS = 3  # values drawn for each context
Scanner = Callable[[Sequence[str]], list[list[str]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--half", choices=("tune", "report"), default="report")
    parser.add_argument("--errors", action="store_true", help="print what Hallmark misses and where it alarms")
    figures.option(parser)
    options = parser.parse_args()
    found_figures: list[Figure] = []
    seeds = range(options.seed, options.seed + SEEDS)
    positives = {
        "named": list(credentials(options.seed)),
        "unnamed": [one for seed in seeds for one in unnamed(seed, options.half)],
        "places": [one for seed in seeds for one in places(seed, options.half)],
    }
    negatives = {
        "look-alikes": [text for _, text in look_alikes(options.seed, 25)],
        "harmless": list(harmless(options.seed, options.half)),
    }
    for name, load in SCANNERS.items():
        scan = load()
        started = time.process_time()
        print(f"{name}, half {options.half}")
        for kind, cases in positives.items():
            found = scan([text for _, text, _ in cases])
            hits = [covers(text, secret, values) for (_, text, secret), values in zip(cases, found, strict=True)]
            show(kind, sum(hits), len(hits))
            found_figures.append(of_share(KINDS[kind], sum(hits), len(hits), name))
            if options.errors and name == "hallmark":
                missed = Counter(case[0] for case, hit in zip(cases, hits, strict=True) if not hit)
                print("    missed", missed.most_common())
        for kind, texts in negatives.items():
            alarmed = [text for text, values in zip(texts, scan(texts), strict=True) if values]
            show(kind, len(alarmed), len(texts))
            found_figures.append(of_share(KINDS[kind], len(alarmed), len(texts), name))
            if options.errors and name == "hallmark":
                print("    alarms", alarmed)
        count = sum(map(len, positives.values())) + sum(map(len, negatives.values()))
        print(f"  {count / (time.process_time() - started):.0f} texts a CPU second")
    figures.write(options.json, found_figures)


def show(kind: str, hits: int, n: int) -> None:
    metric = share(hits, n)
    print(f"  {kind:12} {metric.value:.3f}  [{metric.ci_low:.3f}, {metric.ci_high:.3f}]  {hits}/{n}")


def covers(text: str, secret: str, values: list[str]) -> bool:
    """Whether the found values together cover the secret's letters and digits."""
    covered: set[int] = set()
    for value in values:
        at = text.find(value)
        while value and at >= 0:
            covered.update(range(at, at + len(value)))
            at = text.find(value, at + 1)
    start = text.find(secret)
    return all(at in covered for at in range(start, start + len(secret)) if text[at].isalnum())


def hallmark() -> Scanner:
    sanitizer = Sanitizer(SanitizeSettings(residual_rows=0))

    def scan(texts: Sequence[str]) -> list[list[str]]:
        records = (Record(str(at), {"text": text}, Origin("bench", "", at, "")) for at, text in enumerate(texts))
        return [
            [text[one.start : one.end] for one in row.redactions if one.type in SECRET]
            for text, row in zip(texts, sanitizer.sanitize(records), strict=True)
        ]

    return scan


def kingfisher() -> Scanner:
    from kingfisher_sdk import Rules
    from kingfisher_sdk import Scanner as Kingfisher

    engine = Kingfisher(Rules())
    return lambda texts: [[one.secret for one in engine.scan(text) if one.visible] for text in texts]


def credsweeper() -> Scanner:
    from credsweeper.app import CredSweeper
    from credsweeper.file_handler.string_content_provider import StringContentProvider

    engine = CredSweeper(use_filters=True, ml_threshold=0.5)

    def scan(texts: Sequence[str]) -> list[list[str]]:
        found: list[list[str]] = []
        for text in texts:
            candidates = engine.file_scan(StringContentProvider(text.splitlines()))
            engine.credential_manager.set_credentials(candidates)
            engine.post_processing(lambda *_: None)
            kept = engine.credential_manager.get_credentials()
            found.append([line.value for one in kept for line in one.line_data_list if line.value])
        return found

    return scan


def detect_secrets() -> Scanner:
    from detect_secrets.core.scan import scan_line
    from detect_secrets.settings import default_settings

    def scan(texts: Sequence[str]) -> list[list[str]]:
        with default_settings():
            return [[one.secret_value or "" for line in text.splitlines() for one in scan_line(line)] for text in texts]

    return scan


SCANNERS: dict[str, Callable[[], Scanner]] = {
    "hallmark": hallmark,
    "kingfisher": kingfisher,
    "credsweeper": credsweeper,
    "detect-secrets": detect_secrets,
}

if __name__ == "__main__":
    main()
