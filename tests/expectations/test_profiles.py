"""A profile tightens what the policy says, for one kind of use, and nothing slips past it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from expectations.policy import DEFAULT_POLICY, Policy
from expectations.profiles import VARIABLE, load_profiles, with_profile
from resources.errors import InputError

BODY: dict[str, Any] = {
    "name": "test",
    "gates": [
        {"name": "leak", "stage": "memorization_audit", "metric": "auc", "max": 0.7, "min_n": 100},
        {"name": "other", "stage": "backdoor_scan", "metric": "findings", "max": 0},
    ],
    "settings": {
        "golden_evaluation": {"items": 60, "answers": 30},
        "evaluated_adapter": {"profile": "strict", "approval": {"quorum": 1, "max_days": 14}},
    },
}


@pytest.fixture
def profiles(tmp_path: Path) -> Path:
    path = tmp_path / "profiles.yaml"
    strict = {"name": "strict", "what": "x", "gates": {"leak": {"max": 0.6}}, "approval": {"quorum": 2}}
    strict["settings"] = {"golden_evaluation": {"items": 0}}
    path.write_text(yaml.safe_dump({"profiles": [strict, {"name": "odd", "what": "x", "gates": {"nope": {"max": 1}}}]}))
    return path


def test_a_profile_changes_what_it_names_and_nothing_else(profiles: Path) -> None:
    policy = Policy.model_validate(with_profile(BODY, profiles))
    leak, other = policy.gates
    assert (leak.max, leak.min_n, other.max) == (0.6, 100, 0)
    assert policy.settings["evaluated_adapter"]["approval"] == {"quorum": 2, "max_days": 14}
    assert policy.settings["golden_evaluation"] == {"items": 0, "answers": 30}
    assert policy.digest != Policy.model_validate(BODY).digest


def test_without_a_profile_nothing_changes(profiles: Path) -> None:
    plain = {**BODY, "settings": {}}
    assert with_profile(plain, profiles) == plain


def test_the_environment_chooses_and_the_policy_records_it(profiles: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "strict")
    changed = with_profile({**BODY, "settings": {}}, profiles)
    assert changed["settings"]["evaluated_adapter"]["profile"] == "strict"
    assert changed["gates"][0]["max"] == 0.6


@pytest.mark.parametrize(("name", "rule"), [("nobody", "known-profile"), ("odd", "known-gate")])
def test_what_is_not_known_is_refused(profiles: Path, monkeypatch: pytest.MonkeyPatch, name: str, rule: str) -> None:
    monkeypatch.setenv(VARIABLE, name)
    with pytest.raises(InputError, match=rule):
        with_profile(BODY, profiles)


@pytest.mark.parametrize(
    "text", ["", "profiles: 3", "profiles: [{name: x}]", "{", "profiles: [{name: x, what: y, gate: {}}]"]
)
def test_a_malformed_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(InputError, match="profiles-valid"):
        load_profiles(tmp_path / "p.yaml")


@pytest.mark.parametrize("name", [profile.name for profile in load_profiles()])
def test_every_bundled_profile_fits_the_default_policy(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, name)
    body = with_profile(yaml.safe_load(DEFAULT_POLICY.read_text()))
    policy = Policy.model_validate(body)
    plain = Policy.model_validate(yaml.safe_load(DEFAULT_POLICY.read_text()))
    assert {gate.name for gate in policy.gates} == {gate.name for gate in plain.gates}
