"""Which scanner finds credentials: Hallmark's rules, CredSweeper with its model, detect-secrets, on the same texts.

    python tests/benchmarks/sanitize_secrets.py [--seed 1]

Positives are built at run time from the published formats of more than sixty providers (``tests/credentials.py``);
negatives are look-alikes. A positive counts as found when every letter and digit of the secret lies in a finding.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from assets.sanitized.secrets.scanner import SecretRecognizer

sys.path.append(str(Path(__file__).parents[1]))
from credentials import credentials, look_alikes

Scanner = Callable[[Sequence[str]], list[list[str]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--errors", action="store_true")
    options = parser.parse_args()
    positives, negatives = list(credentials(options.seed)), list(look_alikes(options.seed, 25))
    print(f"{len(positives)} credentials of {len({one[0] for one in positives})} kinds, {len(negatives)} look-alikes")
    for name, scan in (("hallmark", hallmark()), ("credsweeper", credsweeper()), ("detect-secrets", detect_secrets())):
        started = time.perf_counter()
        found = scan([text for _, text, _ in positives])
        alarms = scan([text for _, text in negatives])
        seconds = time.perf_counter() - started
        hits = [covers(text, secret, values) for (_, text, secret), values in zip(positives, found, strict=True)]
        touched = [bool(values) for values in found]
        false = Counter(kind for (kind, _), values in zip(negatives, alarms, strict=True) if values)
        print(
            f"{name:15} recall {sum(hits) / len(hits):.3f} (touched {sum(touched) / len(hits):.3f})  "
            f"look-alikes {sum(false.values()) / len(negatives):.3f}  "
            f"{(len(positives) + len(negatives)) / seconds:.0f} texts/s"
        )
        if options.errors and name == "hallmark":
            print("  missed", [provider for (provider, _, _), hit in zip(positives, hits, strict=True) if not hit])
            print("  false", false.most_common())


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
    recognizer = SecretRecognizer()
    return lambda texts: [[text[span.start : span.end] for span in recognizer.find(text, ())] for text in texts]


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


if __name__ == "__main__":
    main()
