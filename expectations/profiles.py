"""Profiles: kinds of use, each with its own limits and rules of approval over those of the policy.

``profiles.yaml`` beside this module holds them. ``settings.evaluated_adapter.profile`` of a policy, or
``HALLMARK_PROFILE``, names the one in force; ``Policy.load`` applies it, so that every gate, check and digest sees
the same limits::

    - name: public_chatbot
      what: anybody may talk to it
      gates: {membership_auc: {max: 0.6}}        # what is not said stays as the policy has it
      settings: {golden_evaluation: {items: 0}}
      approval: {quorum: 2}

A profile can change limits, not gates: it cannot take one away, and a gate it does not know is an error.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from resources.errors import InputError

PROFILES = Path(__file__).with_name("profiles.yaml")
VARIABLE = "HALLMARK_PROFILE"
STAGE = "evaluated_adapter"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Limit(_Strict):
    """What a profile changes in a gate."""

    min: float | None = None
    max: float | None = None
    min_n: int | None = None


class Profile(_Strict):
    name: str
    what: str
    gates: dict[str, Limit] = Field(default_factory=dict)
    settings: dict[str, dict[str, Any]] = Field(default_factory=dict)
    approval: dict[str, Any] = Field(default_factory=dict)


def with_profile(body: Any, source: Path = PROFILES) -> Any:
    """The body of a policy with the profile it names applied; the body itself where it names none or is no policy.

    ``InputError`` for a profile that is not there and for one that names a gate the policy does not have.
    """
    if not isinstance(body, Mapping) or not isinstance(body.get("gates"), list):
        return body  # the policy's own validation says what is wrong with it
    settings: dict[str, Any] = dict(body.get("settings") or {})
    own: dict[str, Any] = dict(settings.get(STAGE) or {})
    name = os.environ.get(VARIABLE) or str(own.get("profile") or "")
    if not name:
        return body
    profile = _named(name, source)
    gates: list[Any] = [dict(gate) if isinstance(gate, Mapping) else gate for gate in body["gates"]]
    named = {str(gate.get("name")): gate for gate in gates if isinstance(gate, dict)}
    unknown = sorted(profile.gates.keys() - named)
    if unknown:
        raise InputError(
            f"profile {name} limits {', '.join(unknown)}, the policy has no such gate",
            object_key=str(source),
            rule="known-gate",
        )
    for gate, limit in profile.gates.items():
        named[gate] |= limit.model_dump(exclude_none=True)
    for stage, changed in profile.settings.items():
        settings[stage] = {**dict(settings.get(stage) or {}), **changed}
    approval = {**dict(own.get("approval") or {}), **profile.approval}
    settings[STAGE] = {**own, "profile": name, "approval": approval}
    return {**body, "gates": gates, "settings": settings}


def load_profiles(source: Path = PROFILES) -> tuple[Profile, ...]:
    """Every profile; ``InputError`` names what is wrong in the file."""
    try:
        body = yaml.safe_load(source.read_text(encoding="utf-8"))
        profiles = tuple(Profile.model_validate(item) for item in body["profiles"])
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValidationError) as error:
        raise InputError(str(error), object_key=str(source), rule="profiles-valid") from error
    return profiles


def _named(name: str, source: Path) -> Profile:
    found = {profile.name: profile for profile in load_profiles(source)}
    if name not in found:
        raise InputError(
            f"no profile {name}; there are: {', '.join(found)}", object_key=str(source), rule="known-profile"
        )
    return found[name]
