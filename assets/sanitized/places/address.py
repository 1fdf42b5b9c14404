# ruff: noqa: E501 - a pattern broken over lines is harder to read than a long one
"""Street addresses of many countries: a core with a street word or box, grown over the parts that follow it.

The stock recognisers know no addresses. A core is a number with an English street type ("12 Oak Street"), a Romance or
Slavic street word ("rue ...", "via ...", "ul. ..."), a Germanic, Nordic or Hungarian ending with its number
("Storgatan 5"), a box ("PO Box 9", "PSC 12, Box 3"), a flat ("Apt. 5"), a crossing ("corner of A and B"), or names
between two numbers ("5100 Quadra 104"). After words that announce an address, any name with a house number is a core.
Unit, city, state, postcode and country that follow belong to it.
"""

import functools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from assets.sanitized.people.lexicon import FUNCTION, Lexicon
from assets.sanitized.rule_file import read_rules
from resources.pii_engine import Entity, Span, SpanRecognizer, contains

_WORDS: dict[str, list[str]] = read_rules(Path(__file__).parent / "address_words.yaml")
STREET, STREET_CAPITAL, STREET_LOWER, PREFIX, ENDING, HUNGARIAN, COUNTRY = (
    f"(?:{'|'.join(_WORDS[kind])})"
    for kind in ("street", "street_capital", "street_lower", "prefix", "ending", "hungarian", "country")
)
STATE = r"(?:[A-Z]{2}|NSW|VIC|QLD|TAS|ACT|nan)"
STATE_LOWER = f"(?:{'|'.join(_WORDS['us_state'] + _WORDS['ca_province']).lower()}|nsw|vic|qld|tas|act)"
_START = r"(?<![\w.,$€£#-])"
_N = r"(?:\d{1,6}(?:\s?[-/]\s?\d{1,5})?[A-Za-z]?\b)"
_UP = r"(?:[^\W\d_a-z]\w{0,2}\.(?=\s)|[^\W\d_a-z](?:[\w'’-]|\.(?=\w))*)"  # a word that does not start with an ASCII small letter
_LINK = r"(?:(?:de|la|le|les|du|des|del|della|dei|degli|der|den|van|von|zu|zum|di|da|do|dos|das|el|los|las|y|e|of|the|i|ter|ten|op|aan|av|af|na|nad)\b|[dl]['’]\w+|[^\W\d_]{1,3}\.)"
_W = rf"(?:{_UP}|{_LINK})"
UNIT = r"(?:(?i:apt|apartment|appt|suite|ste|unit|flat|floor|fl|room|rm|bldg|building|dept|lot|door|no|#)\b\.?\s*#?\s?\d{1,5}[A-Za-z]?\b)"
_UNIT_NEXT = r"(?=[.,]?\s*(?i:apt|apartment|suite|ste|unit)\b)"
# Cores that begin with a number, tried at each number; the first that matches furthest wins.
NUMBER_FIRST = tuple(
    (rule, re.compile(pattern))
    for rule, pattern in (
        ("number_street", rf"{_N}(?:\s\d{{1,4}}|,)?\s+(?:{_W}\s+|\d{{1,3}}(?:st|nd|rd|th)\s+){{0,4}}(?:{_W}|\d{{1,3}}(?:st|nd|rd|th))\s+(?i:{STREET})\b(?:\s+(?:North|South|East|West|[NSEW]{{1,2}})\b)?"),
        ("number_street", rf"{_N}(?:\s\d{{1,4}}|,)?\s+(?:{_W}\s+){{1,4}}{STREET_CAPITAL}\b"),
        ("number_street", rf"\d{{1,6}}[a-z]?\s+(?i:(?:[^\W\d_][\w'’-]*\s+|\d{{1,3}}(?:st|nd|rd|th)?\s+){{1,6}}?{STREET_LOWER}\b)"),
        ("highway", r"\d{1,6}\s+(?i:(?:us\s+)?(?:hwy|highway|route)\s+\d{1,4}\b)"),
        ("between_numbers", rf"(?!(?:19|20)\d\d\b)\d{{1,6}}\s+(?:{_UP}\s+|{_LINK}\s+){{1,4}}\d{{1,5}}[A-Za-z]?\b"),
    )
)  # fmt: skip
ENDS_STREET = re.compile(rf"[^\W\d_]{{2,}}(?:{ENDING})$|^(?:{ENDING})$", re.I)
WORDS_BEFORE = re.compile(rf"(?:{_W}\s+){{0,4}}$")
KEYED = tuple(
    (rule, literals, re.compile(pattern))
    for rule, literals, pattern in (
        ("prefix_street", ("rue", "avenue", "boulevard", "bd", "chemin", "impasse", "allée", "place", "quai", "route", "cours", "via", "piazza", "corso", "vicolo", "largo", "strada", "calle", "c/", "av", "paseo", "plaza", "carrera", "cra", "camino", "ronda", "rua", "rúa", "travessa", "praça", "alameda", "rodovia", "estrada", "ulica", "ul.", "al.", "pl.", "os.", "jalan", "jl.", "ulitsa", "prospekt", "straat", "λεωφ", "οδός", "πλατεία", "bulevard", "str.", "sok.", "cad.", "trg"), rf"(?<!\w)(?:{_N},?\s+(?:\d{{1,4}}\s+)?)?(?i:{PREFIX})\s*(?:{_W},?\s+){{0,5}}(?:{_UP}|\d{{1,2}}\s(?:de|di|of)\s\w+)(?:,?\s+(?:n[°o.]\s?)?{_N})?"),
        ("hungarian", (" u.", "utca", " út", "tér", "krt.", "körút", "köz", "rkp."), rf"(?:{_N}\s+)?(?:\b{_W}\s+){{1,4}}{HUNGARIAN}\s*\d{{1,4}}\.?"),
        ("box", ("box", "postfach", "apartado", "boîte", "private bag"), r"\b(?i:p\.?\s?o\.?\s?box|post\s?box|postfach|apartado|boîte postale|private bag)\s*#?\s?\d{1,6}\b(?:\s+(?:[A-Z]\w+\s+)?(?:Union|Road|Street)\b)?"),
        ("military", ("box", "apo", "fpo", "dpo"), r"\b(?i:PSC|Unit|CMR)\s+\d{1,6},?\s+(?i:box)\s+\d{1,5}|\b(?:USNV|USNS|USS|USCGC)\s+\w+(?=\s*\n?(?:APO|FPO|DPO))|\b(?i:APO|FPO|DPO),?\s+(?i:A[AEP])\s+\d{5}\b"),
        ("unit", ("apt", "apartment", "suite", "ste", "flat"), r"\b(?i:apt|apartment|suite|ste|flat)\b\.?\s*#?\s?\d{1,5}[A-Za-z]?\b"),
        ("before_unit", ("apt", "apartment", "suite", "ste", "unit"), rf"{_START}(?:\d{{1,6}}\s+)?(?:[^\W\d_][\w'’.-]*\s+){{1,5}}\d{{1,5}}[A-Za-z]?\b{_UNIT_NEXT}"),
        ("crossing", ("corner of",), rf"\b(?i:(?:the\s+)?corner\s+of)\s+(?:\d{{1,5}}\s+)?(?:{_W}\s+|\d{{1,5}}\s+){{1,6}}and\s+(?:(?:{_W}|[a-z]{{1,4}}(?=\s+[A-Z]))\s+){{0,3}}{_UP}"),
    )
)  # fmt: skip
NUMBER = re.compile(r"(?<![\w.,$€£#:/-])\d{1,6}(?![\d:%])")
ANNOUNCED = re.compile(
    r"(?:\baddress(?:es)?(?:\s+(?:is|to|with|here they are|book|line))?\s*[:\-]?|\b(?:liv(?:es|e|ing)|resid(?:es|e|ing)|located|(?:office|restaurant|house|home|shop|store) is)\s+(?:at|on|in)|"
    r"\b(?:deliver(?:ed)?|ship(?:ped)?|sent?|mail(?:ed)?|return|taxi|cab|uber|moved?|come|go|one)\s+(?:it\s+|this\s+|them\s+|back\s+)?(?:to|at)|"
    r"\b(?:meet|see|find)\s+(?:me|us|you|him|her|them)?\s*(?:at|on)|\b(?:it'?s|it is|is|off|drops you off|enter)\s+(?:in|at|on)|"
    r"\b(?:it'?s|it is)|\bside of|\bsent to\?(?:\s*user:)?|\bgiven \w+ (?:his|her|their) address:|\brefers to)\s+",
    re.I,
)
ANNOUNCED_BODY = re.compile(
    rf"(?:(?:{_W}|[^\W\d_]{{3,}}\b)\s+){{1,4}}\d{{1,5}}[A-Za-z]?\b|\d{{1,6}}(?:\s\d{{1,5}})?[A-Za-z]?,?\s+(?:{_UP}\s+){{0,3}}{_UP}"
)
# In lower case: what follows "address is" or "deliver it to", up to a word that goes on about something else.
ANNOUNCED_LOWER = re.compile(
    r"\b(?:(?P<sure>address(?:es)?(?:\s+(?:is|was|to|as|in|at|will be|would be|should be|change(?:d)? to))*\s*[:=-]?)|"
    r"(?:deliver(?:ed)?|ship(?:ped)?|send|sent|drop(?:ped)?|bring|moved|shifted|relocated|living|live|lives|reside|residing|stay|staying|located)"
    r"(?:\s+(?:it|this|that|them|me|my|the|a|new|order|pizza|food|package|parcel|card|check|over|off))*\s+(?:to|at|in|on))\s+"
    r"(?:(?:my|the|a|our|new|home|house|place|office|address|is|it'?s|at|:|-)\s+)*",
)
RUN = re.compile(r"[ \t]*,?[ \t]*(?P<word>[^\W_]+(?:[-/'’.][^\W_]+)*)\.?")
NUMBERED = re.compile(r"\d{1,5}(?:[a-z]|st|nd|rd|th)?|\d{1,4}[-/]\d{1,4}[a-z]?|\d{6}")
PREMISES = frozenset(
    "street st avenue ave road rd drive dr lane ln blvd boulevard nagar colony hwy highway way circle court place square apartment apartments apt "
    "building tower towers block flat floor house villa residency complex sector phase plot door cross main layout park garden gardens "
    "estate terrace close row hill hills view heights plaza society enclave extension salai marg gali bazaar market junction".split()
)
GOES_ON = frozenset(
    "please pls plz thanks thank thankyou ok okay sir madam phone mobile email mail name ssn account card password today tomorrow now soon asap "
    "instead also my i it is and can could will would want need minutes minute mins hours hour days day am pm years year dollars usd".split()
)
# What has numbers without being a street: "it's on channel 45".
COUNTED = frozenset(
    "channel page chapter step line row gate platform level season episode version day week number option question table seat slide item".split()
)
BETWEEN = frozenset("of in near opposite opp behind beside no number the at by next to".split())
HOUSE = re.compile(rf"(?:\d{{1,5}}\s)?{_N}")
WORD_AFTER = re.compile(r"[^\W_]+[.'’-]?[^\W_]*")
STREET_LINKS = frozenset(
    "de la le les du des del della dei degli der den van von zu zum di da do dos das el los las y e of the i ter ten op aan av af and".split()
)
POSTCODE = (
    r"(?:\d{5}-\d{3,4}|\d{3}\s\d{2,3}|\d{4}\s?[A-Z]{2}|\d{4,6}|[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}|[A-Z]\d[A-Z]\s?\d[A-Z]\d|"
    r"[A-Z]{1,2}-\d{3,5})(?![\w-])"
)
# A line end may be followed by the marks of quoted mail: "> ", "| ", "??? ".
_SEP = r"(?:[ \t]*[,;/]?[ \t]*\n[ \t>|?*#-]*[,;]?|[ \t]*[,;])[ \t]*"
_ANY_SEP = rf"(?:{_SEP}|[ \t]+)"
_PLACE = rf"(?:{_UP}(?:[ -](?:{_UP}|{_LINK})){{0,4}}(?:\s\([^)\n]{{2,18}}\))?(?![\w-]))"
_STOP = r"(?=[ \t]*(?:[.?!,;:\n)]|$|[a-z]))"
TAIL = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_ANY_SEP}{UNIT}",
        rf"{_SEP}(?:{_N}\s+)?(?:{_W}\s+){{0,3}}(?:{STREET_CAPITAL}|Streets?|Roads?)\b(?={_ANY_SEP}(?:Apt|Suite))",
        rf"[ \t]*,?[ \t]*(?:\n[ \t>|?*#-]*)?\b{POSTCODE}",
        rf"{_ANY_SEP}{COUNTRY}(?:\s\([^)\n]{{2,14}}\))?(?![\w-])",
        rf"{_ANY_SEP}{STATE}(?![\w-])(?:{_ANY_SEP}{POSTCODE}|{_STOP})",
        rf"{_ANY_SEP}{_PLACE}?(?={_ANY_SEP}(?:{STATE}\b|{POSTCODE}|{COUNTRY}))",
        rf"{_SEP}{_PLACE}(?={_SEP}(?:{STATE}\b|{POSTCODE}|{_PLACE}{_ANY_SEP}{POSTCODE}|{_PLACE}[ \t]*(?:[.?!\n]|$)))",
        rf"{_SEP}{_PLACE}{_STOP}",
        rf"[ \t]+{_PLACE}(?=[ \t]*(?:[.?!\n]|$))",
    )
)
WORDS_AFTER = re.compile(r"[ \t]*,?[ \t]*(?P<word>[^\W_]+)\.?")
# Codes of Canada and Britain come in one word or two.
_LOWER_CODE = r"(?:[a-z]\d[a-z]\d[a-z]\d|[a-z]\d[a-z]|\d[a-z]\d|[a-z]{1,2}\d[a-z\d]?|\d[a-z]{2}|\d{4,6})"
LOWER_STATE = re.compile(rf"(?:{STATE_LOWER}|usa|uk|zip|code|zipcode|pincode|{_LOWER_CODE})")
PLACE_WORDS = frozenset(
    "new north south east west saint san fort lake park city town bridge beach hill union lower upper great greater green".split()
)
LANDMARK = re.compile(
    r"[ \t]*,?[ \t]+(?:near(?: to)?|opp\.?|opposite(?: to)?|behind|beside|next to|adjacent to)(?=[ \t])"
)
TOWN = 4  # words of a town and its state
ENDS_OR_ZIP = re.compile(r"[ \t]+(?:\d{4,6}|[a-z]\d[a-z] ?\d[a-z]\d)\b|[ \t]*$")
ABBREVIATED = re.compile(r"\b[A-Za-z]{1,4}$")
LEADING = re.compile(
    r"(?<![\w.,$€£#-])(?:\d{1,6}|(?:(?:door|house|plot|flat|shop|site|block|h|d)\.?[ \t]*)?(?:no|number)\b\.?:?|door|house|plot|(?:(?:ground|first|second|third|fourth|top)[ \t]+)?(?:flat|unit|apt|apartment|suite|shop|room|level|floor)\b\.?(?:[ \t]+\d{1,4}[a-z]?[ \t]*[,/])?)[ \t]*$",
    re.I,
)
ZIP_WORD = re.compile(
    r"\b(?:zip|postal|post)\s?-?\s?(?:code)?s?\s*(?:is|:|number|no|=|-)?\s*(?:is\s)?(?P<code>" + POSTCODE + r")", re.I
)
ZIP_SHAPE = re.compile(r"(?<![\w-])(?:\d{5}-\d{4}|[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}|[A-Z]\d[A-Z]\s\d[A-Z]\d)(?![\w-])")
STREET_AFTER = re.compile(r"[ \t]+(?:street|st)\b\.?", re.I)
MONTH = re.compile(r"\b(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\b", re.I)


class AddressRecognizer(SpanRecognizer):
    types = ("STREET_ADDRESS", "POSTCODE")
    trigger = re.compile(r"\d|corner of|\baddress|\b(?:street|rue|via|calle|ul\.)", re.I)

    def __init__(self, lexicon: Lexicon) -> None:
        super().__init__()
        self._lexicon = lexicon

    def find(self, text: str, entities: Sequence[Entity]) -> Iterator[Span]:
        lowered = text.islower()
        for core_start, core_end, rule in self._cores(text):
            start, end = grow(text, core_start, core_end)
            if lowered:
                end = self._grow_lower(text, end)
            yield Span(start, end, "STREET_ADDRESS", f"address.{rule}", 0.8)
        for match in ZIP_WORD.finditer(text):
            yield Span(*match.span("code"), "POSTCODE", "postcode.named", 0.9)
        for match in ZIP_SHAPE.finditer(text):
            yield Span(*match.span(), "POSTCODE", "postcode.shape", 0.6)

    def _cores(self, text: str) -> Iterator[tuple[int, int, str]]:
        for number in NUMBER.finditer(text):
            for rule, pattern in NUMBER_FIRST:
                if (match := pattern.match(text, number.start())) and self._plausible(
                    match[0], loose=rule == "between_numbers"
                ):
                    yield *match.span(), rule
            if core := self._ends_with(text, number):
                yield *core, "ending_number"
        lowered = text.lower()
        for rule, literals, pattern in KEYED:
            if contains(lowered, literals):
                for match in pattern.finditer(text):
                    exact = rule not in ("before_unit", "prefix_street")
                    if (any(map(str.isdigit, match[0])) or rule == "crossing") and (
                        exact or self._plausible(match[0], loose=rule == "before_unit")
                    ):
                        yield *match.span(), rule
        if text == lowered:
            yield from self._announced_lower(text)
        for announced in ANNOUNCED.finditer(text):
            body = ANNOUNCED_BODY.match(text, announced.end())
            if body and self._plausible(body[0], loose=True):
                yield *body.span(), "announced"

    def _announced_lower(self, text: str) -> Iterator[tuple[int, int, str]]:
        """ "my address is 34 gandhi street madurai": the run of words, if it has a house number or a word of premises."""
        for announced in ANNOUNCED_LOWER.finditer(text):
            words: list[re.Match[str]] = []
            at = announced.end()
            while len(words) < 12 and (match := RUN.match(text, at)):
                word = match["word"]
                if (word in FUNCTION and word not in BETWEEN) or word in GOES_ON or "\n" in match[0]:
                    break
                words.append(match)
                at = match.start("word") + len(word)
            while words and words[-1]["word"] in BETWEEN:
                words.pop()
            letters = [match["word"] for match in words if match["word"].isalpha() and match["word"] not in BETWEEN]
            if not letters:
                continue
            names = [word for word in letters if not self._lexicon.ordinary(word) and word not in PREMISES]
            numbered = any(NUMBERED.fullmatch(match["word"]) for match in words[:4]) or words[-1]["word"].isdigit()
            premises = any(word in PREMISES or ends_like_street(word) for word in letters)
            placed = announced["sure"] is not None and all(
                not self._lexicon.known(word) or self._lexicon.place(word) > 0.1 for word in names
            )
            if (
                (numbered and (premises or len(names) * 2 >= len(letters)))
                or (premises and names and len(words) <= 8)
                or (placed and names and len(words) <= 4)
            ):
                begin = words[0].start("word")
                if before := LEADING.search(text, max(0, begin - 18), begin):
                    begin = before.start()
                yield begin, at if words[-1]["word"] not in BETWEEN else words[-1].end(), "announced_lower"

    def _ends_with(self, text: str, number: re.Match[str]) -> tuple[int, int] | None:
        """A street word before a house number ("Storgatan 5"), or after one ("5 Ziegelgasse"), with its first words."""
        before = text[max(0, number.start() - 90) : number.start()]
        words = before.split()
        if (
            words
            and before[-1:].isspace()
            and "\n" not in before[len(before.rstrip()) :]
            and self._is_street(words[-1])
        ):
            start = number.start() - len(before) + before.rstrip().rfind(words[-1])
            if lead := WORDS_BEFORE.search(text[:start], max(0, start - 60)):
                start = lead.start()
            end = HOUSE.match(text, number.start())
            return start, end.end() if end else number.end()
        for match in WORD_AFTER.finditer(text, number.end(), number.end() + 60):
            if self._is_street(match[0]):
                return number.start(), match.end()
            if not (match[0][0].isupper() or match[0].isdigit() or match[0] in STREET_LINKS):
                return None
        return None

    def _is_street(self, word: str) -> bool:
        """Whether a word ends like a street: "Ziegelgasse", in lower case only if it is no other word."""
        bare = word.strip(".,;")
        return (
            ends_like_street(word.rstrip(",;"))
            and (bare[:1].isupper() or not self._lexicon.known(bare))
            and not self._lexicon.ordinary(bare)
        )

    def _plausible(self, value: str, *, loose: bool) -> bool:
        """Not a quantity: "12 Large Pizzas 3", "10 options. A 4"."""
        words = [word for word in re.findall(r"[^\W\d_]+", value) if len(word) > 1]
        if loose and (
            len("".join(words)) < 3
            or words[-1].lower() in COUNTED
            or MONTH.search(value)
            or any(word in FUNCTION and word not in STREET_LINKS for word in words)
        ):
            return False
        names = words if loose else words[:-1]  # the last is the street word
        return (
            not names or sum(map(self._lexicon.ordinary, names)) <= len(names) * 0.5 or (not loose and len(names) == 1)
        )

    def _grow_lower(self, text: str, end: int) -> int:
        """In lower-case text: over up to six words that are places, states or codes."""
        last = end
        for _ in range(6):
            match = WORDS_AFTER.match(text, last)
            if match is None:
                break
            word = match["word"]
            code = LOWER_STATE.fullmatch(word) is not None
            if code and word in FUNCTION and not ENDS_OR_ZIP.match(text, match.end()):  # "in" and "or" are words too
                break
            if not code and word not in PLACE_WORDS and (self._lexicon.ordinary(word) or len(word) < 2):
                break
            last = match.start("word") + len(word)
            end = last
        if landmark := LANDMARK.match(text, end):
            end = max((match.end() for match in _while_named(text, landmark.end())), default=end)
        rest = text[end:].split()  # "mountain view ca": a town of ordinary words, up to the state that ends the turn
        if 1 < len(rest) <= TOWN and LOWER_STATE.fullmatch(rest[-1].strip(".,")) and not FUNCTION.intersection(rest):
            return len(text.rstrip())
        return end


def _while_named(text: str, start: int) -> Iterator[re.Match[str]]:
    """Up to ``TOWN`` words that name something."""
    for _ in range(TOWN):
        match = WORDS_AFTER.match(text, start)
        if match is None or match["word"] in FUNCTION or match["word"] in GOES_ON:
            return
        yield match
        start = match.end()


@functools.lru_cache(maxsize=20_000)
def ends_like_street(word: str) -> bool:
    """Whether a word is or ends with a street word: "Ziegelgasse", "Storgatan"."""
    return ENDS_STREET.search(word) is not None


def grow(text: str, start: int, end: int) -> tuple[int, int]:
    """The core's span with a leading number and the unit, city, state, postcode and country that follow."""
    if before := LEADING.search(text, max(0, start - 18), start):
        start = before.start()
    if after := STREET_AFTER.match(text, end):
        end = after.end()
    dotted = text[end : end + 1] == "." and ABBREVIATED.search(text[start:end])
    if dotted and any(pattern.match(text, end + 1) for pattern in TAIL[:5]):
        end += 1
    grown = True
    while grown:
        grown = False
        for pattern in TAIL:
            if (match := pattern.match(text, end)) and match.end() > end:
                end, grown = match.end(), True
                break
    return start, end
