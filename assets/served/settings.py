"""What the policy says about the release in use: ``settings.served_release``."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from expectations.policy import Policy
from resources.errors import InputError

# Types of the sanitiser that are masked in answers. A name alone is not: answers speak of Shakespeare, too. A full name
# from the vault is a breach, whatever stands here.
MASKED = (
    "EMAIL_ADDRESS", "PHONE_NUMBER", "STREET_ADDRESS", "CREDIT_CARD", "BANK_ACCOUNT", "IBAN_CODE", "US_SSN",
    "NATIONAL_ID", "PASSPORT", "DRIVER_LICENSE", "TAX_ID", "HEALTH_ID", "ACCOUNT_NUMBER", "CRYPTO_WALLET", "PASSWORD",
    "SECRET", "CREDENTIAL", "PRIVATE_KEY",
)  # fmt: skip


class Sweep(BaseModel):
    """When a key's prompts count as a sweep: ``near`` of its last ``among`` distinct prompts are like the newest."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    near: int = Field(20, ge=3)
    among: int = Field(200, ge=3)
    likeness: float = Field(0.6, gt=0, le=1)
    block_seconds: float = Field(600.0, gt=0)


class ServedSettings(BaseModel):
    """Unknown keys are mistakes. ``distinct_prompts`` is not here: it is what the extraction audit was granted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    unverified: Literal["refuse", "base"] = "refuse"
    """What is served while the plugged-in release does not verify: nothing (503), or the base model alone."""
    requests_a_day: int = Field(2000, ge=1)
    tokens_a_day: int = Field(500_000, ge=1)
    max_tokens: int = Field(1024, ge=1)
    """Most tokens of one answer."""
    sweep: Sweep = Sweep()  # type: ignore[call-arg]
    logprobs: bool = False
    """Whether log-probabilities are given out. They make a copy cheaper and betray members: see the audits."""
    mask: tuple[str, ...] = MASKED
    hold_back: int = Field(160, ge=32, le=4096)
    """Characters of a streamed answer that are held back, so that no longer value gets out before it is seen whole."""
    unplug_on_breach: bool = False
    """Whether a breach rolls the release back at once, with no person asked."""

    @classmethod
    def of(cls, policy: Policy) -> "ServedSettings":
        return cls.from_settings(policy.settings.get("served_release", {}), f"policy {policy.name}")

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], where: str) -> "ServedSettings":
        try:
            return cls.model_validate(settings)
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
            raise InputError(wrong, object_key=where, rule="served-settings") from error


def granted_answers(policy: Policy) -> int:
    """How many distinct prompts a key may ask a day: what ``copies_are_poor`` was judged at, and nowhere else said."""
    if budgets := policy.settings.get("extraction_audit", {}).get("budgets"):
        return int(budgets[-1])
    from assets.extraction.audit import Settings  # which loads the model libraries

    return Settings().budgets[-1]  # type: ignore[call-arg]
