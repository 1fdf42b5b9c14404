"""Every family of causal language models: trained, scored and generated with as transformers itself does it."""

from pathlib import Path

import pytest

from tests import families

PACKED = (
    "deepseek_v3", "gemma2", "gemma3", "gemma4_text", "gpt_oss", "mistral", "olmo3", "opt", "qwen3",
)  # fmt: skip
OWN = ("falcon", "granitemoehybrid", "lfm2", "llama4_text", "mamba", "qwen3_5_text")


@pytest.mark.parametrize("family", PACKED)
def test_what_mixes_tokens_by_attention_alone_is_packed(family: str, tmp_path: Path) -> None:
    found = families.measure(family, tmp_path)
    assert found.right, found
    assert (found.form, found.decoding) == ("packed", "packed"), found


@pytest.mark.parametrize("family", OWN)
def test_any_other_is_run_by_its_own_forward(family: str, tmp_path: Path) -> None:
    found = families.measure(family, tmp_path)
    assert found.right, found
    assert found.form == "padded", found


def test_what_reads_ahead_is_refused(tmp_path: Path) -> None:
    found = families.measure("bert", tmp_path)
    assert "no causal language model" in found.refused


@pytest.mark.long
@pytest.mark.parametrize("family", families.families())
def test_every_family_is_right_or_refused(family: str, tmp_path: Path) -> None:
    found = families.measure(family, tmp_path)
    if found.unbuilt:
        pytest.skip(f"no tiny model of it: {found.unbuilt}")
    assert found.right, found
