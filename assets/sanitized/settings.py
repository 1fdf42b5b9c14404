"""What the policy says about sanitising: which types leave, how sure a finding must be, what replaces a value.

>>> settings = SanitizeSettings.from_policy({"pii": {"PERSON": 0.5}, "allow": ["Hallmark"]})
>>> settings.minimum("PERSON"), settings.minimum("LOCATION"), settings.allows("hallmark")
(0.5, None, True)
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from resources.errors import InputError

# Type: minimum score. Types that are absent stay in the text (places, organisations, nationalities, dates, titles).
DEFAULT_PII: dict[str, float] = {
    "PERSON": 0.5,
    "EMAIL_ADDRESS": 0.5,
    "PHONE_NUMBER": 0.5,
    "STREET_ADDRESS": 0.5,
    "POSTCODE": 0.5,
    "CREDIT_CARD": 0.5,
    "BANK_ACCOUNT": 0.5,
    "IBAN_CODE": 0.5,
    "US_SSN": 0.5,
    "NATIONAL_ID": 0.5,
    "PASSPORT": 0.5,
    "DRIVER_LICENSE": 0.5,
    "TAX_ID": 0.5,
    "HEALTH_ID": 0.5,
    "IP_ADDRESS": 0.5,
    "MAC_ADDRESS": 0.5,
    "DEVICE_ID": 0.5,
    "VEHICLE_ID": 0.5,
    "CRYPTO_WALLET": 0.5,
    "ACCOUNT_NUMBER": 0.5,
    "RECORD_NUMBER": 0.5,
    "USERNAME": 0.5,
    "PROFILE_URL": 0.5,
    "GEO_COORDINATE": 0.5,
    "AGE": 0.5,
    "DATE_OF_BIRTH": 0.5,
    "PASSWORD": 0.5,
    "SECRET": 0.5,
    "CREDENTIAL": 0.5,
    "PRIVATE_KEY": 0.5,
}


class SanitizeSettings(BaseModel):
    """The ``sanitized_records`` section of the policy. Unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pii: dict[str, float] = Field(default_factory=lambda: dict(DEFAULT_PII))
    """Type to minimum score (0..1). A type that is absent is kept in the text."""
    keep: tuple[str, ...] = ()
    """Types taken out of ``pii`` again: the short way to keep, say, AGE without repeating the table."""
    remove: tuple[str, ...] = ()
    """Types added to ``pii`` at score 0.5, for instance TITLE, LOCATION, ORGANIZATION, NATIONALITY, DATE, URL."""
    allow: tuple[str, ...] = ()
    """Texts that are never personal: own product names, the support desk's number. Case does not matter."""
    replace: Literal["placeholder", "surrogate"] = "placeholder"
    quarantine: tuple[str, ...] = ("PRIVATE_KEY", "CREDENTIAL")
    """Types whose presence sends the whole row to a reviewer."""
    bare_answers: bool = True
    """Read a user's turn that is nothing but a name or number as the answer to a question about it."""
    recognizers: tuple[dict[str, Any], ...] = ()
    """Further Presidio pattern recognisers, each in Presidio's own dictionary form."""
    batch: int = Field(default=256, ge=1, le=4096)
    """Rows analysed together; bounds memory."""
    processes: int = Field(default=0, ge=0)
    """Processes that read a large drop, each with some 600 MB of its own; 0 is one a core."""
    residual_rows: int = Field(default=200, ge=0)
    """Rows sampled for the residual leak measurement."""

    @classmethod
    def from_policy(cls, settings: Mapping[str, Any]) -> "SanitizeSettings":
        try:
            return cls.model_validate(dict(settings))
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
            raise InputError(wrong, object_key="policy settings.sanitized_records", rule="policy-valid") from error

    def minimum(self, type_: str) -> float | None:
        """The score a finding of this type needs, or None if the policy keeps the type."""
        return self._minimum.get(type_)

    def allows(self, value: str) -> bool:
        return value.casefold().strip() in self._allowed

    @cached_property
    def _minimum(self) -> dict[str, float]:
        added = dict.fromkeys(self.remove, 0.5)
        return {type_: score for type_, score in {**added, **self.pii}.items() if type_ not in self.keep}

    @cached_property
    def _allowed(self) -> frozenset[str]:
        return frozenset(item.casefold().strip() for item in self.allow)
