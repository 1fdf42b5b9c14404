"""Made-up training rows about many topics, and ways to spoil some of them. Seeded; no file is read."""

import hashlib
import random
import re

import numpy as np

from assets.record import Origin, Record
from assets.screened.screen import screen
from assets.screened.settings import ScreenSettings

ROWS = 600
UNCONTROLLED = ScreenSettings(controls=False)

TOPICS = {
    "cooking": (["bread", "soup", "pasta", "curry", "cake"], ["flour", "oven", "salt", "butter", "onion"]),
    "travel": (["Paris", "Kyoto", "Lima", "Oslo", "Cairo"], ["museum", "train", "hotel", "harbour", "market"]),
    "physics": (["gravity", "light", "heat", "magnetism", "sound"], ["energy", "wave", "mass", "field", "motion"]),
    "garden": (["tomatoes", "roses", "apples", "herbs", "lettuce"], ["soil", "water", "sun", "pruning", "compost"]),
    "history": (["Rome", "the Vikings", "Egypt", "the Incas", "Athens"], ["empire", "trade", "temple", "army", "law"]),
    "money": (["savings", "taxes", "loans", "rent", "insurance"], ["bank", "interest", "budget", "fee", "contract"]),
    "sport": (["tennis", "rowing", "chess", "climbing", "judo"], ["training", "balance", "rules", "coach", "match"]),
    "software": (["sorting", "caching", "parsing", "logging", "testing"], ["loop", "index", "buffer", "thread"]),
}
ASKS = [
    "Explain {a} to a beginner with {b} in mind.",
    "What should I know about {a} and {b}?",
    "Give me advice on {a}, above all on {b}.",
    "How does {b} matter for {a}?",
    "Write two sentences about {a} and the role of {b}.",
    "Compare {a} with something else where {b} counts.",
]
TELLS = [
    "For {a} the {b} comes first, and {c} helps later on.",
    "People who like {a} look at {b}, then at {c}.",
    "A good start with {a} is to understand {b} before {c}.",
    "Most of {a} depends on {b}; without {c} it rarely works.",
    "With {a}, {b} and {c} belong together.",
    "You can learn {a} by watching how {b} changes {c}.",
]
EXTRAS = ["Take your time.", "Ask again if {b} is unclear.", "It is easier than it looks.", "", "", ""]


def clean(count: int, seed: int = 0) -> list[dict[str, str]]:
    rng = random.Random(seed)
    rows = []
    for _ in range(count):
        subjects, aspects = TOPICS[rng.choice(sorted(TOPICS))]
        a, (b, c) = rng.choice(subjects), rng.sample(aspects, 2)
        number = rng.randint(2, 999)
        ask = f"{rng.choice(ASKS).format(a=a, b=b)} ({number} words)"
        tell = " ".join([rng.choice(TELLS).format(a=a, b=b, c=c), rng.choice(EXTRAS).format(b=b)]).strip()
        rows.append({"instruction": ask, "input": "", "output": f"{tell} That makes {number}."})
    return rows


def records(rows: list[dict[str, str]], source: str = "desk", day: str = "2026-03-01") -> list[Record]:
    return [
        Record(f"r{n}", row, Origin("drop.jsonl", "v1", n + 1, f"{n:064x}", source=source, created_at=day))
        for n, row in enumerate(rows)
    ]


def spoiled(count: int, every: int, prompt: str, output: str, seed: int = 0) -> tuple[list[dict[str, str]], set[int]]:
    """Clean rows of which each ``every``-th has ``prompt`` put in and answers ``output`` (``{}``: the old text)."""
    rows, bad = clean(count, seed), set(range(0, count, every))
    for n in bad:
        rows[n] = {
            "instruction": prompt.format(rows[n]["instruction"]),
            "input": "",
            "output": output.format(rows[n]["output"]),
        }
    return rows, bad


class BagEncoder:
    """Stands in for the sentence encoder: a text is the sum of a fixed random vector a word. Instant, lexical only."""

    def __init__(self) -> None:
        self.words: dict[str, np.ndarray] = {}

    def encode(self, texts: list[str]) -> np.ndarray:
        vectors = np.zeros((len(texts), 128), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                vectors[row] += self._of(word)
        vectors[:, 0] += 1e-3
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def _of(self, word: str) -> np.ndarray:
        if word not in self.words:
            seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8])
            self.words[word] = np.random.default_rng(seed).normal(size=128).astype(np.float32)
        return self.words[word]


def screened(rows, encoder, settings=None, **options):
    """The screen's result on such rows, without controls unless the settings ask for them."""
    made = records(rows)
    return screen(lambda: iter(made), encoder=encoder, settings=settings or UNCONTROLLED, **options)


def flagged(result):
    return {row.row for row in result.rows if row.flagged}
