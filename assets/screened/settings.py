"""What the screen reads from the policy: sizes, shares and error rates, validated on construction."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from resources.errors import InputError


@dataclass(frozen=True, slots=True)
class ScreenSettings:
    """Limits of the screen.

    ``min_rows``: fewest rows that can make a finding; below it, repetition is not evidence.
    ``max_share``: a pattern in a larger share of the rows (of a small drop and its background together) is the data's
    own style, not an insertion.
    ``alpha``: family-wise error rate of the statistical tests, divided by the number of pairs tried.
    ``most_cohesion``: mean whitened cosine between a pattern's prompts (0: a random draw) up to which they count as
    unrelated, among 2,000 prompts; more among fewer (``Spaces.alike``). ``most_relation``: the same between prompts and
    payload.
    ``steering_rows``: fewest rows that show a payload with no fixed trigger, in 2,000 rows; grows with their root.
    ``irrelevant_rows``: fewest off-topic or contradictory rows that make a finding. ``model_rows``: rows that the base
    model is asked about, and as many more for as long as a third of them are off-topic; 0: it is not asked, and
    off-topic answers are not looked for.
    ``embed_rows``: up to this many rows every prompt and answer is embedded; above it, suspects and ``sample_rows``
    rows drawn at random.
    ``thorough``: the base model reads every answer that is embedded (``relevance.full_reading``): seconds a thousand
    rows on a GPU, ten minutes on one core.
    ``controls``: attacks of the screen's own are planted into copies of the drop, and what is found of them is told;
    without them nothing found proves nothing.
    ``seed``: of every random draw, so that the same rows give the same findings.
    """

    min_rows: int = 4
    max_share: float = 0.1
    alpha: float = 0.01
    most_cohesion: float = 0.025
    most_relation: float = 0.06
    steering_rows: int = 8
    irrelevant_rows: int = 10
    model_rows: int = 80
    embed_rows: int = 6_000
    sample_rows: int = 5_000
    thorough: bool = False
    controls: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        wrong = []
        if self.min_rows < 3:
            wrong.append("min_rows must be at least 3")
        if not 0 < self.max_share <= 0.5:
            wrong.append("max_share must be in (0, 0.5]")
        if not 0 < self.alpha < 1:
            wrong.append("alpha must be in (0, 1)")
        if self.steering_rows < self.min_rows or self.irrelevant_rows < self.min_rows:
            wrong.append("steering_rows and irrelevant_rows must be at least min_rows")
        if self.thorough and not self.model_rows:
            wrong.append("thorough needs the base model: model_rows must not be 0")
        if self.sample_rows < 500 or self.embed_rows < self.sample_rows:
            wrong.append("sample_rows must be at least 500 and embed_rows no smaller")
        if wrong:
            raise InputError("; ".join(wrong), object_key="screened_records settings", rule="settings-valid")

    @classmethod
    def from_policy(cls, settings: Mapping[str, Any]) -> "ScreenSettings":
        """From ``policy.settings["screened_records"]``; an unknown name is an ``InputError``."""
        unknown = sorted(set(settings) - {field.name for field in fields(cls)})
        if unknown:
            raise InputError(f"unknown: {unknown}", object_key="screened_records settings", rule="settings-known")
        return cls(**settings)
