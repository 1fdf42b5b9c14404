# ruff: noqa: E501 - a pattern broken over lines is harder to read than a long one
"""Names of people by their place and form, where the NER is blind.

Speakers of a script, possessives, people who are addressed, met, told or married; an initial before a surname, a
particle between two names; two names side by side in lower case; the head of a contact card, the owner of a mailbox.
"""

import re
from collections.abc import Iterator, Sequence

from assets.sanitized.numbers.labelled import is_label
from assets.sanitized.people.bounds import CLEAR, NAME, PARTICLE, TITLES, WORD, PersonRecognizer
from assets.sanitized.people.lexicon import FAMILY, GIVEN_WORDS, ORDINARY, POSTS, ROLES
from resources.pii_engine import Entity, Span

_RELATION = r"(?:mother|father|mum|mom|dad|wife|husband|partner|fianc[ée]e?|son|daughter|brother|sister|uncle|aunt|cousin|nephew|niece|grand(?:mother|father|son|daughter)|boyfriend|girlfriend|neighbou?r|colleague|boss|flatmate|roommate)"
RELATION = re.compile(
    rf"\b(?:my|his|her|our|their|your)[ \t]+(?:\w+[ \t]+)?{_RELATION},?[ \t]+(?P<name>{NAME})(?![\w'’-])"
)
RELATION_OF = re.compile(rf"(?<![\w'’-])(?P<name>{NAME})['’]s[ \t]+{_RELATION}\b")
# "Detective Elise Kas", "Paris Hilton": after a post; a given name that is a word or place, before a family name.
POSTED = re.compile(
    r"\b(?P<post>[A-Z][a-z]+)[ \t]+(?P<name>[A-Z][^\W\d_]+(?:[-'’][^\W\d_]+)*(?:[ \t]+[A-Z][^\W\d_]+){0,2})"
)
WORD_NAME = re.compile(
    r"(?P<before>\b(?:[Tt]he|[Aa]n?)[ \t]+)?(?<![\w'’-])(?P<name>(?P<given>[A-Z][a-z]+)[ \t]+(?P<family>[A-Z][a-z]+))(?![\w-]|[ \t]+[A-Z])"
)
CAPITAL_PAIR = re.compile(r"[A-Z][a-z]+[ \t]+[A-Z]")
SPEAKER = re.compile(rf"(?m)^[ \t>*-]*(?P<name>{NAME}(?: {NAME}){{0,2}}):(?=\s)")
POSSESSIVE = re.compile(r"\b(?P<name>[^\W\d_]{2,}(?:-[^\W\d_]+)?)['’]s\b")
VOCATIVE = re.compile(rf"(?:^|[.!?:;\"“]\s*)(?:[\w' ]{{0,40}},\s*)?(?P<name>{NAME})(?=[,!?])")
# "Remember me, Maria?", "You did it, Chelsea!": addressed at the end of a sentence, after a word in lower case.
ADDRESSED = re.compile(rf"\b[a-z]+, (?P<name>{NAME})(?=[?!])")
# Verbs and wishes whose object is a person, and subjects that share a verb with the speaker.
PERSONAL = re.compile(
    rf"\b(?:met|meet(?:ing)?|[Tt]ell|told|[Aa]sk(?:ed)?|invite[ds]?|thank(?:ed)?|marr(?:y|ied)|call|text(?:ed)?|email(?:ed)?|miss(?:ed)?|"
    rf"hug(?:ged)?|kiss(?:ed)?|love[ds]?|hire[ds]?|fired?|[Rr]emind|contact|with|[Hh](?:i|ello|ey)|[Dd]ear|[Hh]appy (?:birthday|anniversary),?|[Cc]ongratulations,?|(?:[Ii]s|[Hh]as|[Dd]oes|[Dd]id|[Ww]as|[Ww]ill|[Cc]an) (?=\S+ (?:[a-z]+ing|be|come|know|want|have|like|been|there|here|home|alright|okay|sick|free)\b))\s*(?<=\s)(?P<name>{NAME})(?![\w'’-]|\s+[A-Z])"
)
WITH_ME = re.compile(rf"(?<![\w'’-])(?P<name>{NAME}) and (?:I|me|my|his|her|he|she)\b")
AFTER_CAPITAL = re.compile(r"(?<!^)(?<![.!?] )\b[A-Z][\w'’-]*[ \t]+$")  # "San Jose and I": a part of something longer
ENDED = re.compile(r"[^\W\d_][,!?]")
INITIAL = re.compile(r"\b[^\W\d_a-z]\.")
PARTICLE_WORD = re.compile(rf" {PARTICLE} ")
HOUSEHOLD = re.compile(rf"\b[Tt]he (?P<name>{NAME}) (?:family|household|brothers|sisters|siblings|twins|residence)\b")
OWNER = re.compile(rf"(?<![\w'’-]){NAME}(?:[ \t]+{NAME}\.?){{1,3}}(?=\s|$|[,;(<])")
_UPPER = r"[^\W\d_a-z][^\W\d_]+(?:[-'’][^\W\d_]+)*"
# "Mahnoor de la Sheikh", "R. K. Petković": forms that only names have.
PARTICLED = re.compile(rf"(?<![\w'’.-])(?P<name>{_UPPER}(?:[ \t]+[A-Z]\.?)?[ \t]+{PARTICLE}[ \t]+{_UPPER})")
INITIALLED = re.compile(rf"(?<![\w'’.-])(?P<name>(?:[^\W\d_a-z]\.[ \t]?){{1,3}}{_UPPER})(?![.][ \t]*[a-z])")
# Two words in lower case, anywhere or after a word that a person's name follows.
LOWER_WORD = re.compile(r"[^\W\d_]{2,}(?:[-'’][^\W\d_]+)*")
GOES_ON = re.compile(r"\s*:|'s\b|\s+(?:is|was|has|lives?|lived|works?|said|says|and|wants?)\b")
BEFORE_A_PERSON = frozenset(
    "is are was met know knows by of for to with from and under ask told tell call called contact named wife husband brother sister friend son "
    "daughter mother father mom dad boss colleague manager partner cousin uncle aunt neighbour neighbor hi hello hey dear thanks".split()
)
LISTED_SPEAKERS = 2  # lines that begin "Name:" from which a text is read as a script
# A line of two to four words that opens a contact card or signature: what follows is a number, a mail or an address.
CARD_HEAD = re.compile(rf"(?:^|\n[ \t]*\n)[ \t]*(?P<name>{NAME}\.?(?:[ \t]+{NAME}\.?){{1,3}})[ \t]*(?=\r?\n)")
CARD_BODY = re.compile(
    r"@[\w-]+\.|\b(?:phone|tel|telephone|mobile|cell|fax|e-?mail|address|personal info|contact)\b\s*:|\d{3}[ .-]?\d{3,4}|\n\s*(?:the corner of|\d{1,6}[ ,]+[^\W\d_])",
    re.I,
)
NEAR = 200  # characters around a mailbox in which its owner may be named
MAILBOX = re.compile(r"(?<![\w.+-])(?P<local>[A-Za-z][\w.+-]{3,63})@[\w-]+\.")
SEEDED = 0.9  # a seed name


class NameFormRecognizer(PersonRecognizer):
    def find(self, text: str, entities: Sequence[Entity]) -> Iterator[Span]:
        if not text.islower():
            yield from self._placed(text)
            yield from self._formed(text)
        yield from self._lower_pairs(text)
        if "\n" in text:
            yield from self._card_head(text)
        if "@" in text:
            yield from self._mailbox_owner(text)

    def _placed(self, text: str) -> Iterator[Span]:
        """Speakers of a script, possessives and vocatives: single capitalised words that the NER passed over."""
        speakers = list(SPEAKER.finditer(text)) if ":" in text else []
        script = len(speakers) >= LISTED_SPEAKERS and "\n" in text
        for rule, matches, floor in (
            ("speaker", speakers, -0.3 if script else 0.25),
            ("possessive", POSSESSIVE.finditer(text) if "'s" in text or "’s" in text else (), 0.25),
            ("vocative", VOCATIVE.finditer(text) if ENDED.search(text) else (), 0.25),
            ("addressed", ADDRESSED.finditer(text) if ", " in text else (), -0.3),
            ("personal", PERSONAL.finditer(text), -0.2),
            ("personal", WITH_ME.finditer(text) if " and " in text else (), -0.2),
            ("relation", RELATION.finditer(text), -0.3),
            ("relation", RELATION_OF.finditer(text) if "'s" in text or "’s" in text else (), -0.3),
            ("family", HOUSEHOLD.finditer(text), -0.3),
        ):
            for match in matches:
                words = WORD.findall(match["name"])
                if rule == "speaker" and (words[-1].lower() in ROLES or any(map(is_label, words))):
                    continue
                if rule in ("personal", "relation") and (
                    any(self._lexicon.place(word) > 0.1 or word.isupper() for word in words)
                    or AFTER_CAPITAL.search(text, max(0, match.start("name") - 24), match.start("name"))
                ):
                    continue
                if all(
                    word[0].isupper() and not self._lexicon.ordinary(word) and self._lexicon.name(word) >= floor
                    for word in words
                ):
                    start, end = match.span("name")
                    if rule == "possessive":
                        start, _ = self._bounds.grown(text, start, end)
                    yield Span(start, end, "PERSON", f"name.{rule}", 0.6)

    def _formed(self, text: str) -> Iterator[Span]:
        """Names by their form: an initial before a surname, a particle between two names."""
        pairs = CAPITAL_PAIR.search(text) is not None
        for match in POSTED.finditer(text) if pairs else ():
            words = WORD.findall(match["name"])
            if match["post"].lower() in POSTS and not any(
                self._lexicon.ordinary(word) or self._lexicon.name(word) < -0.2 for word in words
            ):
                yield Span(*match.span("name"), "PERSON", "name.post", 0.6)
        for match in WORD_NAME.finditer(text) if pairs else ():
            family = match["family"].lower()
            surname = family in FAMILY or (family not in ORDINARY and self._lexicon.name(family) >= CLEAR)
            if match["given"].lower() in GIVEN_WORDS and surname and not match["before"]:
                yield Span(*match.span("name"), "PERSON", "name.word", 0.6)
        for rule, hint, pattern in (("initialled", INITIAL, INITIALLED), ("particle", PARTICLE_WORD, PARTICLED)):
            for match in pattern.finditer(text) if hint.search(text) else ():
                words = [word for word in LOWER_WORD.findall(match["name"]) if word[0].isupper()]
                if not any(
                    self._lexicon.ordinary(word)
                    or word.isupper()
                    or self._lexicon.place(word) > 0.3
                    or word.lower() in TITLES
                    for word in words
                ) and all(self._lexicon.name(word) > -0.4 for word in words):
                    yield Span(*match.span("name"), "PERSON", f"name.{rule}", 0.6)

    def _lower_pairs(self, text: str) -> Iterator[Span]:
        """Two names side by side in lower case: both clear enough alone, or after a word that a person follows."""
        lexicon, words = self._lexicon, list(LOWER_WORD.finditer(text))
        for index in range(len(words) - 1):
            first, second = words[index], words[index + 1]
            if second.start() - first.end() != 1 or text[first.end()] != " ":
                continue
            pair = (first[0], second[0])
            if not all(
                word.islower() and word not in ORDINARY and not lexicon.harmless(word) and len(word) > 2
                for word in pair
            ):
                continue
            low, high = sorted(map(lexicon.name, pair))
            before = words[index - 1][0].lower() if index else ""
            if (
                (low > 0.2 and high >= CLEAR)
                or (low > 0.12 and high >= SEEDED)
                or (
                    low > 0.2
                    and (before in BEFORE_A_PERSON or (not index and GOES_ON.match(text, second.end())))
                    and not any(map(lexicon.chatter, pair))
                )
            ):
                yield Span(first.start(), second.end(), "PERSON", "name.pair", 0.6)

    def _card_head(self, text: str) -> Iterator[Span]:
        """The first line of a contact card: "leone mazzi" over a telephone number and an address."""
        for match in CARD_HEAD.finditer(text):
            words = [word.rstrip(".") for word in WORD.findall(match["name"])]
            full = [word for word in words if len(word) > 1]
            if (
                full
                and not any(self._lexicon.ordinary(word) or is_label(word) for word in full)
                and any(not self._lexicon.known(word) or self._lexicon.name(word) > 0.1 for word in full)
                and CARD_BODY.search(text, match.end(), match.end() + 400)
            ):
                yield Span(*match.span("name"), "PERSON", "name.card", 0.6)

    def _mailbox_owner(self, text: str) -> Iterator[Span]:
        """Words that an e-mail address in the text is made of: "leone mazzi" beside "leonemazzi@..."."""
        for mailbox in MAILBOX.finditer(text):
            local = mailbox["local"].lower()
            for run in OWNER.finditer(text, max(0, mailbox.start() - NEAR), mailbox.end() + NEAR):
                words = WORD.findall(run[0])
                parts = [word.rstrip(".").lower() for word in words]
                inside = [part for part in parts if len(part) > 2 and part in local]
                beside = 0 <= mailbox.start() - run.end() <= 2 and any(len(part) > 3 for part in inside)
                whole = len(inside) > 1 and all(part in local or len(part) == 1 for part in parts)
                if (whole or beside) and not any(map(self._lexicon.ordinary, parts)):
                    yield Span(*run.span(), "PERSON", "name.mailbox", 0.7)
