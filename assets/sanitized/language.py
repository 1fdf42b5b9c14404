"""The language of a text: English, one of the six others that the sanitiser has rules for, or one without.

Most texts of most drops are English, and what follows must cost them nothing: a text without any small word of another
language is not looked at further. One with such words is given to the identifier of validation, if it is long enough;
in a short one the small words are counted. Where neither tells, a text is in the language of its row.

>>> language_of("Guten Tag, ich wohne in der Lindenstraße 5 und möchte meine Lieferung ändern, bitte.")
'de'
>>> language_of("Thanks, the parcel is here."), language_of("Maria Rossi")
('en', '')
"""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from assets.sanitized.rule_file import word_lists
from assets.validated.language import classify

SMALL_WORDS = {name: frozenset(words) for name, words in word_lists(Path(__file__).parent / "languages.yaml").items()}
ENGLISH = SMALL_WORDS.pop("english")
ANYWHERE = SMALL_WORDS.pop("anywhere") | ENGLISH
LANGUAGES = tuple(SMALL_WORDS)  # beside English
_FOREIGN = frozenset().union(*SMALL_WORDS.values())
TELLING = _FOREIGN - ANYWHERE
TELLING_ENGLISH = ENGLISH - _FOREIGN  # "a" and "me" tell nothing
READ = 600  # characters that are looked at
LETTERS, SURE = 60, 0.8  # as validation judges
FEWEST, SURER = 24, 0.7  # the same where only the seven languages are asked about
CLEARLY = 4  # small words from which a text counts as in their language, whatever the identifier says
SEVERAL = 3  # small words of one language more than of any other that speak for it
LABELS, FORM = 2, 200  # small words, and the most letters, of a form
SHORT = 20  # characters below which the classifier knows nothing
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


def language_of(text: str) -> str:
    """The language of a text as an ISO 639-1 code, "" if unknown. One without rules of its own is read like English."""
    head = text[:READ].lower()
    if TELLING.isdisjoint(head.split()) and not TELLING_ENGLISH.isdisjoint(head.split()):
        return "en"
    words = WORD.findall(head)
    said = frozenset(words)
    english = len(ENGLISH & said)
    votes = {language: len(small & said) for language, small in SMALL_WORDS.items()}
    letters, telling = sum(map(len, words)), TELLING & said
    if not telling:
        return "en" if TELLING_ENGLISH & said else _by_letters(text, letters, votes)
    votes = {language: n for language, n in votes.items() if n > english and telling & SMALL_WORDS[language]}
    if not votes:
        return "en" if english else ""
    if letters >= LETTERS:
        code, probability = classify(text[:READ])
        if probability >= SURE and code in ("en", *LANGUAGES):
            return code if code in votes else "en"
        if probability >= SURE and max(votes.values()) < CLEARLY:
            # A language that shares small words with one of these; or a form, whose names and numbers tell nothing.
            among, surely = classify(text[:READ], ("en", *LANGUAGES))
            form = among in votes and surely >= SURER and len(telling & SMALL_WORDS[among]) >= LABELS
            return among if form and letters <= FORM else code
    best = max(votes, key=lambda language: votes[language])
    return best if votes[best] > 1 or len(words) > 2 else ""


def _by_letters(text: str, letters: int, votes: dict[str, int]) -> str:
    """Where no word tells: what the identifier says of the letters, if no other language has more small words there."""
    best = max(votes.values())
    if letters >= LETTERS and not best:
        code, probability = classify(text[:READ])
        return code if probability >= SURE and code not in LANGUAGES else ""
    if letters < FEWEST or not best:
        return ""
    likely = [language for language, n in votes.items() if n == best]
    if len(likely) == 1 and best >= SEVERAL:
        return likely[0]
    code, probability = classify(text[:READ], ("en", *LANGUAGES))
    return code if probability >= SURER and code in likely else ""


def languages_of(texts: Iterable[str]) -> list[str]:
    """The language of each text of a row: its own, or where that does not show that of most of the row's letters."""
    listed = list(texts)
    found = [language_of(text) for text in listed]
    if not any(language not in ("", "en") for language in found):
        return ["en"] * len(listed)
    letters: Counter[str] = Counter()
    for text, language in zip(listed, found, strict=True):
        if language:
            letters[language] += len(text)
    common = letters.most_common(1)[0][0]
    return [
        language or ("en" if _plainly_english(text) else common) for text, language in zip(listed, found, strict=True)
    ]


def _plainly_english(text: str) -> bool:
    code, probability = classify(text[:READ])
    return len(text) > SHORT and code == "en" and probability >= SURE
