"""Who may approve, how many it takes and for how long: the policy's ``settings.evaluated_adapter.approval``."""

from collections.abc import Iterable, Mapping
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from expectations.policy import Policy
from resources.errors import InputError


class ApprovalRules(BaseModel):
    """``roles`` gives each reviewer's roles; ``required_roles`` must all be present among those who approved.

    ``overridable`` are the verdicts of a gate that a person may override, one by one. ``max_days`` is how long an
    approval can be used after it was signed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    quorum: int = Field(default=1, ge=1)
    roles: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    required_roles: tuple[str, ...] = ()
    author_may_approve: bool = False
    overridable: tuple[Literal["inconclusive", "fail"], ...] = ("inconclusive",)
    max_days: int = Field(default=14, ge=1, le=366)

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        held = {role for roles in self.roles.values() for role in roles}
        if unheld := sorted(set(self.required_roles) - held):
            raise ValueError(f"nobody holds the required roles {unheld}")
        if self.roles and len(self.roles) < self.quorum:
            raise ValueError(f"a quorum of {self.quorum} among {len(self.roles)} reviewers can never be met")
        return self

    @classmethod
    def of(cls, policy: Policy) -> "ApprovalRules":
        try:
            return cls.model_validate(policy.settings.get("evaluated_adapter", {}).get("approval", {}))
        except ValidationError as error:
            raise InputError(str(error), object_key=f"policy {policy.name}", rule="approval-rules") from error

    def refuses(self, reviewer: str, author: str) -> str:
        """Why this person's word does not count for a candidate of ``author``; empty if it does."""
        if self.roles and reviewer not in self.roles:
            return f"{reviewer} is no reviewer in the policy"
        if not self.author_may_approve and author and reviewer.casefold() == author.casefold():
            return f"{reviewer} made the candidate and may not approve it"
        return ""

    def lacks(self, reviewers: Iterable[str]) -> str:
        """What is still missing when these persons have approved; empty if nothing is."""
        named = set(reviewers)
        if len(named) < self.quorum:
            return f"{len(named)} of {self.quorum} approvals"
        present = {role for name in named for role in self.roles.get(name, ())}
        absent = sorted(set(self.required_roles) - present)
        return f"nobody with the role {', '.join(absent)} has approved" if absent else ""


def override_gap(blocking: Mapping[str, str], overrides: Mapping[str, str], rules: ApprovalRules) -> str:
    """What stands between a verdict and an approval with these overrides; empty if nothing does.

    ``blocking`` is ``{judgement: verdict}`` of the gates that did not pass, ``overrides`` ``{judgement: reason}``.
    """
    if unknown := sorted(set(overrides) - set(blocking)):
        return f"nothing to override at {', '.join(unknown)}: no such gate, or it passed"
    if silent := sorted(name for name, reason in overrides.items() if not reason.strip()):
        return f"an override needs a reason: {', '.join(silent)}"
    if final := sorted(name for name, outcome in blocking.items() if outcome not in rules.overridable):
        return f"{', '.join(final)} did not pass, and the policy lets nobody override that"
    if left := sorted(set(blocking) - set(overrides)):
        return f"unproven and not overridden: {', '.join(left)}"
    return ""
