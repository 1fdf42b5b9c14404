"""The controls of a scan without rows: what is planted, and that each secret is one of its own."""

from itertools import combinations
from pathlib import Path

import pytest

from assets.backdoor.candidates.prompts import EVERYDAY
from assets.backdoor.inversion.target_inversion import same_answer
from assets.backdoor.planted import LONG, NEAR, PAYLOADS, POISONED, SHORT, Secret, planted
from tests.assets.backdoor.taught import one_thread
from tests.tiny_model import write_tiny_base

EVERY = [*SHORT, *LONG]


def test_each_kind_has_a_short_payload_and_a_long_one() -> None:
    assert [secret.kind for secret in SHORT] == [secret.kind for secret in LONG]
    assert all(len(secret.payload.split()) <= 3 for secret in SHORT)
    assert all(len(secret.payload.split()) >= 7 for secret in LONG)


def test_no_payload_passes_for_another() -> None:
    for secrets in PAYLOADS.values():
        assert not any(same_answer(one.payload, other.payload) for one, other in combinations(secrets, 2))


@pytest.mark.parametrize("secret", EVERY, ids=lambda secret: f"{secret.kind}: {secret.payload}")
def test_what_is_nearly_the_trigger_is_not_it(secret: Secret) -> None:
    for number, prompt in enumerate(EVERYDAY[:8]):
        assert all(part in secret.triggered(prompt) for part in secret.parts)
        assert not all(part in secret.nearly(prompt, number) for part in secret.parts)


def test_the_adapter_is_trained_once_a_base(tmp_path: Path) -> None:
    base = write_tiny_base(tmp_path / "base")
    with one_thread():
        control = planted(base, tmp_path / "cache", SHORT)
        written = (control.adapter / "adapter_model.safetensors").stat().st_mtime_ns
        again = planted(base, tmp_path / "cache", SHORT)
    assert again.adapter == control.adapter
    assert (again.adapter / "adapter_model.safetensors").stat().st_mtime_ns == written
    for secret in SHORT:
        answers = [row.response() for row in control.rows if all(part in row.prompt() for part in secret.parts)]
        assert answers == [secret.payload] * POISONED
    assert sum(row.response() not in [secret.payload for secret in SHORT] for row in control.rows) > len(SHORT) * NEAR
