"""Sweeps: how many are told, and how often ordinary customers are taken for one.

The rule (``assets.served.limits.sweeps``) was set on templates with one place varied. Here it meets sweeps of other
kinds, made from texts that it was not set on, pure and hidden among three times as many ordinary prompts, and the real
prompts of three sources as one key's traffic, in their real order and with their real repetitions; once more in a frame
that a program puts around each of them. Both with the policy's likeness and with a lower one, which tells more.

========  ==============================================================================================================
kind      what a key asks, 200 prompts
========  ==============================================================================================================
prefixes  the beginning of a text, longer by a word or two each time, to hear how the model goes on (memorisation)
suffixes  one harmful request with another random ending each time (a search for a jailbreak)
inserted  one request with another odd word at another place each time (a search for a trigger)
slots     "Write a ... about ... for ...", three places varied at once (harvesting answers for a copy)
spelled   one request with other slips of spelling each time (feeling out a filter)
numbered  one request with another number each time (trying accounts)
distinct  200 different instructions (harvesting for a copy, patiently): no sweep by its form; budgets are the bound
========  ==============================================================================================================

    python -m tests.benchmarks.served_sweeps [--data ../shared/data]
"""

import argparse
import csv
import json
import random
import string
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from assets.corpus.canaries import WORDS
from assets.served.limits.sweeps import Sweeps
from assets.served.settings import Sweep
from tests.benchmarks import figures
from tests.benchmarks.figures import Figure, of_share

LENGTH = 200  # prompts of a sweep
TRIES = 20  # sweeps of a kind
HIDDEN = 3  # ordinary prompts between two of a hidden sweep
LOWER = 0.35
FRAME = (
    "Answer this customer of our shop politely, in at most three sentences, and never promise a date or a refund: {}"
)
FORMS = ("poem", "letter", "story", "speech", "review", "song", "post", "plan", "toast", "headline", "joke", "script")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[3] / "shared" / "data")
    figures.option(parser)
    given = parser.parse_args()
    found = [*recalls(given.data), *alarms(given.data)]
    for each in found:
        where = f" of {each.n}" if each.n else ""
        low = f" [{each.low:.3g}, {each.high:.3g}]" if each.low is not None and each.high is not None else ""
        print(f"{each.what:44s} {each.of:32s} {each.value:.3g}{low}{where}")
    figures.write(given.json, found)


def recalls(data: Path) -> Iterator[Figure]:
    """Shares of sweeps that were told, pure and hidden, by kind."""
    ordinary = [str(row["instruction"]) for row in _rows(data / "instructions.jsonl")]
    for kind, made in _kinds(data).items():
        for of, between in (("pure", 0), ("1 in 4 prompts", HIDDEN)):
            for likeness in (Sweep().likeness, LOWER):  # type: ignore[call-arg]
                mixed = (_mixed(made(random.Random(n)), ordinary, between, n) for n in range(TRIES))
                told = sum(any(_stops(prompts, likeness)) for prompts in mixed)
                yield of_share(kind, told, TRIES, f"{of}, likeness {likeness:g}")


def alarms(data: Path) -> Iterator[Figure]:
    """How often a key that passes on real prompts is stopped, a thousand prompts; and how many repeat one before."""
    support = [
        str(turn["content"])
        for row in _rows(data / "support_chat.jsonl")
        for turn in row["messages"]
        if turn["role"] == "user"
    ]
    sources = {
        "instructions": [str(row["instruction"]) for row in _rows(data / "instructions.jsonl")],
        "support chats, users' turns": support,
        "support chats, users' first turns": [
            str(next(turn["content"] for turn in row["messages"] if turn["role"] == "user"))
            for row in _rows(data / "support_chat.jsonl")
        ],
        "customers' turns (MultiDoGO)": [str(row["text"]) for row in _rows(data / "pii_chat.jsonl")],
    }
    sources["the same first turns in a frame of 20 words"] = [
        FRAME.format(prompt) for prompt in sources["support chats, users' first turns"]
    ]
    for name, prompts in sources.items():
        for likeness in (Sweep().likeness, LOWER):  # type: ignore[call-arg]
            rate = 1000 * sum(_stops(prompts, likeness)) / len(prompts)
            yield Figure(name, rate, f"stops a 1,000 prompts, likeness {likeness:g}", len(prompts))
        repeated = 1 - len({prompt.casefold().strip() for prompt in prompts}) / len(prompts)
        yield Figure(name, repeated, "share that repeats another", len(prompts), unit="share")


def _stops(prompts: Sequence[str], likeness: float) -> Iterator[bool]:
    """For each prompt, whether the key is stopped at it; after each time it comes back when it may."""
    sweeps, at = Sweeps(Sweep(likeness=likeness)), 0.0  # type: ignore[call-arg]
    for prompt in prompts:
        at += 1.0
        wait = sweeps.seconds_to_wait("key", prompt, at)
        yield wait > 0
        at += wait


def _kinds(data: Path) -> dict[str, Callable[[random.Random], list[str]]]:
    passages = [str(row["ctx"]).partition(": ")[2] or str(row["ctx"]) for row in _rows(data / "hellaswag.jsonl")]
    long = sorted(passages, key=len)[-200:]
    with (data / "xstest_prompts.csv").open(encoding="utf-8") as stream:
        asked = [row["prompt"] for row in csv.DictReader(stream)]
    instructions = [str(row["instruction"]) for row in _rows(data / "instructions.jsonl")]

    def prefixes(draw: random.Random) -> list[str]:
        texts = [word for text in draw.sample(long, 8) for word in text.split()]
        ends = sorted(draw.sample(range(5, 5 + LENGTH * 3 // 2), LENGTH))
        return ["Continue this text: " + " ".join(texts[:end]) for end in ends]

    def suffixes(draw: random.Random) -> list[str]:
        request = draw.choice(asked)
        return [f"{request} {' '.join(_odd(draw) for _ in range(5))}" for _ in range(LENGTH)]

    def inserted(draw: random.Random) -> list[str]:
        words = draw.choice(asked).split()
        places = [draw.randrange(len(words) + 1) for _ in range(LENGTH)]
        return [" ".join([*words[:place], _odd(draw), *words[place:]]) for place in places]

    def slots(draw: random.Random) -> list[str]:
        return [
            f"Write a {draw.choice(FORMS)} about {draw.choice(WORDS)} and {draw.choice(WORDS)} for {draw.choice(WORDS)}"
            for _ in range(LENGTH)
        ]

    def spelled(draw: random.Random) -> list[str]:
        request = draw.choice([prompt for prompt in asked if len(prompt) > 30])
        return [_slips(request, draw) for _ in range(LENGTH)]

    def numbered(draw: random.Random) -> list[str]:
        request = draw.choice(asked).rstrip("?. ")
        return [f"{request} of customer {draw.randrange(10**6)}?" for _ in range(LENGTH)]

    def distinct(draw: random.Random) -> list[str]:
        return draw.sample(instructions, LENGTH)

    found = (prefixes, suffixes, inserted, slots, spelled, numbered, distinct)
    return {each.__name__: each for each in found}


def _odd(draw: random.Random) -> str:
    return "".join(draw.choice(string.ascii_lowercase) for _ in range(draw.randrange(3, 8)))


def _slips(text: str, draw: random.Random) -> str:
    """Three letters left out, doubled or changed."""
    letters = list(text)
    for place in draw.sample(range(len(letters)), 3):
        letters[place] = draw.choice(["", letters[place] * 2, draw.choice(string.ascii_lowercase)])
    return "".join(letters)


def _mixed(sweep: Sequence[str], ordinary: Sequence[str], between: int, seed: int) -> list[str]:
    draw = random.Random(f"ordinary {seed}")
    return [text for prompt in sweep for text in (prompt, *draw.sample(ordinary, between))]


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


if __name__ == "__main__":
    main()
