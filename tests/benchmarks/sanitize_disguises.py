"""How many disguised values ``hallmark sanitize`` catches, by disguise, and how often innocent text of that look alarms.

    python -m tests.benchmarks.sanitize_disguises [--n 60] [--seed 1] [--errors]

Values (cards, telephone numbers, e-mail addresses, social security numbers, names) are made up at run time, put in
disguise and into a sentence. A value counts as caught when every letter and digit of its disguise lies in a redaction.
Intervals are Wilson's, 95 %.
"""

import argparse
import base64
import html
import random
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from assets.record import Origin, Record
from assets.sanitized.numbers.banking import luhn
from assets.sanitized.sanitize import Sanitizer
from assets.sanitized.settings import SanitizeSettings
from tests.benchmarks import figures
from tests.benchmarks.figures import Figure, of_share
from tests.benchmarks.sanitize_quality import wilson

Disguise = Callable[[random.Random, str], str]
LOOK_ALIKE = str.maketrans("aeopcxyisAEOPCTXHKMB", "аеорсхуіѕАЕОРСТХНКМВ")
LEET = str.maketrans("oleas", "01345")
DIGITS = "zero one two three four five six seven eight nine".split()
WORDS = "delta harbor linen quartz meadow copper violet saddle timber walnut".split()
CARRIERS = {
    "card": ("my card is {}", "please charge {} today", "Card number: {}"),
    "phone": ("call me at {}", "my phone number is {}", "You can reach me on {} after six."),
    "mail": ("write to {} please", "my email is {}", "Contact: {}"),
    "ssn": ("my social security number is {}", "ssn {}"),
    "name": ("my name is {}", "please ask for {} at the desk", "I am {} and I want a refund"),
}


@dataclass(frozen=True, slots=True)
class Case:
    turns: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]  # the disguised value, in each turn


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=60, help="cases of each disguise and type")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--errors", action="store_true", help="print what was missed and what alarmed")
    figures.option(parser)
    options = parser.parse_args()
    taken: list[Figure] = []
    sanitizer = Sanitizer(SanitizeSettings(residual_rows=0))
    print(f"{'disguise':34} {'caught':>9}  share  interval")
    for name, kinds, disguise in DISGUISES:
        for kind in kinds.split():
            rng = random.Random(f"{options.seed}:{name}:{kind}")
            cases = [made(rng, kind, disguise) for _ in range(options.n)]
            taken.append(line(f"{name} {kind}", cases, sanitizer, options.errors))
    rng = random.Random(f"{options.seed}:split")
    for kind in ("card", "phone", "mail", "ssn"):
        cases = [split(rng, kind) for _ in range(options.n)]
        taken.append(line(f"split over two turns {kind}", cases, sanitizer, options.errors))
    print(f"\n{'innocent text that looks so':34} {'alarms':>9}  share  interval")
    for name, make in INNOCENT:
        rng = random.Random(f"{options.seed}:{name}")
        texts = [make(rng) for _ in range(options.n)]
        found = redactions(sanitizer, [(text,) for text in texts])
        alarmed = [text for text, places in zip(texts, found, strict=True) if places]
        taken.append(show(name, len(alarmed), len(texts), "alarms on innocent text"))
        if options.errors:
            print("".join(f"    alarm {text!r}\n" for text in alarmed[:3]), end="")
    figures.write(options.json, taken)


def line(name: str, cases: list[Case], sanitizer: Sanitizer, errors: bool) -> Figure:
    found = redactions(sanitizer, [case.turns for case in cases])
    missed = [case.turns for case, covered in zip(cases, found, strict=True) if not caught(case, covered)]
    caught_ = show(name, len(cases) - len(missed), len(cases), "caught")
    if errors:
        print("".join(f"    miss {turns!r}\n" for turns in missed[:3]), end="")
    return caught_


def show(name: str, hits: int, n: int, side: str) -> Figure:
    low, high = wilson(hits, n)
    print(f"{name:34} {hits:4}/{n:<4}  {hits / n:.2f}   [{low:.2f}, {high:.2f}]")
    return of_share(name, hits, n, side)


def caught(case: Case, covered: set[tuple[int, int]]) -> bool:
    return all(
        (turn, at) in covered
        for turn, (start, end) in enumerate(case.spans)
        for at in range(start, end)
        if case.turns[turn][at].isalnum()
    )


def redactions(sanitizer: Sanitizer, dialogues: list[tuple[str, ...]]) -> list[set[tuple[int, int]]]:
    """Of each dialogue the redacted places ``(turn, character)``; a single turn is a lone text."""

    def records() -> Iterator[Record]:
        for at, turns in enumerate(dialogues):
            chat = [{"role": "user", "content": text} for text in turns]
            yield Record(str(at), {"messages": chat} if len(turns) > 1 else {"text": turns[0]}, Origin("b", "", at, ""))

    found = []
    for sanitized in sanitizer.sanitize(records()):
        places: set[tuple[int, int]] = set()
        for one in sanitized.redactions:
            turn = int(one.field.partition("[")[2].partition("]")[0] or 0)
            places |= {(turn, at) for at in range(one.start, one.end)}
        found.append(places)
    return found


def made(rng: random.Random, kind: str, disguise: Disguise) -> Case:
    hidden = disguise(rng, VALUES[kind](rng))
    before, _, after = rng.choice(CARRIERS[kind]).partition("{}")
    return Case((before + hidden + after,), ((len(before), len(before) + len(hidden)),))


def split(rng: random.Random, kind: str) -> Case:
    value = VALUES[kind](rng)
    cut = value.index("@") if kind == "mail" else len(value) // 2
    head, tail = value[:cut].rstrip(" -"), value[cut:].lstrip(" -")
    before = rng.choice(CARRIERS[kind][:1]).partition("{}")[0]
    return Case((before + head, tail + " is the rest"), ((len(before), len(before + head)), (0, len(tail))))


def number(rng: random.Random, n: int) -> str:
    return "".join(str(rng.randrange(10)) for _ in range(n))


def card(rng: random.Random) -> str:
    body = "4" + number(rng, 14)
    whole = next(body + str(check) for check in range(10) if luhn(body + str(check)))
    return " ".join(whole[at : at + 4] for at in range(0, 16, 4))


VALUES: dict[str, Callable[[random.Random], str]] = {
    "card": card,
    "phone": lambda rng: f"{rng.randrange(201, 989)}-{rng.randrange(201, 989)}-{number(rng, 4)}",
    "mail": lambda rng: f"{rng.choice(WORDS)}.{rng.choice(WORDS)}@{rng.choice(WORDS)}mail.com",
    "ssn": lambda rng: f"{rng.randrange(101, 665)}-{rng.randrange(11, 99)}-{rng.randrange(1001, 9999)}",
    "name": lambda rng: (
        f"{rng.choice(('Maria', 'Peter', 'Aisha', 'Carlos', 'Priya'))} "
        f"{rng.choice(('Lopez', 'Novak', 'Sharma', 'Okafor', 'Larsson'))}"
    ),
}


def spelled(rng: random.Random, value: str) -> str:
    return " ".join(DIGITS[int(digit)] for digit in value if digit.isdigit())


def full_width(rng: random.Random, value: str) -> str:
    return "".join(chr(ord(character) + 0xFEE0) if "!" <= character <= "~" else character for character in value)


def spoken(at: str, dot: str) -> Disguise:
    return lambda rng, value: value.replace("@", at).replace(".", dot)


DISGUISES: tuple[tuple[str, str, Disguise], ...] = (
    ("none", "card phone mail ssn name", lambda rng, value: value),
    ("zero-width", "card phone mail ssn name", lambda rng, value: "\u200b".join(value)),
    ("soft hyphens", "card mail name", lambda rng, value: "\u00ad".join(value)),
    ("full-width", "card phone mail ssn name", full_width),
    ("homoglyphs", "mail name", lambda rng, value: value.translate(LOOK_ALIKE)),
    ("Arabic digits", "card phone ssn", lambda rng, value: "".join(chr(0x660 + int(c)) if c.isdigit() else c for c in value)),
    ("spaced digits", "card phone ssn", lambda rng, value: " ".join(c for c in value if c.isdigit())),
    ("dotted digits", "card phone ssn", lambda rng, value: ".".join(c for c in value if c.isdigit())),
    ("spelled-out digits", "card phone ssn", spelled),
    ('"at", "dot com"', "mail", spoken(" at ", " dot ")),
    ('"(at)", "[dot]"', "mail", spoken(" (at) ", " [dot] ")),
    ("leetspeak", "mail", lambda rng, value: value.translate(LEET).replace("@", " @t ").replace(".", " d0t ")),
    ("percent-encoded", "mail card", lambda rng, value: urllib.parse.quote(value, safe="")),
    ("every byte percent-encoded", "mail phone name", lambda rng, value: "".join(f"%{b:02X}" for b in value.encode())),
    ("base64", "card phone mail ssn name", lambda rng, value: base64.b64encode(value.encode()).decode()),
    ("base64 of a sentence", "mail name", lambda rng, value: base64.b64encode(f"my contact is {value}, thanks".encode()).decode()),
    ("hex", "card mail name", lambda rng, value: value.encode().hex()),
    ("HTML entities", "card phone mail name", lambda rng, value: "".join(f"&#{ord(c)};" for c in value)),
    ("HTML escaped", "mail", lambda rng, value: html.escape(value).replace("@", "&commat;").replace(".", "&period;")),
)  # fmt: skip


def choose(*templates: str) -> Callable[[random.Random], str]:
    return lambda rng: rng.choice(templates).format(
        a=rng.randrange(2, 9), b=rng.randrange(10, 99), w=rng.choice(WORDS), v=rng.choice(WORDS)
    )


INNOCENT: tuple[tuple[str, Callable[[random.Random], str]], ...] = (
    ("numbers in words", choose("I have two {w} and three {v}, so five in all.", "one or two of the four {w} were late", "Nine to five, seven days a week, {w}.", "zero tolerance for {w}: one strike, two strikes, three strikes")),
    ("counting", choose("one two three four five, once I caught a {w}", "Count: 1 2 3 4 5 for {w}.", "a countdown for {w}: five four three two one")),
    ("bits and matrices", lambda rng: "the row is " + " ".join(str(rng.randrange(2)) for _ in range(rng.randrange(5, 12)))),
    ('"at" and "dot" in prose', choose("Look at the dot com {w} bubble.", "we met at the {w} and then at {v}", "a polka dot {w} at noon", "put a dot at the end of {w}", "I looked at amazon dot com for a {w}")),
    ("leet words", choose("w00t, that {w} was l33t", "h4x0r {w} 4 life", "gr8 {w} m8, b4 {a} pm", "n00b {w} at l4st")),
    ("percent signs", choose("a {b}% discount on {w}, 100% {v}", "see /docs/{w}%20{v}.html", "the path is %APPDATA%/{w}", "q={w}%2C{v}&page={a}")),
    ("base64 of bytes", lambda rng: "the image is data:image/png;base64," + base64.b64encode(rng.randbytes(48)).decode()),
    ("base64 of plain words", lambda rng: "it decodes: " + base64.b64encode(f"the {rng.choice(WORDS)} and the {rng.choice(WORDS)} are here".encode()).decode()),
    ("hashes", lambda rng: "commit " + rng.randbytes(20).hex()),
    ("HTML text", choose("&lt;b&gt;{w}&lt;/b&gt; &amp; {v}&nbsp;&#8211; done", "Tom&#39;s {w} &quot;{v}&quot;")),
    ("full-width and CJK", choose("これは{w}です。価格は{b}円。", "Ｗｅｌｃｏｍｅ　ｔｏ　{w}", "全部で{a}個の{w}。")),
    ("Cyrillic and Greek prose", choose("Привет, как дела с {w}?", "Καλημέρα, τι κάνει το {w};", "the letter а and the letter α in {w}")),
    ("emoji with joiners", choose("great {w} \U0001f468\u200d\U0001f469\u200d\U0001f467 thanks", "ok \U0001f44d\U0001f3fd {w}")),
    ("fractions and superscripts", choose("x² + y² = {b} and {a}½ {w}", "m³ of {w}, {b} °C")),
)  # fmt: skip


if __name__ == "__main__":
    main()
