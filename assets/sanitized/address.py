"""Street addresses of many countries: a core with a street word or box, grown over the parts that follow it.

The stock recognisers know no addresses. A core is a number with an English street type ("12 Oak Street"), a Romance or
Slavic street word ("rue ...", "via ...", "ul. ..."), a Germanic, Nordic or Hungarian ending with its number
("Storgatan 5"), a box ("PO Box 9", "PSC 12, Box 3", "Unit 5 Box 6"), a flat ("Apt. 5"), or a crossing ("corner of A
and B"). After words that announce an address, any name with a house number is a core. Unit, city, state, postcode
and country that follow belong to it.
"""

import re
from collections.abc import Iterator, Sequence

from resources.pii_engine import Entity, Span, SpanRecognizer

_N = r"(?:\d{1,6}(?:\s?[-/]\s?\d{1,5})?\s?[A-Za-z]?\b)"
_UP = r"[^\W\d_a-z][\w'’.-]*"  # a word that does not start with an ASCII small letter
_W = rf"(?:{_UP}|(?:de|la|le|les|du|des|del|della|dei|degli|der|den|van|von|zu|zum|di|da|do|dos|das|el|los|las|y|e|of|the|and|i|ter|ten|op|aan|av|af|fejedelem)\b|[dl]['’]\w+)"
_TYPE_STRONG = (
    r"(?:street|str|st|avenue|ave|av|road|rd|boulevard|blvd|lane|ln|drive|dr|highway|hwy|parkway|pkwy|"
    r"crescent|terrace|turnpike|expressway|freeway|circle|cir|streets)"
)
_TYPE_TITLE = (
    r"(?:Court|Ct|Place|Pl|Square|Sq|Squares|Way|Close|Alley|Trail|Row|Walk|Mews|Gardens?|Grove|Hill|Quay|Plaza|Loop|Pike|Route|Run|"
    r"Bridge|Crossing|Heights|Hts|Point|Pt|Ridge|Park|Parks|Green|View|Village|Estates?|Manor|Station|Fort|Forts|Isle|Island|"
    r"Junctions?|Union|Unions|Coves?|Spring|Springs|Valley|Meadows?|Fields?|Forest|Glen|Haven|Harbor|Knolls?|Lakes?|Landing|Mall|"
    r"Mission|Mountain|Orchard|Oval|Pass|Path|Pine|Plains?|Port|Prairie|Ramp|Ranch|Rapids?|Rest|River|Shoals?|Shores?|Spur|"
    r"Stravenue|Stream|Summit|Throughway|Trace|Track|Trafficway|Tunnel|Underpass|Viaduct|Ville|Vista|Wall|Well|Wells|Esplanade|Causeway)"
)
_PREFIX = (
    r"(?:rue|avenue|av\.|boulevard|bd\.?|chemin|impasse|allée|place|quai|route|cours|via|viale|piazza|corso|vicolo|largo|strada|"
    r"calle|c/|avenida|avda\.?|av\.?|paseo|plaza|carrera|cra\.?|camino|ronda|rua|travessa|praça|alameda|rodovia|estrada|"
    r"ulica|ul\.|al\.|aleja|pl\.|os\.|jalan|jl\.|ulitsa|prospekt|strasse|straat|λεωφόρος|οδός|bulevardul|strada|str\.|sok\.|cad\.)"
)
_ENDING = (
    r"(?:stra(?:ß|ss)e|str\.|weg|platz|gasse|allee|ring|damm|ufer|gatan|gata|gate|vägen|veien|vegen|vej|veg|väg|gränd|gränden|gade|"
    r"stræti|stræde|katu|tie|kuja|polku|tee|maantee|puiestee|tänav|straat|laan|dijk|kade|plein|hof|singel|gracht|stien|torg|torget|torv|"
    r"bakken|backen|terrasse|terrassen|allé|alléen|utca|útja|tér|körút|köz|sétány|náměstí|ulice|ova|straße|vollen|stigen|plass|"
    r"achterberghove|pad|steeg|wal)"
)
_HU = r"(?:u\.|utca|út|útja|tér|krt\.|körút|köz|rkp\.)"
UNIT = r"(?:(?:apt|apartment|appt|suite|ste|unit|flat|floor|fl|room|rm|bldg|building|dept|lot|door|no|#)\b\.?\s*#?\s?\d{1,5}[A-Za-z]?\b)"
CORES = tuple(
    (rule, re.compile(pattern, flags))
    for rule, pattern, flags in (
        ("number_street", rf"(?<![\w.,$€£-]){_N}(?:\s\d{{1,4}})?\s+(?:{_W}\s+|\d{{1,3}}(?:st|nd|rd|th)\s+){{0,5}}?(?:{_W}\s+)?(?i:{_TYPE_STRONG})\b\.?", 0),
        ("number_street", rf"(?<![\w.,$€£-]){_N}(?:\s\d{{1,4}})?\s+(?:{_W}\s+){{1,4}}{_TYPE_TITLE}\b", 0),
        ("number_street", rf"(?<![\w.,$€£-])(?:no\.?\s?)?\d{{1,6}}[a-z]?\s+(?:[^\W\d_][\w'’-]*\s+|\d{{1,3}}(?:st|nd|rd|th)?\s+){{1,4}}?(?:street|st|avenue|ave|road|rd|boulevard|blvd|drive|dr|lane|ln|hwy|highway|parkway|nagar|colony)\b", re.I),
        ("number_only_type", rf"(?<![\w.,$€£-])\d{{1,6}}\s+(?:us\s+)?(?:hwy|highway|route)\s+\d{{1,4}}\b", re.I),
        ("street_number", rf"\b(?:{_W}\s+){{0,4}}[^\W\d_]*(?i:{_ENDING})\s+(?:\d{{1,5}}\s)?{_N}", 0),
        ("number_street_ending", rf"(?<![\w.,$€£-]){_N}(?:\s\d{{1,4}})?\s+(?:{_W}\s+){{0,3}}[^\W\d_]{{2,}}(?i:{_ENDING})\b(?:\s+\d{{1,5}}\b)?", 0),
        ("prefix_street", rf"(?<![\w])(?:{_N},?\s+(?:\d{{1,4}}\s+)?)?(?i:{_PREFIX})\s*(?:{_W},?\s+){{0,5}}(?:{_UP}|\d{{1,2}}\s(?:de|di|of)\s\w+)(?:,?\s+(?:n[°o.]\s?)?{_N})?", 0),
        ("hungarian", rf"(?:{_N}\s+)?(?:\b{_W}\s+){{1,4}}{_HU}\s*\d{{1,4}}\.?", 0),
        ("box", r"\b(?:p\.?\s?o\.?\s?box|post\s?box|postbox|postfach|apartado|boîte postale|private bag|box)\s*#?\s?\d{1,6}\b(?!\s*(?:of|set))", re.I),
        ("military", r"\b(?:PSC|Unit|CMR|USNV|USNS|USS|USCGC|USNS)\s+[\w ]{1,20}?,?\s+(?:Box\s+\d{1,5}|(?=\s*(?:APO|FPO|DPO)))|\b(?:APO|FPO|DPO),?\s+A[AEP]\s+\d{5}\b", re.I),
        ("unit", rf"\b(?:apt|apartment|suite|ste|flat)\b\.?\s*#?\s?\d{{1,5}}[A-Za-z]?\b", re.I),
        ("crossing", rf"\b(?:the\s+)?corner\s+of\s+(?:{_W}\s+|\d+\s+){{1,6}}and\s+(?:{_W}\s*|\d+\s*){{1,6}}", re.I),
    )
)  # fmt: skip
ANNOUNCED = re.compile(
    r"(?:\baddress(?:es)?(?:\s+(?:is|to|with|here they are|book|line))?\s*[:\-]?|\b(?:liv(?:es|e|ing)|resid(?:es|e|ing)|located|office is|restaurant is|house is|home is)\s+(?:at|on|in)|"
    r"\b(?:deliver(?:ed)?|ship(?:ped)?|sent?|mail(?:ed)?|return|taxi|cab|uber|moved?|come|go)\s+(?:it\s+|this\s+|them\s+|back\s+)?(?:to|at)|"
    r"\b(?:meet|see|find)\s+(?:me|us|you|him|her|them)?\s*(?:at|on)|\b(?:it'?s|it is|is|off|drops you off|enter)\s+(?:in|at|on)|"
    r"\bside of|\bsent to\?(?:\s*user:)?|\bgiven \w+ his address:|\brefers to)\s+",
    re.I,
)
ANNOUNCED_BODY = re.compile(
    rf"(?:(?:{_W}|[^\W\d_]{{3,}}\b)\s+){{1,4}}\d{{1,5}}[A-Za-z]?\b|\d{{1,6}}(?:\s\d{{1,5}})?[A-Za-z]?,?\s+(?:{_W}\s*){{1,4}}", 0
)
STATE = (
    r"(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY]|"
    r"AB|BC|MB|NB|NL|NS|ON|PE|QC|SK|NSW|VIC|QLD|TAS|ACT|[A-Z]{2}|nan)"
)
POSTCODE = r"(?:\d{5}-\d{3,4}|\d{3}\s\d{2,3}\b|\d{4}\s?[A-Z]{2}\b|\d{4,6}|[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}|[A-Z]\d[A-Z]\s?\d[A-Z]\d|[A-Z]{1,2}-\d{3,5})(?!\w)"
_SEP = r"[ \t]*(?:[,;/.]?[ \t]*\n[ \t]*[,;]?|[,;])?[ \t]*"
_PLACE = rf"(?:{_UP}(?:[ -](?:{_UP}|(?:de|del|la|di|am|an|der|upon|on|of|sur|el)\b)){{0,4}}(?:\s\([^)\n]{{2,14}}\))?)"
TAIL = tuple(
    re.compile(pattern, flags)
    for pattern, flags in (
        (rf"{_SEP}{UNIT}", re.I),
        (rf"{_SEP}(?:{_N}\s+)?(?:{_W}\s+){{0,3}}(?:{_TYPE_TITLE}|Street|Streets|Road|Roads)\b(?={_SEP}(?:Apt|Suite))", 0),
        (rf"[ \t]*,?[ \t]*\n?[ \t]*\b{POSTCODE}", 0),
        (rf"{_SEP}{STATE}(?:{_SEP}{POSTCODE}|(?=\s*(?:[\n.,?!]|$)))", 0),
        (rf"{_SEP}{_PLACE}(?={_SEP}(?:{STATE}\b|{POSTCODE}|{_PLACE}?{_SEP}{POSTCODE}|{_PLACE}\s*(?:[.?!\n]|$)))", 0),
        (rf"[ \t]*,[ \t]*{_PLACE}(?=[ \t]*(?:[.?!\n,]|$|and\b))", 0),
        (rf"[ \t]*\n[ \t]*{_PLACE}(?=[ \t]*(?:[.?!\n,]|$))", 0),
    )
)
LOWER_TAIL = re.compile(
    r"(?:[ \t]*,?[ \t]*(?:apt|suite|unit|flat|#)\.?\s?\d{1,5}[a-z]?)?[ \t]*,?[ \t]*"
    r"(?:[a-z][a-z'.-]*,?[ \t]+){0,5}?(?:a[lkzr]|c[aot]|d[ce]|fl|ga|hi|i[adln]|k[sy]|la|m[adeinost]|n[cdehjmvy]|o[hkr]|pa|ri|s[cd]|t[nx]|ut|v[at]|"
    r"w[aivy]|usa|(?:zip\s?(?:code)?\s?)?\d{4,6})\b(?:[ \t]+(?:zip\s?(?:code)?\s?)?\d{4,6}\b)?(?:[ \t]+usa\b)?",
)
LEADING = re.compile(r"(?<![\w.,$€£#-])\d{1,6}[ \t]+$")
ZIP_WORD = re.compile(r"\b(?:zip|postal|post)\s?-?\s?(?:code)?s?\s*(?:is|:|number|no|=|-)?\s*(?:is\s)?(?P<code>" + POSTCODE + r")", re.I)
ZIP_SHAPE = re.compile(r"(?<![\w-])(?:\d{5}-\d{4}|[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}|[A-Z]\d[A-Z]\s\d[A-Z]\d)(?![\w-])")
STREET_AFTER = re.compile(r"[ \t]+(?:street|st)\b\.?", re.I)


class AddressRecognizer(SpanRecognizer):
    types = ("STREET_ADDRESS", "POSTCODE")
    trigger = re.compile(r"\d|corner of|\b(?:street|rue|via|calle|ul\.)", re.I)

    def find(self, text: str, entities: Sequence[Entity]) -> Iterator[Span]:
        for start, end, rule in self._cores(text, entities):
            start, end = grow(text, start, end)
            yield Span(start, end, "STREET_ADDRESS", f"address.{rule}", 0.8)
        for match in ZIP_WORD.finditer(text):
            yield Span(*match.span("code"), "POSTCODE", "postcode.named", 0.9)
        for match in ZIP_SHAPE.finditer(text):
            yield Span(*match.span(), "POSTCODE", "postcode.shape", 0.6)

    def _cores(self, text: str, entities: Sequence[Entity]) -> Iterator[tuple[int, int, str]]:
        for rule, pattern in CORES:
            for match in pattern.finditer(text):
                if any(map(str.isdigit, match[0])) or rule in ("crossing", "military"):
                    yield *match.span(), rule
        for announced in ANNOUNCED.finditer(text):
            if body := ANNOUNCED_BODY.match(text, announced.end()):
                yield *body.span(), "announced"


def grow(text: str, start: int, end: int) -> tuple[int, int]:
    """The core's span with a leading number and the unit, city, state, postcode and country that follow."""
    if before := LEADING.search(text, 0, start):
        start = before.start()
    if after := STREET_AFTER.match(text, end):
        end = after.end()
    grown = True
    while grown:
        grown = False
        for pattern in TAIL:
            if (match := pattern.match(text, end)) and match.end() > end:
                end, grown = match.end(), True
                break
    if text[start:end].islower() and (match := LOWER_TAIL.match(text, end)):
        end = match.end()
    return start, end
