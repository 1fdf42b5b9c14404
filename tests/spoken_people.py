"""Texts in German, French, Spanish, Italian, Dutch and Portuguese with people in them, filled in at run time.

Templates, names and streets are in ``tests/spoken``. Registers ``letter``, ``chat``, ``ticket`` and ``contract`` are
split by parity: rules may look at the even templates ("tune"), the odd ones ("report") are measured only, and so is
``other``, whose styles no rule was made on. Half of the people have names of Faker's lists, from which the sanitiser's
are made; the other half have names that its lists do not know. ``held_back`` (voicemail, invoices, medical notes, forum
posts, delivery notes) has names and streets of its own, too.

``{person}`` is a full name, ``{given}`` and ``{family}`` its parts, ``{street}`` a street with its number, ``{address}``
the same with its town, ``{spoken}`` as people type it in a chat; identifiers go by their own names.
"""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "spoken"
LANGUAGES = ("de", "fr", "es", "it", "nl", "pt")
SPLIT = ("letter", "chat", "ticket", "contract")
FIELD = re.compile(r"\{(\w+)\}")
LOCALES = {
    "de": ("de_DE", "de_AT", "de_CH"), "fr": ("fr_FR", "fr_BE", "fr_CA"), "es": ("es_ES", "es_MX", "es_AR"),
    "it": ("it_IT",), "nl": ("nl_NL", "nl_BE"), "pt": ("pt_PT", "pt_BR"),
}  # fmt: skip
PHONES = {
    "de": ("0### #######", "01## ########", "+49 1## #######", "0##/#######", "0## # ## ## ##", "+43 6## #######", "(0##) ### ## ##", "01########"),
    "fr": ("06 ## ## ## ##", "06########", "+33 6 ## ## ## ##", "01.##.##.##.##", "07-##-##-##-##", "04## ## ## ##", "+33 (0)1 ## ## ## ##"),
    "es": ("6## ### ###", "6########", "+34 6## ### ###", "91 ### ## ##", "9## ## ## ##", "+52 55 #### ####", "6## ## ## ##"),
    "it": ("3## #######", "3#########", "+39 3## ### ####", "02 ########", "06/#######", "0## ### ####", "3##-#######"),
    "nl": ("06-########", "06 ## ## ## ##", "+31 6 ########", "020-#######", "06########", "0## ### ## ##", "+32 4## ## ## ##"),
    "pt": ("9## ### ###", "9########", "+351 9## ### ###", "21 ### ## ##", "(11) 9####-####", "+55 11 9#### ####", "11 9####-####"),
}  # fmt: skip
FIRST_DIGITS = {"de": "23456789", "es": "23456789", "it": "234689", "nl": "123456", "pt": "136", "fr": "1234567"}
MONTHS = {
    "de": "{day}. März {year}", "fr": "{day} mars {year}", "es": "{day} de marzo de {year}",
    "it": "{day} marzo {year}", "nl": "{day} maart {year}", "pt": "{day} de março de {year}",
}  # fmt: skip
BANKS = {"de": ("DE", "AT", "CH"), "fr": ("FR", "BE"), "es": ("ES",), "it": ("IT",), "nl": ("NL", "BE"), "pt": ("PT",)}


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text with the values in it: ``(type, start, end, whether the sanitiser's lists may know the name)``."""

    register: str
    text: str
    spans: tuple[tuple[str, int, int, bool], ...]


@cache
def templates(language: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = yaml.safe_load((FOLDER / f"{language}.yaml").read_text(encoding="utf-8"))
    return found


@cache
def _data(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    return found


@cache
def _faker(locale: str) -> Any:
    from faker import Faker

    return Faker(locale)


def labelled(language: str, half: str, seed: int) -> Iterator[Labelled]:
    """Every template of a half ("tune", "report", "other" or "held_back"), with values of its own."""
    for register, texts in templates(language).items():
        for index, template in enumerate(texts):
            mine = register == half or (register in SPLIT and ("tune", "report")[index % 2] == half)
            if mine:
                yield _filled(language, register, template, random.Random(f"{seed}:{language}:{register}:{index}"))


def clean(language: str, half: str) -> list[str]:
    """Texts of a half with nobody in them."""
    if half in ("other", "held_back"):
        return templates(language)[f"clean_{half}"]
    return templates(language)["clean"][half == "report" :: 2]


def _filled(language: str, register: str, template: str, rng: random.Random) -> Labelled:
    text, spans, position = "", [], 0
    for field in FIELD.finditer(template):
        text += template[position : field.start()]
        type_, value, listed = value_of(field[1], language, rng, register == "held_back")
        spans.append((type_, len(text), len(text) + len(value), listed))
        text += value
        position = field.end()
    return Labelled(register, text + template[position:], tuple(spans))


def value_of(kind: str, language: str, rng: random.Random, held_back: bool = False) -> tuple[str, str, bool]:
    """``(type, value, whether the lists may know it)``; ``held_back``: of the names and streets that are held back."""
    if kind in ("person", "given", "family"):
        name, listed = _name(kind, language, rng, held_back)
        return "PERSON", name, listed
    if kind in ("street", "address", "spoken"):
        return "STREET_ADDRESS", _address(kind, language, rng, held_back), False
    if kind == "phone":
        digits = FIRST_DIGITS[language]
        pattern = rng.choice(PHONES[language])
        at = pattern.find("#")
        pattern = pattern[:at] + rng.choice(digits) + pattern[at + 1 :]
        return "PHONE_NUMBER", re.sub("#", lambda _: str(rng.randrange(10)), pattern), False
    if kind == "iban":
        return "IBAN_CODE", _iban(rng.choice(BANKS[language]), rng), False
    if kind == "email":
        name, _ = _name("person", language, rng, held_back)
        local = re.sub(r"[^a-z.]", "", name.lower().replace(" ", "."))
        return (
            "EMAIL_ADDRESS",
            f"{local}{rng.randrange(100)}@{rng.choice(('example.org', 'mail.example', 'post.example.net'))}",
            False,
        )
    if kind == "birth":
        return "DATE_OF_BIRTH", MONTHS[language].format(day=rng.randrange(1, 28), year=rng.randrange(1940, 2005)), False
    return "IDENTIFIER", IDENTIFIERS[kind](rng), False


def _name(kind: str, language: str, rng: random.Random, held_back: bool) -> tuple[str, bool]:
    own, listed = _data("held_back" if held_back else "names")[language], rng.random() < 0.5
    if not listed:
        given, family = rng.choice(own["given"]), rng.choice(own["family"])
    else:
        faker = _seeded(rng.choice(LOCALES[language]), rng)
        given, family = faker.first_name(), faker.last_name()
    return {"person": f"{given} {family}", "given": given, "family": family}[kind], listed


def _seeded(locale: str, rng: random.Random) -> Any:
    faker = _faker(locale)
    faker.seed_instance(rng.randrange(1 << 30))
    return faker


def _address(kind: str, language: str, rng: random.Random, held_back: bool) -> str:
    known = _data("streets")[language]
    streets = _data("held_back")[language]["streets"] if held_back else known["streets"]
    line = rng.choice(known["lines"]).format(street=rng.choice(streets), n=rng.randrange(1, 240))
    if kind == "street":
        return line
    locales, weights = zip(*known["places"], strict=True)
    faker = _seeded(rng.choices(locales, weights)[0], rng)
    town = rng.choice(known["towns"]).format(zip=faker.postcode(), city=faker.city())
    if kind == "spoken":
        return rng.choice((line, line.lower(), f"{line}, {town}".lower().replace(",", "")))
    return rng.choice((f"{line}, {town}", f"{line}, {town}", f"{line}\n{town}"))


def _iban(country: str, rng: random.Random) -> str:
    from stdnum import iban

    faker = _seeded(
        {
            "DE": "de_DE",
            "AT": "de_AT",
            "CH": "de_CH",
            "FR": "fr_FR",
            "BE": "nl_BE",
            "ES": "es_ES",
            "IT": "it_IT",
            "NL": "nl_NL",
            "PT": "pt_PT",
        }[country],
        rng,
    )
    value = faker.iban()
    value = value[:2] + iban.calc_check_digits(value) + value[4:]
    return value if rng.random() < 0.4 else " ".join(value[at : at + 4] for at in range(0, len(value), 4))


def _digits(rng: random.Random, n: int) -> str:
    return "".join(str(rng.randrange(10)) for _ in range(n))


def _idnr(rng: random.Random) -> str:
    from stdnum.de import idnr

    while True:
        order = rng.sample("1234567890", 9)
        body = [*order, rng.choice(order)]
        rng.shuffle(body)
        if body[0] != "0":
            from stdnum.iso7064 import mod_11_10

            value = "".join(body)
            value += mod_11_10.calc_check_digit(value)
            if idnr.is_valid(value):
                return value if rng.random() < 0.5 else idnr.format(value)


def _rvnr(rng: random.Random) -> str:
    """A German pension insurance number: area, birth date, initial, serial number and check digit (VKVV, section 4)."""
    body = f"{rng.choice((12, 15, 42, 65)):02d}{rng.randrange(1, 29):02d}{rng.randrange(1, 13):02d}{rng.randrange(40, 100):02d}"
    letter, serial = rng.choice("ABDGHKLMNRSTW"), f"{rng.randrange(2, 99):02d}"
    digits = [int(one) for one in f"{body}{ord(letter) - 64:02d}{serial}"]
    check = (
        sum(
            sum(divmod(digit * weight, 10))
            for digit, weight in zip(digits, (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1), strict=True)
        )
        % 10
    )
    value = f"{body}{letter}{serial}{check}"
    return value if rng.random() < 0.5 else f"{value[:2]} {value[2:8]} {letter} {value[9:]}"


def _nir(rng: random.Random) -> str:
    body = f"{rng.choice('12')}{_digits(rng, 2)}{rng.randrange(1, 13):02d}{rng.randrange(1, 96):02d}{rng.randrange(1, 900):03d}{rng.randrange(1, 999):03d}"
    body = body[:5] + ("75" if body[5:7] == "20" else body[5:7]) + body[7:]
    value = f"{body}{97 - int(body) % 97:02d}"
    return (
        value
        if rng.random() < 0.4
        else f"{value[0]} {value[1:3]} {value[3:5]} {value[5:7]} {value[7:10]} {value[10:13]} {value[13:]}"
    )


def _dni(rng: random.Random) -> str:
    number = rng.randrange(1_000_000, 99_999_999)
    letter = "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23]
    return rng.choice(
        (
            f"{number:08d}{letter}",
            f"{number:08d}-{letter}",
            f"{number:08d}"[:2] + f".{number:08d}"[3:6] + f".{number:08d}"[6:9] + f"-{letter}",
        )
    )


def _nie(rng: random.Random) -> str:
    first, number = rng.randrange(3), rng.randrange(10_000_000)
    letter = "TRWAGMYFPDXBNJZSQVHLCKE"[(first * 10_000_000 + number) % 23]
    return rng.choice((f"{'XYZ'[first]}{number:07d}{letter}", f"{'XYZ'[first]}-{number:07d}-{letter}"))


def _bsn(rng: random.Random) -> str:
    while True:
        value = f"{rng.randrange(10_000_000, 999_999_999):09d}"
        if (
            sum(int(digit) * weight for digit, weight in zip(value, (9, 8, 7, 6, 5, 4, 3, 2, -1), strict=True)) % 11
            == 0
        ):
            return value if rng.random() < 0.6 else f"{value[:4]}.{value[4:6]}.{value[6:]}"


def _nif(rng: random.Random) -> str:
    body = f"{rng.choice('12')}{_digits(rng, 7)}"
    check = 11 - sum(int(digit) * weight for digit, weight in zip(body, range(9, 1, -1), strict=True)) % 11
    value = f"{body}{0 if check > 9 else check}"
    return value if rng.random() < 0.6 else f"{value[:3]} {value[3:6]} {value[6:]}"


IDENTIFIERS: dict[str, Callable[[random.Random], str]] = {
    "idnr": _idnr, "rvnr": _rvnr, "nir": _nir, "dni": _dni, "nie": _nie, "bsn": _bsn, "nif": _nif,
    "cf": lambda rng: str(_seeded("it_IT", rng).ssn()), "cpf": lambda rng: str(_seeded("pt_BR", rng).cpf()),
}  # fmt: skip
