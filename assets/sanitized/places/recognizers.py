"""The recognisers of where someone can be found: streets, mailboxes, machines, pages."""

from assets.sanitized.people.lexicon import Lexicon
from assets.sanitized.places.address import AddressRecognizer
from assets.sanitized.places.electronic import MailRecognizer, NetworkRecognizer, WebRecognizer
from assets.sanitized.places.spoken import SpokenAddressRecognizer
from resources.pii_engine import SpanRecognizer


def recognizers(lexicon: Lexicon) -> list[SpanRecognizer]:
    """Street addresses and electronic ones."""
    return [MailRecognizer(lexicon), NetworkRecognizer(), WebRecognizer(), AddressRecognizer(lexicon)]


def spoken(language: str, lexicon: Lexicon) -> list[SpanRecognizer]:
    """The same of a language other than English."""
    return [MailRecognizer(lexicon), NetworkRecognizer(), WebRecognizer(), SpokenAddressRecognizer(language)]
