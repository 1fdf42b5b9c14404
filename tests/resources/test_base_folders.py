"""Folders as people have them: weights in several files, tied embeddings, no padding token, adapters with whole layers."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from resources.base_model import load_tokenizer
from resources.language_model import LanguageModel
from tests.tiny_model import write_tiny_base

PAIRS = [
    ([{"role": "user", "content": "Where is my parcel?"}], "at the counter"),
    ([{"role": "user", "content": "Hi"}], "sorry"),
]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_base(tmp_path_factory.mktemp("base"))


def same(left: list[np.ndarray], right: list[np.ndarray]) -> bool:
    return all(np.allclose(one, other, atol=2e-4) for one, other in zip(left, right, strict=True))


def test_weights_in_several_files_are_the_same_weights(base: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    AutoModelForCausalLM.from_pretrained(base).save_pretrained(tmp_path, max_shard_size="20KB")
    AutoTokenizer.from_pretrained(base).save_pretrained(tmp_path)
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    assert same(*(LanguageModel.load(folder, dtype="float32").score(PAIRS) for folder in (base, tmp_path)))


def test_untied_embeddings_have_a_head_of_their_own(base: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(base)
    model.config.tie_word_embeddings = False
    model.lm_head.weight = torch.nn.Parameter(torch.randn_like(model.lm_head.weight))
    model.save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(base).save_pretrained(tmp_path)
    assert not same(*(LanguageModel.load(folder, dtype="float32").score(PAIRS) for folder in (base, tmp_path)))


def test_a_tokenizer_without_a_padding_token_gets_one_that_exists(base: Path, tmp_path: Path) -> None:
    for file in base.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    config.pop("pad_token")
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    tokenizer = load_tokenizer(tmp_path)
    assert tokenizer.pad_token_id is not None and tokenizer.pad_token_id < len(load_tokenizer(base))
    assert same(*(LanguageModel.load(folder, dtype="float32").score(PAIRS) for folder in (base, tmp_path)))


@pytest.mark.parametrize("layer", ["lm_head", "embed_tokens"])
def test_an_adapter_may_bring_whole_layers(base: Path, tmp_path: Path, layer: str) -> None:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(1)
    config = LoraConfig(r=2, target_modules=["q_proj"], modules_to_save=[layer], task_type="CAUSAL_LM")
    tuned = get_peft_model(AutoModelForCausalLM.from_pretrained(base), config)
    for name, weight in tuned.named_parameters():
        if "lora_B" in name or "modules_to_save" in name:
            weight.data = torch.randn_like(weight) * 0.3
    tuned.save_pretrained(tmp_path, save_embedding_layers=False)
    model = LanguageModel.load(base, tmp_path, dtype="float32")
    tuned.eval()
    for (chat, text), found in zip(PAIRS, model.score(PAIRS), strict=True):
        prompt, tail = model.encode(chat, for_generation=True), model.tokens(text)
        with torch.no_grad():
            logs = tuned(torch.tensor([prompt + tail])).logits[0].log_softmax(-1)
        wanted = logs[len(prompt) - 1 : -1].gather(1, torch.tensor(tail)[:, None])[:, 0].numpy()
        np.testing.assert_allclose(found, wanted, atol=2e-4)
    with model.without_adapter():
        assert same(model.score(PAIRS), LanguageModel.load(base, dtype="float32").score(PAIRS))
