"""English texts of many registers with people, addresses and numbers in them, filled in at run time by Faker.

Templates are split by parity: rules may look at the even half ("tune"); the odd half ("report") is measured only.
``{person}`` is a full name, ``{given}`` a first name, ``{address}`` a street address in the manner of ``where`` it is,
``{spoken}`` the same as people type it in a chat, ``{phone}`` a number of that country. People come from twenty
countries, addresses and telephones from the United States, Britain, Australia, India and Canada.
"""

import random
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

Labelled = tuple[str, str, list[tuple[str, int, int]]]  # template, text, spans (type, start, end)
NAMES = (
    "en_US en_GB en_IN en_AU de_DE fr_FR es_ES it_IT pt_BR nl_NL pl_PL sv_SE tr_TR vi_VN id_ID ga_IE ro_RO cs_CZ en_NZ fi_FI"
).split()
LANDS = ("en_US", "en_GB", "en_AU", "en_IN", "en_CA")
FIELD = re.compile(r"\{(person|given|address|spoken|phone)\}")
TYPES = {
    "person": "PERSON",
    "given": "PERSON",
    "address": "STREET_ADDRESS",
    "spoken": "STREET_ADDRESS",
    "phone": "PHONE_NUMBER",
}
TEMPLATES = (
    # letters
    "Dear {person},\n\nThank you for your letter of 3 May. We will reply within ten days.\n\nYours faithfully,\n{person}",
    "To whom it may concern,\n{person} has worked for us since 2019 and I recommend him without reservation.\n\n{person}\nHead of Operations",
    "{person}\n{address}\n\nRe: overdue invoice 4471",
    "Please forward all post for {person} to {address} from 1 June.",
    "Hi {given}, just a note to say the keys are with {person} next door.",
    "Our solicitor, {person}, will be in touch; her direct line is {phone}.",
    "I met {person} and {person} at the conference in Lisbon.",
    "The tenancy at {address} ends on 31 August.",
    # tickets
    "Ticket 5521: {person} reports that the VPN drops every hour. Callback {phone}.",
    "Reporter: {person}\nAssignee: {person}\nPriority: high\nThe printer on the second floor is jammed again.",
    "Customer {person} says the parcel went to {address} instead of the new flat.",
    "Escalated by {given} to {person}; waiting for parts.",
    "Spoke to {person} on {phone}, she confirmed the serial number.",
    "@{given} can you look at this? {person} from accounts is blocked.",
    "Resolved. {person} replaced the disk and {given} verified the backup.",
    "User {person} cannot log in after the update. Please ring {phone} before noon.",
    # chat
    "hey its {given}, can u call me on {phone}",
    "ask {given} if she can cover my shift tmrw",
    "so {person} told me the gig is cancelled lol",
    "deliver it to {spoken} pls",
    "my address is {spoken}",
    "im at {spoken}, where are you?",
    "yeah send the pizza to {spoken} and call {phone} when you're outside",
    "we moved to {spoken} last month",
    "tell {person} happy birthday from us!",
    "you can reach me at {phone} after 6",
    "the plumber lives at {spoken} i think",
    "can i change the delivery to {spoken}? thanks",
    # forms
    "Name: {person}\nAddress: {address}\nPhone: {phone}",
    "Applicant {person}, resident at {address}, telephone {phone}.",
    "Emergency contact: {person} ({phone})",
    "Billing address: {address}",
    "First witness: {person}. Second witness: {person}.",
    "Tel. (home) {phone}",
    "Insured: {person}; property insured: {address}",
    "Ship to {person}, {address}.",
    # calls
    "AGENT: Can I take your name?\nCALLER: Yes, it's {person}.\nAGENT: And the first line of your address?\nCALLER: {address}.",
    "CALLER: My number is {phone}, and you can ask for {given}.",
    "OPERATOR: Emergency, which service? CALLER: Ambulance please, to {address}, my husband {given} has collapsed.",
    "Caller {person} left a voicemail asking us to ring back on {phone}.",
    "Thanks for holding, {given}. I have {person} on the other line.",
    "This is {person} from the school; could you call us back on {phone}?",
    # reports and stories
    "According to {person}, the bridge was closed for repairs.",
    "The award went to {person} for her work on coral reefs.",
    "Detective {person} interviewed {person} at {address}.",
    "{person} was born in 1961 and studied chemistry before turning to law.",
    "Minutes: present were {person}, {person} and {given}.",
    "The nurse on duty, {person}, noted that {given} slept well.",
    "{given}'s mother, {person}, lives at {address}.",
    "When {given} opened the door, {given} was already gone.",
    "Prof. {person} and her student {person} published the results.",
    "The flat belongs to a Mr {person} and is let to {person}.",
    "Payment of 300 was received from {person} on Monday.",
    "Sign here: {person}",
)  # fmt: skip
CLEAN = (
    "Flights to Jordan leave twice a day from Heathrow.", "Johnson & Johnson recalled the lotion last spring.", "Will the order arrive before Christmas?",
    "Could I have the grilled chicken with a Coke, please?", "The Great Barrier Reef stretches for 2,300 kilometres.", "My order number is not in the e-mail you sent.",
    "Procter & Gamble and Marks & Spencer both report on Thursday.", "We travelled from Chad to Georgia by way of Cyprus.", "Please reset the router and try again in ten minutes.",
    "Version 3.14.2 fixes the crash on start-up.", "I'd like to change my seat to an aisle one.", "Ford, Tesla and Mercedes sold fewer cars in March.",
    "The Python script reads the file and prints 42 lines.", "Victoria Station is closed this weekend.", "The meeting is on 12 March 2026 at 10:30 in room 204.",
    "Goldman Sachs and JP Morgan raised their forecasts.", "Thanks, that's all for today!", "She bought Levi's jeans and a pair of Dr. Martens.",
    "How long does a refund take?", "Harley-Davidson opened a museum in Milwaukee.", "It costs $1,299.00 plus tax, about 15% less than last year.",
    "Mount Everest was first climbed in 1953.", "I can't find the invoice for October.", "Austin is hotter than Denver in July.",
    "Add two cups of flour and stir for 5 minutes.", "Charlotte and Savannah are cities in the American South.", "Is there a Wi-Fi password for guests?",
    "Ben & Jerry's sells ice cream in 30 countries.", "You can pay by card or bank transfer.", "The train to Florence departs from platform 9.",
    "Who wrote the book about the French Revolution?", "Wells Fargo closed the branch on Main Street.", "Please mark the ticket as resolved.",
    "Sydney has better beaches than Melbourne.", "The battery lasts 14 hours and weighs 1.2 kg.", "Ralph Lauren and Calvin Klein show in New York.",
    "Open the settings, then choose Privacy.", "May is warmer than April here.", "I need a rental car for 3 days.", "Ernst & Young audits the accounts.",
)  # fmt: skip


@cache
def _faker(locale: str) -> Any:
    from faker import Faker

    return Faker(locale)


def labelled(seed: int, half: str) -> Iterator[Labelled]:
    """Every template of the half, filled with values of its own."""
    for index, template in enumerate(TEMPLATES):
        if index % 2 == (half == "report"):
            rng = random.Random(f"{seed}:{index}")
            where = rng.choice(LANDS)
            text, spans, position = "", [], 0
            for field in FIELD.finditer(template):
                text += template[position : field.start()]
                value = _value(field[1], where, rng)
                spans.append((TYPES[field[1]], len(text), len(text) + len(value)))
                text += value
                position = field.end()
            yield template, text + template[position:], spans


def clean(half: str) -> Iterator[str]:
    """Texts of the half with nobody in them."""
    return (text for index, text in enumerate(CLEAN) if index % 2 == (half == "report"))


def _value(kind: str, where: str, rng: random.Random) -> str:
    faker = _faker(rng.choice(NAMES) if kind in ("person", "given") else where)
    faker.seed_instance(rng.randrange(1 << 30))
    if kind == "given":
        return str(faker.first_name())
    if kind == "person":
        return f"{faker.first_name()} {faker.last_name()}"
    if kind == "phone":
        return _phone(where, rng)
    street = _street(where, faker, rng)
    return _spoken(street, rng) if kind == "spoken" else street


def _street(where: str, faker: Any, rng: random.Random) -> str:
    number = rng.randrange(1, 400)
    street = f"{number} {faker.last_name()} {rng.choice(('Street', 'Road', 'Avenue', 'Lane', 'Close', 'Drive'))}"
    return {
        "en_US": f"{street}, {faker.city()}, {rng.choice(('TX', 'OH', 'CA', 'NY', 'WA'))} {faker.postcode()[:5]}",
        "en_CA": f"{street}, {faker.city()}, {rng.choice(('ON', 'BC', 'AB'))} {faker.postcode()}",
        "en_GB": f"Flat {rng.randrange(1, 30)}, {street}, {rng.choice(('Leeds', 'Bristol', 'Stockport', 'Truro'))} {faker.postcode()}",
        "en_AU": f"Unit {rng.randrange(1, 9)}/{street}, {rng.choice(('Geelong', 'Cairns', 'Fremantle'))} {rng.choice(('VIC', 'QLD', 'WA'))} {rng.randrange(3000, 6999)}",
        "en_IN": f"{number}, {rng.choice(('MG', 'Nehru', 'Station', 'Gandhi'))} {rng.choice(('Road', 'Nagar', 'Marg'))}, {rng.choice(('Pune', 'Indore', 'Kochi'))} {rng.randrange(110001, 799999)}",
    }[where]


def _spoken(street: str, rng: random.Random) -> str:
    """As typed in a hurry: in lower case, without commas, often without the town."""
    short = ", ".join(
        street.split(", ")[
            : 2 if street.startswith(("Flat", "Unit")) or street.split(",", maxsplit=1)[0].isdigit() else 1
        ]
    )
    return rng.choice((street, street.lower().replace(",", ""), short.lower(), short))


def _phone(where: str, rng: random.Random) -> str:
    patterns = {
        "en_US": ("(###) ###-####", "###-###-####", "+1 ### ### ####", "###.###.####"),
        "en_CA": ("### ### ####", "1-###-###-####", "(###) ###-####"),
        "en_GB": ("07### ######", "020 #### ####", "+44 7### ######", "01### ######", "07#########"),
        "en_AU": ("04## ### ###", "(0#) #### ####", "+61 4## ### ###"),
        "en_IN": ("+91 9#### #####", "9#########", "9#### #####", "0##-#### ####"),
    }[where]
    return re.sub("#", lambda _: str(rng.randrange(2, 10)), rng.choice(patterns))
