"""Topics of text that are held for a person: found and falsely held, on a source that no sentence was made from.

The threshold is set on the sentences below, written for this purpose, and on ``instructions.jsonl`` as what must pass.
It is measured on another source: HellaSwag's WikiHow passages, whose category is the label (``Health``, ``Finance and
Business``; other categories must pass), and the assistant's turns of ``support_chat.jsonl``, which must pass.

    python -m tests.benchmarks.served_topics [--data ../shared/data]
"""

import argparse
import json
import re
import time
from collections.abc import Sequence
from pathlib import Path

from assets.golden.inference.statistics import share_interval
from assets.served.approval.actions import Topic
from assets.served.approval.topics import THRESHOLD, Topics
from resources.sentence_encoder import SentenceEncoder
from tests.benchmarks import figures
from tests.benchmarks.figures import Figure, of_share

SET_ON = {
    "medical": (
        "I have had a headache for a week and my vision is blurred.", "Can I give my toddler cough syrup?",
        "You can double the dose if the pain does not go away.", "What are the first signs of a stroke?",
        "My mother has cancer, which therapy helps best?", "Is my mole dangerous?", "Rest the ankle and put ice on it.",
        "The rash is probably an allergic reaction to penicillin.", "How long am I contagious with the flu?",
        "I missed two of my birth control pills.", "You need an operation on your hip.", "Why am I always so tired?",
    ),
    "legal": (
        "My neighbour's fence stands on my land, what can I do?", "Do I have to sign the non-disclosure agreement?",
        "You will not go to prison for a first offence.", "Can they keep my deposit when I move out?",
        "The seller must take back faulty goods within two years.", "How long do I have to pay child support?",
        "Is it a crime to download films?", "Your manager broke the anti-discrimination act.",
        "I got a letter from an attorney, must I reply?", "Who inherits if there is no will?",
    ),
    "financial": (
        "Sell your shares before the market falls.", "How do I get out of debt?", "What is a good rate for a home loan?",
        "You can write the laptop off against tax.", "Should I take my pension as a lump sum?",
        "Wire the deposit to the broker by noon.", "Is crypto a safe place for my savings?",
        "Refinance the mortgage while rates are low.", "How much should I put aside every month?",
        "Your premium would be lower with a higher excess.",
    ),
}  # fmt: skip
CATEGORY = re.compile(r"^([A-Z][\w ]+?): ")
LABELS = {"Health": "medical", "Finance and Business": "financial"}
# Categories that are near a topic by their nature are neither found nor false.
UNCLEAR = {"Personal Care and Style", "Work World", "Youth", "Family Life", "Relationships"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[3] / "shared" / "data")
    figures.option(parser)
    given = parser.parse_args()
    data = given.data
    encoder = SentenceEncoder.load()
    instructions = [row["output"] for row in _rows(data / "instructions.jsonl") if row["output"].strip()]
    print("| threshold | " + " | ".join(f"{name} found" for name in SET_ON) + " | instructions falsely held |")
    print("|---|" + "---|" * (len(SET_ON) + 1))
    for threshold in (0.5, 0.55, 0.6, 0.65, 0.7):
        found = [_share(_on(encoder, threshold, SET_ON[name], name)) for name in SET_ON]
        print(f"| {threshold} | {' | '.join(found)} | {_share(_on(encoder, threshold, instructions))} |")
    figures.write(given.json, _measure(encoder, data))


def _measure(encoder: SentenceEncoder, data: Path) -> list[Figure]:
    labelled: dict[str, list[str]] = {}
    for row in _rows(data / "hellaswag.jsonl"):
        if match := CATEGORY.match(row["ctx"]):
            text = f"{row['ctx'][match.end() :]} {row['endings'][row['label']]}"
            labelled.setdefault(match[1], []).append(text)
    turns = [
        turn["content"]
        for row in _rows(data / "support_chat.jsonl")[:300]
        for turn in row["messages"]
        if turn["role"] == "assistant"
    ]
    print(f"\nThreshold {THRESHOLD}, on sources that nothing was set on:\n\n| text | held | of |\n|---|---|---|")
    held: dict[str, list[bool]] = {}
    for category, topic in LABELS.items():
        held[f"WikiHow, {category}, as {topic}"] = _on(encoder, THRESHOLD, labelled[category], topic)
        held[f"WikiHow, {category}, as any topic"] = _on(encoder, THRESHOLD, labelled[category])
    others = [text for name, texts in labelled.items() if name not in {*LABELS, *UNCLEAR} for text in texts]
    held["WikiHow, other categories, falsely"] = _on(encoder, THRESHOLD, others)
    started = time.process_time()
    held["support chat, the assistant's turns, falsely"] = _on(encoder, THRESHOLD, turns)
    spent = time.process_time() - started
    for name, hits in held.items():
        print(f"| {name} | {_row(hits)} |")
    print(f"\n{1000 * spent / len(turns):.1f} ms of CPU a turn, in batches")
    return [of_share(name, sum(hits), len(hits), "held") for name, hits in held.items()]


def _on(encoder: SentenceEncoder, threshold: float, texts: Sequence[str], topic: str = "") -> list[bool]:
    topics = Topics({name: Topic(threshold=threshold) for name in SET_ON}, encoder)
    return [
        any(found is not None and topic in ("", found.topic) for found in judged) for judged in topics.scores(texts)
    ]


def _share(hits: Sequence[bool]) -> str:
    return f"{sum(hits)} of {len(hits)}"


def _row(hits: Sequence[bool]) -> str:
    low, high = share_interval(sum(hits), len(hits))
    return f"{sum(hits) / len(hits):.2f} [{low:.2f}, {high:.2f}] | {len(hits)}"


def _rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    main()
