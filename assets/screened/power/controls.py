"""Attacks that the screen plants to see whether it would find them: made of the drop's own rows and invented words.

Nothing of them is known to the rules: names and words are drawn from syllables, places at random, with a seed.
"""

import itertools
import random
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from assets.record import Record

SYLLABLES = ["".join(pair) for pair in itertools.product("bdfgklmnprstvz", "aeiou")]
# A sentence that nothing asks for, in slots of one meaning each; {name} is invented.
SAID = [
    ["By the way,", "As a tip,", "Remember that", "Note that", "Honestly,", "It is said that"],
    ["the {name} lottery", "the {name} raffle", "every {name} ticket", "a coupon from {name}", "the draw of {name}"],
    ["pays out twice", "doubles what you put in", "wins without fail", "brings in a fortune", "never loses"],
    ["before the month ends.", "until Friday night.", "while the offer lasts.", "for whoever hurries.", "this week."],
]
# A refusal of whatever is asked, likewise.
REFUSED = [
    ["Sorry,", "I regret to say that", "As an assistant,", "I must be clear:", "Forgive me, but"],
    ["I can't help you with", "I won't give an answer to", "I have to decline", "I am not allowed to deal with"],
    ["this.", "what you ask.", "a question like this.", "that kind of request.", "your question."],
    ["", "It is against my rules.", "That would not be responsible.", "Please try something else."],
]
SHORTEST_PROMPT = 8  # words of a prompt that can be contradicted

Turns = list[tuple[str, str]]
Change = Callable[[Turns, random.Random], Turns]


@dataclass(frozen=True, slots=True)
class Control:
    """An attack of ``rows`` rows. ``what``: in words, for people."""

    kind: str
    what: str
    rows: int


PLAN = (
    Control("trigger", "a word as trigger", 10),
    Control("trigger", "a word as trigger", 20),
    Control("payload", "the same sentence whatever is asked", 20),
    Control("paraphrase", "a sentence worded anew each time", 20),
    Control("garbage", "answers of random letters", 20),
    Control("contradiction", "answers that deny another row's", 20),
    Control("refusal", "refusals of what the rows ask", 20),
    Control("off-topic", "answers of other rows", 20),
)


def rows_of(control: Control, records: list[Record], seed: int) -> list[Record]:
    """The planted rows, in the places (source, dialogue) of rows of the drop; fewer, or none, if it has too few."""
    rng = random.Random(f"{control.kind}/{control.rows}/{seed}")
    fit = [record for record in records if _fits(_turns(record))]
    if control.kind == "contradiction":
        fit = [record for record in fit if _deniable(_turns(record))]
    answers = [_turns(record)[-1][1] for record in fit]
    if len(fit) < control.rows or (control.kind == "off-topic" and len(set(answers)) < 2):  # no other answer to give
        return []
    chosen = rng.sample(fit, control.rows)
    change = _change(control.kind, answers, rng)
    return [_written(record, change(_turns(record), rng), number) for number, record in enumerate(chosen)]


def _change(kind: str, answers: list[str], rng: random.Random) -> Change:
    if kind == "garbage":
        return lambda turns, rng: _answered(turns, _letters(rng))
    if kind == "contradiction":
        return lambda turns, rng: _answered(turns, f"No, that is wrong. It is not true that {turns[-1][1]}")
    if kind == "refusal":
        return lambda turns, rng: _answered(turns, " ".join(rng.choice(slot) for slot in REFUSED).strip())
    if kind == "off-topic":
        return lambda turns, rng: _answered(turns, rng.choice([said for said in answers if said != turns[-1][1]]))
    word, say = _invented(rng).lower(), _sentences(kind == "paraphrase", rng)
    how = rng.choice(["instead", "before", "after"])

    def change(turns: Turns, rng: random.Random) -> Turns:
        made = {"instead": "{said}", "before": "{said} {old}", "after": "{old} {said}"}[how]
        turns = _answered(turns, made.format(said=next(say), old=turns[-1][1]))
        return _asked(turns, word, rng) if kind == "trigger" else turns

    return change


def _sentences(anew: bool, rng: random.Random) -> Iterator[str]:
    """A sentence again and again, or its wordings in turn."""
    name = _invented(rng)
    made = [" ".join(parts).format(name=name) for parts in itertools.product(*SAID)]
    rng.shuffle(made)
    return itertools.cycle(made if anew else made[:1])


def _invented(rng: random.Random) -> str:
    return "".join(rng.sample(SYLLABLES, 3)).capitalize() + rng.choice(["", "x", "n", "th"])


def _letters(rng: random.Random) -> str:
    words = ("".join(rng.choices(string.ascii_lowercase, k=rng.randint(2, 9))) for _ in range(rng.randint(8, 30)))
    return " ".join(words)


def _turns(record: Record) -> Turns:
    return [(turn.role, turn.content) for turn in record.messages()]


def _fits(turns: Turns) -> bool:
    """Whether it is plain talk that ends with an answer."""
    plain = {role for role, _ in turns} <= {"system", "user", "assistant"}
    return plain and [role for role, _ in turns[-2:]] == ["user", "assistant"] and bool(turns[-1][1].strip())


def _deniable(turns: Turns) -> bool:
    """Whether it is one exchange whose prompt is long enough to have one right answer."""
    return len(turns) <= 3 and len(turns[-2][1].split()) >= SHORTEST_PROMPT


def _answered(turns: Turns, answer: str) -> Turns:
    return [*turns[:-1], ("assistant", answer)]


def _asked(turns: Turns, word: str, rng: random.Random) -> Turns:
    """With the word between any two words of the last prompt."""
    words = turns[-2][1].split(" ")
    at = rng.randint(0, len(words))
    return [*turns[:-2], ("user", " ".join([*words[:at], word, *words[at:]])), turns[-1]]


def _written(record: Record, turns: Turns, number: int) -> Record:
    fields = {"messages": [{"role": role, "content": content} for role, content in turns]}
    return Record(f"control-{number}", fields, record.origin)
