"""The short texts that the safety classifier is made from: requests, orders to obey, and how answers open.

They lie beside this module in ``items/``, all written for this project; the requests and answers of the golden set's
training side join them. No harmful answer is among them: complying answers are openings, or say nothing of use.

==========================  =============================================================================
``harmful_acts.txt``        what a harmful request asks for; ``wordings.txt`` puts it in many registers
``harmless_acts.txt``       what looks like it or is everyday, in the same wordings
``harmful_requests.txt``    requests that are no act: jokes, questions, role plays; ``harmless_requests.txt``
``contrasts.yaml``          templates that share their words and differ in what they ask for
``everyday.yaml``           what people and assistants say to each other all day
``scenes.yaml``             prose, how-to texts, tool calls and studies in which force and crime occur
``obedience.txt``           orders to obey without limits, and promises to; ``ordinary_roles.txt`` looks like it
``orders.yaml``             the same in templates
``declining.txt``           how answers decline; ``complying.txt`` how they do not
==========================  =============================================================================
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from assets.golden.items import load_golden
from assets.golden.judges import read_labelled
from resources.digests import digest_json

FOLDER = Path(__file__).parent / "items"
CONTROL = "control.yaml"  # is never trained on
WORDINGS_AN_ACT = 4
FILLINGS_A_TEMPLATE = 22
FILLINGS_A_TURN = 10
FILLINGS_A_SCENE = 16
FILLINGS_AN_ORDER = 14
SCENES = ("story", "howto", "family", "tool", "study")
OPENING = 40  # words of an answer that tell whether it declines
AMONG_OTHERS = 0.2  # of the requests and orders stand beside a harmless sentence
ORDINARY_SUITES = ("task", "instruction", "edge", "passage", "injection", "choice")


@dataclass(frozen=True, slots=True)
class Example:
    """A text and what it is: it asks for harm, it orders (or promises) to obey without limits, it declines.

    None: not said, and not trained on."""

    text: str
    harm: bool | None = None
    obeys: bool | None = None
    declines: bool | None = None

    @property
    def labels(self) -> tuple[bool | None, bool | None, bool | None]:
        return self.harm, self.obeys, self.declines


def read_lines(name: str) -> list[str]:
    """The texts of a file of ``items/``; a line that begins with ``#`` is a comment."""
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def examples(seed: int = 0) -> list[Example]:
    """Every text that is trained on, in a fixed order."""
    rng = random.Random(seed)
    harmful, harmless = list(_requests("harmful", rng)), list(_requests("harmless", rng))
    turns = [text for kind in ("user", "assistant") for text in _filled("everyday.yaml", kind, FILLINGS_A_TURN, rng)]
    scenes = [text for kind in SCENES for text in _filled("scenes.yaml", kind, FILLINGS_A_SCENE, rng)]
    ordinary = [*harmless, *_everyday(), *turns, *scenes]
    made = [Example(_beside(text, ordinary, rng), harm=True, obeys=False) for text in harmful]
    made += [Example(text, harm=False, obeys=False) for text in ordinary]
    orders = read_lines("obedience.txt") * 2 + list(_filled("orders.yaml", "harmful", FILLINGS_AN_ORDER, rng))
    roles = read_lines("ordinary_roles.txt") * 2 + list(_filled("orders.yaml", "harmless", FILLINGS_AN_ORDER, rng))
    made += [Example(_beside(text, [*roles, *ordinary], rng), obeys=True) for text in orders]
    made += [Example(text, harm=False, obeys=False) for text in roles]
    return made + list(_answers())


def digest() -> str:
    """Digest of the files of ``items/`` that are trained on: weights made of other texts are stale.

    The golden set's own items are not in it: they are few among these, and it is edited for other reasons."""
    files = sorted(file for file in FOLDER.iterdir() if file.name != CONTROL)
    return digest_json([[file.name, file.read_text(encoding="utf-8")] for file in files])


def _requests(kind: str, rng: random.Random) -> Iterator[str]:
    wordings = read_lines("wordings.txt")
    for act in read_lines(f"{kind}_acts.txt"):
        yield from (wording.format(act=act) for wording in rng.sample(wordings, WORDINGS_AN_ACT))
    yield from read_lines(f"{kind}_requests.txt")
    yield from (item.prompt for item in load_golden().suites[kind])
    yield from _filled("contrasts.yaml", kind, FILLINGS_A_TEMPLATE, rng)


def _filled(name: str, kind: str, times: int, rng: random.Random) -> Iterator[str]:
    """The templates of one kind, each filled from the slots at random, no text twice."""
    grammar = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    for template in grammar[kind]:
        fillings = [{slot: rng.choice(words) for slot, words in grammar["slots"].items()} for _ in range(times)]
        texts = dict.fromkeys(template.format(**filling) for filling in fillings)
        yield from (text[0].upper() + text[1:] for text in texts)


def _everyday() -> Iterator[str]:
    """Prompts and reference answers of the golden suites that have nothing to do with safety."""
    suites = load_golden().suites
    for name in ORDINARY_SUITES:
        for item in suites[name]:
            yield from (text for text in (item.prompt, item.reference) if text)


def _beside(text: str, others: list[str], rng: random.Random) -> str:
    if rng.random() > AMONG_OTHERS:
        return text
    pair = [text, rng.choice(others)]
    rng.shuffle(pair)
    return " ".join(pair)


def _answers() -> Iterator[Example]:
    yield from (Example(text, declines=True) for text in read_lines("declining.txt"))
    yield from (Example(text, declines=False) for text in read_lines("complying.txt"))
    for item in read_labelled():
        if item.half == "train" and item.answer.strip():
            yield Example(" ".join(item.answer.split()[:OPENING]), declines=item.refuses)
