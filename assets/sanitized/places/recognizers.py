"""The recognisers of where someone can be found: streets, mailboxes, machines, pages."""

from assets.sanitized.people.lexicon import Lexicon
from assets.sanitized.places.address import AddressRecognizer
from assets.sanitized.places.electronic import MailRecognizer, NetworkRecognizer, WebRecognizer
from resources.pii_engine import SpanRecognizer


def recognizers(lexicon: Lexicon) -> list[SpanRecognizer]:
    """Street addresses and electronic ones."""
    return [MailRecognizer(lexicon), NetworkRecognizer(), WebRecognizer(), AddressRecognizer(lexicon)]
