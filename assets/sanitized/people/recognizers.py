"""The recognisers of who someone is: names, ages, dates of birth, titles."""

from assets.sanitized.people.facts import PersonalRecognizer
from assets.sanitized.people.forms import NameFormRecognizer
from assets.sanitized.people.lexicon import Lexicon
from assets.sanitized.people.names import NameRecognizer
from resources.pii_engine import SpanRecognizer


def recognizers(lexicon: Lexicon) -> list[SpanRecognizer]:
    """Facts, names the model knows, names by their place and form."""
    return [PersonalRecognizer(), NameRecognizer(lexicon), NameFormRecognizer(lexicon)]
