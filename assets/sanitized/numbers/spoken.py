"""Telephone numbers and labelled values in languages other than English.

Telephone numbers are read by phonenumbers (Google's libphonenumber) for the countries of the language. A label says
what the number after it is: "Kundennummer: 44718", "mot de passe : Soleil!7".
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from assets.sanitized.numbers.labelled import LABELS
from assets.sanitized.numbers.telephone import DATE
from assets.sanitized.rule_file import read_rules
from resources.pii_engine import Entity, Span, SpanRecognizer

FOLDER = Path(__file__).parent / "words"
_NUMBER = r"(?:\s*(?:nummer|nr|no|num|n[°º]|número|numéro|numero|código|codice|code|id)\b\.?)?"
_LINK = (
    r"(?:\s*\([^)\n]{0,24}\))?\s*(?:(?:[:=#–-]|lautet|ist|war|est|es|è|é|is|was|era|sería|con|:|number)(?=[\s:])\s*|[:=#]\s*)*"
    r"[\"'„“«]?\s*"
)
VALUE = re.compile(
    r"(?=[A-Za-z./ -]{0,8}\d)[A-Z0-9a-z]+(?:[ ./-]?(?=[A-Za-z]{0,3}\d)[A-Za-z0-9]+|[./ -][A-Z0-9]{1,3}\b){0,8}"
)
SECRET = re.compile(r"[^\s\"'“”„«»,;]{3,64}")
SECRETS = ("PASSWORD", "USERNAME")
YEAR = re.compile(r"(?:19|20)\d\d")
ANNOUNCED = re.compile(r"(?::|\b(?:al|el|ao|no|o|pelo|au|le|il|lo))\s*$")  # "estamos en el 686210010"
# Right before a number that is no telephone's: "n.º", "Bestellung 6123...", "ref. ", "= ".
OF_SOMETHING = re.compile(
    r"(?:[#=$€£/]|\b(?:n|nr|no|num|núm|número|numero|numéro|nummer|ref\w*|id|cod\w*|cód\w*|codice|ticket|serie\w*|série|lote|lotto|"
    r"isbn|ean|imei|pedid\w*|encomenda|factura|fatura|fattura|facture|factuur|ordine|pratica|commande|dossier|caso|"
    r"incidencia|expediente|albarán|guia|bolla|spedizione|envío|colis|bestell\w*|rechnung\w*|auftrag\w*|zaak|order|"
    r"contrat\w*|client\w*|kunden?\w*|klant\w*|cuenta|conta|conto|compte|konto|rekening|nif|nie|dni|contribuinte|cpf|bsn|iva))"
    r"[ .:º°#=-]*$",
    re.I,
)
DIGITS = 3  # fewest in a labelled value
GROUPED = re.compile(r"(?:\+|00|\(?0)\d{1,4}\)?(?:[ /-]+\d{1,4}){3,5}$")  # numbers that no plan of numbers knows
NUMBER_LIKE = re.compile(r"(?<![\w.,/-])(?:\+|00)?\(?\d[\d ()./-]{5,20}\d(?![\w]|[.,/]\d)")


class SpokenPhoneRecognizer(SpanRecognizer):
    types = ("PHONE_NUMBER",)
    trigger = re.compile(r"\d(?:[ ().\-/]{0,3}\d){6}")

    def __init__(self, language: str) -> None:
        super().__init__()
        rules = read_rules(FOLDER / f"{language}.yaml")
        self._regions: list[str] = rules["regions"]
        self._word = re.compile(rf"\b(?:{rules['phone']})\b", re.I)

    def find(self, text: str, entities: Sequence[Entity]) -> Iterator[Span]:
        import phonenumbers

        for region in self._regions:
            for match in phonenumbers.PhoneNumberMatcher(text, region, leniency=phonenumbers.Leniency.VALID):
                if DATE.match(match.raw_string) or not self._believed(text, match):
                    continue
                yield Span(match.start, match.end, "PHONE_NUMBER", "phone.valid", 0.75)
        for near in NUMBER_LIKE.finditer(text):
            digits = sum(map(str.isdigit, near[0]))
            if not 7 <= digits <= 15 or DATE.match(near[0].strip()):
                continue
            if self._called(text, near.start(), 24):
                yield Span(*near.span(), "PHONE_NUMBER", "phone.named", 0.7)
            elif digits >= 9 and GROUPED.match(near[0]):
                yield Span(*near.span(), "PHONE_NUMBER", "phone.grouped", 0.55)

    def _believed(self, text: str, match: Any) -> bool:
        """With a code or trunk zero, in groups, near a word for it, or a mobile's: others are numbers of something."""
        value = match.raw_string
        grouped = len(re.findall(r"\d+", value)) > 2
        announced = ANNOUNCED.search(text, max(0, match.start - 8), match.start) is not None
        return (
            value[0] in "+0("
            or grouped
            or announced
            or self._called(text, match.start, 40)
            or (_is_mobile(match.number) and OF_SOMETHING.search(text[max(0, match.start - 30) : match.start]) is None)
        )

    def _called(self, text: str, start: int, reach: int) -> bool:
        return self._word.search(text, max(0, start - reach), start) is not None


def _is_mobile(number: Any) -> bool:
    import phonenumbers

    return phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE


def labels_of(language: str) -> Iterator[tuple[str, re.Pattern[str]]]:
    """Type and pattern of each label of a language."""
    for rule in read_rules(FOLDER / f"{language}.yaml")["labels"]:
        yield rule["type"], re.compile(rf"(?<![\w-])(?:{rule['label']})(?![\w])", re.I)


class SpokenLabelRecognizer(SpanRecognizer):
    def __init__(self, language: str) -> None:
        english = ((type_, rf"(?<![\w-])(?:{label})(?![^\W\d_])") for type_, label, *_ in LABELS)  # forms mix languages
        own = ((type_, label.pattern) for type_, label in labels_of(language))
        self._labels = [
            (type_, re.compile(rf"{label}{_NUMBER}{_LINK}(?=\S)", re.I)) for type_, label in (*own, *english)
        ]
        self.types = tuple(dict.fromkeys(type_ for type_, _ in self._labels))
        super().__init__()

    def find(self, text: str, entities: Sequence[Entity]) -> Iterator[Span]:
        for type_, label in self._labels:
            for match in label.finditer(text):
                if type_ in SECRETS:
                    yield from self._secret(text, match, type_)
                elif (value := VALUE.match(text, match.end())) and _identifies(value[0]):
                    yield Span(*value.span(), type_, f"labelled.{type_.lower()}", 0.8)

    def _secret(self, text: str, match: re.Match[str], type_: str) -> Iterator[Span]:
        """A password or user name: one word with a sign or digit, or any word behind a colon."""
        value = SECRET.match(text, match.end())
        if value is None:
            return
        bare = value[0].rstrip(".!?)")
        odd = not bare.isalpha()
        if odd or (":" in match[0] and len(bare) > 2):
            yield Span(value.start(), value.start() + len(bare), type_, f"labelled.{type_.lower()}", 0.8)


def _identifies(value: str) -> bool:
    """Whether a labelled value has digits enough and is neither a year nor a date."""
    return sum(map(str.isdigit, value)) >= DIGITS and not (YEAR.fullmatch(value) or DATE.match(value))
