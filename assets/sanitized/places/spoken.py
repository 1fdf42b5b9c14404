# ruff: noqa: E501 - a pattern broken over lines is harder to read than a long one
"""Street addresses in languages other than English.

A core is a street with its number: by a street word before the name ("calle Mayor 23", "12 rue des Tilleuls"), by a
name that ends like a street ("Lindenstraße 14", "Prinsengracht 263"), or where the multilingual tagger marks a street
and a number stands by it. It grows over the words of its name and over what follows: floor and door, postcode, town,
province, country.
"""

import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from assets.sanitized.language import SMALL_WORDS
from assets.sanitized.rule_file import read_rules
from resources.pii_engine import Entity, Span, SpanRecognizer

FOLDER = Path(__file__).parent / "words"
PARTS = frozenset({"STREET", "HOUSE", "ZIP", "CITY"})
LINK = r"(?:de|del|du|des|di|da|do|das|dos|della|delle|dello|dei|degli|dell|la|le|les|los|las|el|lo|l|d|der|den|dem|van|von|het|'t|ter|ten|y|e|et|i|sur|sous|san|santa|São|al|aan|op|en|zum|zur|a|à|aux|au|em|am|an|im|vorm|bei|ob|lès|sul)"
UP = r"(?:[^\W\d_a-zß-öø-ÿ](?:\w?\.(?=[ ]?\w)|(?:[\w'’-]*\w)?))"
DATED = r"(?:\d{1,2}(?:º|°|er)?[ ](?:de |di )?[^\W\d_]{3,10}(?:[ ](?:de )?1[89]\d\d)?)"
HOUSE = r"(?:(?:n(?:[.º°]{1,2}|r\.?|úm\.?|um\.?)?[ ]?|no?\. ?)?\d{1,4}(?:[ ]?[-/][ ]?\d{1,4})?(?:[ ]?(?:bis|ter|quater)\b|[ ]?[a-zA-Z]\b(?!['’.])|[-/][A-Za-z]\d?\b)?)(?![\d%€])"
SEP = r"(?:[ \t]*[,;–|-]?[ \t]*\r?\n[ \t>]*|[ \t]*[,;–|/][ \t]*|[ \t]+-[ \t]+|[ \t]+)"
TOWN_WORDS = 4  # in a town that is written in lower case
FAR = 16  # characters between two parts that the tagger marks
BETWEEN = re.compile(r"[\s,.;/()ºª°n’'|–-]*(?:[^\W_]{1,9}[.º°ª]?[\s,./-]*){0,2}")
STREETS_END = re.compile(r"(?=[ \t]*(?:[,;.)\n]|$))")
TOWN = rf"(?:(?:d[aeo]s?|den|het|'t|la|le|el|l['’])[ \t]+)?{UP}['’]?(?:(?:[ \t]+|[-'’/])(?:{UP}|{LINK}(?=[ \t'’]+{UP})))*(?:[ \t]+\([A-Z]{{2,3}}\))?"
WORD = re.compile(r"[ \t]+(?P<word>[^\W\d_][\w'’-]*)")
PROVINCE = r"\([A-Z]{2}\)|-?[ ]?[A-Z]{2}(?=[,\s]|$)"
CODED = re.compile(r"\d{4,}(?:[ -]?[a-z]{2}|-\d{3,4})?$")  # ends with a postcode
NUMBERED = re.compile(r"\d")


class SpokenAddressRecognizer(SpanRecognizer):
    types = ("STREET_ADDRESS", "POSTCODE")
    trigger = NUMBERED

    def __init__(self, language: str) -> None:
        super().__init__()
        said: dict[str, str] = read_rules(FOLDER / f"{language}.yaml")
        self._small = SMALL_WORDS[language]
        self._joins = frozenset(said["joins"].split())
        zip_, unit, country = (f"(?:{said[key]})" for key in ("zip", "unit", "country"))
        self._cores = tuple(re.compile(pattern) for pattern in _cores(language, said))
        self._opening = re.compile(rf"(?<![\w-])(?:(?i:{said['opening']}))[ \t]+$") if said["opening"] else None
        self._street = (
            re.compile(rf"(?<![\w-])(?i:{said['street']})[ \t]+(?:(?i:{LINK})['’ \t]+){{0,3}}$")
            if said["street"]
            else None
        )
        self._word = re.compile(rf"(?i:{said['street']})") if said["street"] else None
        self._ending = re.compile(rf"\w*(?i:{said['ending']})(?!\w)") if said["ending"] else None
        self._tail = tuple(
            re.compile(pattern)
            for pattern in (
                rf"{SEP}(?i:{unit})(?!\w)",
                rf"{SEP}{zip_}(?![\w-])(?:,?[ \t]+{TOWN}(?:[ \t]+(?:Cedex|CEDEX)(?: \d+)?)?)?",
                rf"{SEP}(?i:{country})(?!\w)",
                rf"{SEP}(?:{PROVINCE})(?={SEP}(?:{zip_}|(?i:{country})))",
                rf"{SEP}{TOWN}(?={SEP}(?:{zip_}|(?i:{country})|{PROVINCE}))",
                rf"[ \t]*,[ \t]*{TOWN}{STREETS_END.pattern}",
                r"[ \t]*\([A-Z]{2}\)",
            )
        )
        self._box = re.compile(rf"(?<!\w)(?i:{said['box']})(?!\w)")

    def find(self, text: str, entities: Sequence[Entity]) -> Iterator[Span]:
        parts = [each for each in entities if each.label in PARTS]
        for start, end, rule in (*self._written(text), *self._tagged(text, parts)):
            begin = self._back(text, start)
            yield Span(begin, self._grown(text, begin, end, parts), "STREET_ADDRESS", f"address.{rule}", 0.8)
        for match in self._box.finditer(text):
            yield Span(match.start(), self._grown(text, *match.span(), parts), "STREET_ADDRESS", "address.box", 0.8)
        for before, each in itertools.pairwise(parts):
            follows = before.label == "ZIP" and each.label == "CITY"
            if follows and each.start - before.end < FAR and NUMBERED.search(text, before.start, before.end):
                yield Span(before.start, before.end, "POSTCODE", "postcode.tagger", 0.7)

    def _written(self, text: str) -> Iterator[tuple[int, int, str]]:
        for core in self._cores:
            for match in core.finditer(text):
                if self._plausible(match[0]):
                    yield *match.span(), "street"

    def _plausible(self, value: str) -> bool:
        """Whether a name stands by the street word: something beside small words."""
        words = re.findall(r"[^\W\d_]{2,}", value)
        return any(word.lower() not in self._small for word in words) or len(re.findall(r"\d+", value)) > 1

    def _tagged(self, text: str, parts: list[Entity]) -> Iterator[tuple[int, int, str]]:
        """Runs of marked words in which a street stands by a number."""
        group: list[Entity] = []
        for part in (*parts, None):
            if part is not None and (not group or self._continues(text, group[-1], part)):
                group.append(part)
                continue
            yield from self._core(text, group)
            group = [part] if part is not None else []

    def _core(self, text: str, group: list[Entity]) -> Iterator[tuple[int, int, str]]:
        """A group of marked words without small words in front and what is marked behind a sign; each end is tried."""
        while group and text[group[0].start].islower() and self._begins_nothing(text, group):
            group = group[1:]
        kept = group[:1]
        for part in group[1:]:
            numbered = NUMBERED.search(text, part.start, part.end) is not None
            if numbered or "," not in text[kept[-1].end : part.start]:
                kept.append(part)
        streets = [each for each in kept if each.label == "STREET"]
        if not streets:
            return
        if any(NUMBERED.search(text, each.start, each.end) for each in kept):
            for each in kept[kept.index(streets[0]) :]:
                if NUMBERED.search(text, kept[0].start, each.end):
                    yield kept[0].start, each.end, "tagger"
        elif house := re.compile(rf",?[ \t]+{HOUSE}").match(text, streets[-1].end):
            yield kept[0].start, house.end(), "tagger"

    def _begins_nothing(self, text: str, group: list[Entity]) -> bool:
        """A word in lower case that opens no street: a small word, or any where the name has capitals."""
        first = text[group[0].start : group[0].end]
        capital = any(text[each.start].isupper() for each in group if each.label == "STREET")
        opens = self._word is not None and self._word.fullmatch(first) is not None
        return not opens and (first in self._small or (capital and not NUMBERED.search(first)))

    def _continues(self, text: str, last: Entity, part: Entity) -> bool:
        gap = text[last.end : part.start]
        return (
            len(gap) <= FAR
            and BETWEEN.fullmatch(gap) is not None
            and "\n\n" not in gap
            and not ("\n" in gap and last.label == part.label == "STREET")  # the line of a name
            and not re.search(r"[.?!]\s+\w|[(]", gap)
        )

    def _back(self, text: str, start: int) -> int:
        """Over the words before a name that belong to it: "An der", "calle de la"."""
        for pattern in (self._street, self._opening):
            if pattern and (match := pattern.search(text, max(0, start - 40), start)) and self._opens(text, match):
                start = match.start()
        return start

    def _opens(self, text: str, match: re.Match[str]) -> bool:
        """Whether the words belong to the name: by their capital; in lower case where the name alone is no street."""
        first, name = match[0].split()[0], text[match.end() : match.end() + 40]
        if first[0].isupper() or first.lower() not in self._small:
            return True
        return name[:1].islower() and self._ending is not None and self._ending.match(name) is None

    def _grown(self, text: str, start: int, end: int, parts: list[Entity]) -> int:
        lowered, grown = text[start:end].islower(), True
        while grown:
            grown = False
            for pattern in self._tail:
                if (match := pattern.match(text, end)) and match.end() > end:
                    end, grown = match.end(), True
                    break
        if lowered:
            end = self._grown_lower(text, end, parts)
        return end

    def _grown_lower(self, text: str, end: int, parts: list[Entity]) -> int:
        """In lower case: behind a postcode or over a marked town, up to a sign or a small word."""
        towns = {each.start for each in parts if each.label == "CITY"}
        nearest = WORD.match(text, end)
        if not CODED.search(text, max(0, end - 12), end) and (nearest is None or nearest.start("word") not in towns):
            return end
        for _ in range(TOWN_WORDS):
            match = WORD.match(text, end)
            if match is None or not match["word"].islower():
                break
            if match["word"] in self._small and not self._links(text, match):
                break
            end = match.end()
        return end

    def _links(self, text: str, match: re.Match[str]) -> bool:
        """Whether a small word joins two words of a town: "san juan de la montaña"."""
        following = WORD.match(text, match.end())
        return (
            match["word"] in self._joins
            and following is not None
            and (following["word"] not in self._small or self._links(text, following))
        )


def _cores(language: str, said: dict[str, str]) -> Iterator[str]:
    """Patterns of a street with its number, in the order of the language."""
    name = rf"(?:(?:{UP}|(?i:{LINK})|{DATED}|[IVX]+|\d{{1,2}})(?:[ \t]+|(?<=['’])))"
    street, ending, opening = (rf"(?i:{said[key]})" for key in ("street", "ending", "opening"))
    if language in ("de", "nl"):
        before = rf"(?:{UP}[ \t]+|{UP}[ \t]+(?i:van|de|den|der|von|van der|van den)[ \t]+)"
        yield rf"(?<![\w-]){before}{{0,2}}(?:{UP}[ -])?[^\W\d_][\w'’-]*?{ending}[ \t]+{HOUSE}"
        yield rf"(?<![\w-]){before}{{1,2}}{ending}[ \t]+{HOUSE}"
        yield rf"(?<![\w-]){opening}[ \t]+{ending}[ \t]+{HOUSE}"
        # "Unter den Eichen 19", "Laan van Meerdervoort 3"; but "Im Januar 2024" is none.
        yield rf"(?<![\w-])(?=[A-ZÄÖÜ]){opening}[ \t]+(?:(?i:{LINK})[ \t]+)?{UP}[ \t]+(?!(?:19|20)\d\d){HOUSE}(?={ENDS[language]})"
    if language == "fr":
        named = rf"{street}[ \t]+{name}{{0,6}}(?:{UP}|{DATED}|\d{{4}})(?!\w)"
        yield rf"(?<![\w.,/-])\d{{1,4}}(?:[ ]?(?:bis|ter|quater|[A-Za-z])\b)?,?[ \t]+{named}"
        yield rf"(?<![\w-]){named},?[ \t]+{HOUSE}"
        small = "|".join(sorted(SMALL_WORDS[language] - frozenset(said["joins"].split()), key=len, reverse=True))
        word = rf"(?:[ \t]+|(?<=['’]))(?!(?:{small})\b)[^\W\d_][\w-]*['’]?"
        yield rf"(?<![\w.,/-])\d{{1,4}}(?:[ ]?(?:bis|ter|quater)\b)?,?[ \t]+{street}(?:{word}){{1,5}}"
    if language in ("es", "it", "pt"):
        yield rf"(?<![\w-]){street}[ \t]*(?:{name}{{0,6}}{UP}|\d{{1,3}}),?(?:[ \t]+|(?<=,))(?:-[ ]?)?{HOUSE}"
        lower = r"(?:[^\W\d_][\w.'’]*[ \t]+){0,5}?[^\W\d_][\w.'’]*"
        yield rf"(?<![\w-]){street}[ \t]+{lower},?[ \t]+(?:n[.º°o]{{1,2}}[ ]?)?{HOUSE}(?=[ \t]*(?:[,;.)?!\n]|$)|[ \t]+\d)"


ENDS = {"de": rf"{SEP}(?:[A-Z]{{1,2}}-)?\d{{4,5}}|,|[ \t]*(?:\n|$)", "nl": ""}
