"""The recognisers of who someone is: names, ages, dates of birth, titles."""

from assets.sanitized.people.facts import PersonalRecognizer
from assets.sanitized.people.forms import NameFormRecognizer
from assets.sanitized.people.lexicon import Lexicon
from assets.sanitized.people.names import NameRecognizer
from assets.sanitized.people.spoken import SpokenNameRecognizer
from assets.sanitized.people.spoken_facts import SpokenFactRecognizer
from assets.sanitized.people.vocabulary import name_words
from resources.pii_engine import SpanRecognizer


def recognizers(lexicon: Lexicon) -> list[SpanRecognizer]:
    """Facts, names the model knows, names by their place and form."""
    return [PersonalRecognizer(), NameRecognizer(lexicon), NameFormRecognizer(lexicon)]


def spoken(language: str, lexicon: Lexicon) -> list[SpanRecognizer]:
    """The same of a language other than English."""
    words = name_words(language)
    return [SpokenFactRecognizer(words), SpokenNameRecognizer(words, lexicon)]
