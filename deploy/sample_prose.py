"""The prose of the sample drops: hand-written questions and answers of a fictional parcel carrier's support desk.

``sample_desk/<team>.txt`` holds topics, separated by blank lines. A topic has questions (``Q``) and as many answers: an
answer marked ``A`` fits every question, one marked ``=`` only the question in its own place. ``{one|other}`` are equal
choices, ``<depot>`` is a slot filled from ``slots.txt``, with the same value in a question and its answer.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DESK = Path(__file__).parent / "sample_desk"
NOT_TOPICS = {"asides.txt", "personal.txt", "slots.txt"}
_CHOICE = re.compile(r"\{([^{}]*)\}")
_SLOT = re.compile(r"<([a-z]+)>")


@dataclass(frozen=True, slots=True)
class Topic:
    """``answers[i]`` are those that fit ``questions[i]``."""

    team: str
    questions: tuple[str, ...]
    answers: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question with its answer, in plain prose."""

    team: str
    question: str
    answer: str


@cache
def topics() -> tuple[Topic, ...]:
    return tuple(topic for path in sorted(DESK.glob("*.txt")) if path.name not in NOT_TOPICS for topic in _read(path))


@cache
def slots() -> dict[str, list[str]]:
    lines = (DESK / "slots.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split(": ", 1) for line in lines)
    return {name: values.split(" | ") for name, values in pairs}


@cache
def lines(name: str) -> dict[str, list[str]]:
    """The lines of a file by the heading (``# ...``) above them."""
    found: dict[str, list[str]] = {}
    heading = ""
    for line in (DESK / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            heading = line[2:]
        elif line:
            found.setdefault(heading, []).append(line.replace("\\n", "\n"))
    return found


def _read(path: Path) -> Iterator[Topic]:
    blocks = path.read_text(encoding="utf-8").strip().split("\n\n")
    team, _, first = blocks[0].partition("\n")
    for block in (first, *blocks[1:]):
        said = [(line[0], line[2:]) for line in block.splitlines()]
        questions = [text for mark, text in said if mark == "Q"]
        answers = [(mark, text) for mark, text in said if mark != "Q"]
        fitting = [
            tuple(text for place, (mark, text) in enumerate(answers) if mark == "A" or place == number)
            for number in range(len(questions))
        ]
        yield Topic(team.removeprefix("# "), tuple(questions), tuple(fitting))


class Prose:
    """Draws exchanges so that every topic comes up about equally often and no two rows are nearly the same."""

    def __init__(self, random_source: random.Random) -> None:
        self.random = random_source
        self._rounds = self._endless()
        self._told: dict[Topic, list[set[tuple[str, ...]]]] = {}

    def exchange(self, team: str | None = None) -> Exchange:
        topic = self.random.choice([each for each in topics() if each.team == team]) if team else next(self._rounds)
        told = self._told.setdefault(topic, [])
        best = min((self._draw(topic) for _ in range(12)), key=lambda drawn: self._likeness(drawn, told))
        told.append(_trigrams(best))
        return best

    def fill(self, text: str, values: dict[str, str] | None = None) -> str:
        """Choose among alternatives and fill slots; ``values`` keeps what was chosen for the next text."""
        values = values if values is not None else {}
        while match := _CHOICE.search(text):
            text = text[: match.start()] + self.random.choice(match[1].split("|")) + text[match.end() :]
        for name in _SLOT.findall(text):
            if name in slots():
                values.setdefault(name, self.random.choice(slots()[name]))
        return _SLOT.sub(lambda match: values.get(match[1], match[0]), text)

    def pick(self, slot: str) -> str:
        return self.random.choice(slots()[slot])

    def aside(self) -> str:
        return self.random.choice(next(iter(lines("asides.txt").values())))

    def with_aside(self, question: str, aside: str) -> str:
        """The question with small talk before, inside or behind it."""
        sentence = f"{aside[0].upper()}{aside[1:]}."
        sentences = re.split(r"(?<=[.!?]) ", question)
        styles = [f"{sentence} {question}", f"{question} {sentence}", f"{aside}, and {uncapitalized(question)}"]
        if len(sentences) > 1:
            styles += [" ".join([sentences[0], sentence, *sentences[1:]])] * 2
        else:
            styles += [f"{question} ({sentence})"]
        return self.random.choice(styles)

    def _endless(self) -> Iterator[Topic]:
        while True:
            yield from self.random.sample(topics(), len(topics()))

    def _draw(self, topic: Topic) -> Exchange:
        values: dict[str, str] = {}
        number = self.random.randrange(len(topic.questions))
        question = self.fill(topic.questions[number], values)
        answer = self.fill(self.random.choice(topic.answers[number]), values)
        return Exchange(topic.team, question, answer)

    @staticmethod
    def _likeness(drawn: Exchange, told: list[set[tuple[str, ...]]]) -> float:
        mine = _trigrams(drawn)
        return max((len(mine & earlier) / len(mine | earlier) for earlier in told), default=0.0)


def uncapitalized(text: str) -> str:
    """The text as it goes on behind a comma."""
    return text if re.match(r"I\b|[A-Z]{2}", text) else text[0].lower() + text[1:]


def _trigrams(exchange: Exchange) -> set[tuple[str, ...]]:
    words = f"{exchange.question} {exchange.answer}".lower().split()
    return set(zip(words, words[1:], words[2:], strict=False))
