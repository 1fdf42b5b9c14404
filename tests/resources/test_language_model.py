"""A language model scores, predicts and generates as transformers itself does, whatever is packed with what."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resources.decoding import decode
from resources.errors import ModelError
from resources.language_model import LanguageModel, base_path
from tests.tiny_model import write_tiny_base

TEXT = st.text(min_size=1, max_size=40)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def adapter(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_adapter(base, tmp_path_factory.mktemp("adapter"), strength=0.5)


def write_adapter(base: Path, folder: Path, *, strength: float) -> Path:
    """A LoRA adapter with random A; B is random too, scaled by ``strength`` (0: it changes nothing)."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(1)
    model = get_peft_model(
        AutoModelForCausalLM.from_pretrained(base),
        LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM"),
    )
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.copy_(torch.randn_like(weight) * strength)
    model.save_pretrained(folder)
    return folder


def chat(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def reference(model: LanguageModel, prefix: list[int], tail: list[int]) -> np.ndarray:
    """Log-probabilities of ``tail`` by transformers' own forward, this one sequence alone."""
    with torch.inference_mode():
        logs = model.model(torch.tensor([prefix + tail])).logits[0].log_softmax(-1)
    return logs[len(prefix) - 1 : -1].gather(1, torch.tensor(tail)[:, None])[:, 0].numpy()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["Hi", "Where is my parcel?", "The label, please"]), TEXT), max_size=8))
def test_scores_are_those_of_each_sequence_alone(base: Path, adapter: Path, pairs: list[tuple[str, str]]) -> None:
    model = loaded(base, adapter)
    scores = model.score([(chat(question), answer) for question, answer in pairs])
    for (question, answer), score in zip(pairs, scores, strict=True):
        tail = model.tokens(answer)
        assert len(score) == len(tail)
        wanted = reference(model, model.encode(chat(question), for_generation=True), tail)
        np.testing.assert_allclose(score, wanted, atol=2e-4)


_LOADED: dict[tuple[Path, Path | None], LanguageModel] = {}


def loaded(base: Path, adapter: Path | None) -> LanguageModel:
    if (base, adapter) not in _LOADED:
        _LOADED[base, adapter] = LanguageModel.load(base, adapter, dtype="float32")
    return _LOADED[base, adapter]


def test_an_empty_answer_has_no_tokens_and_nothing_to_score_gives_nothing(base: Path) -> None:
    model = loaded(base, None)
    assert next(len(score) for score in model.score([(chat("Hi"), ""), (chat("Hi"), "yes")])) == 0
    assert model.score([]) == []
    assert model.next_token_logprobs([]).shape == (0, model.model.config.vocab_size)
    assert model.generate([], max_new_tokens=3) == []


def test_a_long_list_is_cut_into_passes_and_comes_back_in_order(base: Path) -> None:
    model = loaded(base, None)
    answers = ["parcel " * (1 + index % 60) for index in range(80)]
    scores = model.score([(chat(f"Question {index % 7}"), answer) for index, answer in enumerate(answers)])
    assert [len(score) for score in scores] == [len(model.tokens(answer)) for answer in answers]
    again = model.score([(chat("Question 3"), answers[3])])[0]
    np.testing.assert_allclose(scores[3], again, atol=2e-4)


def test_next_token_logprobs_are_the_last_row_of_each_prompt(base: Path) -> None:
    model = loaded(base, None)
    prompts = [model.encode(chat(text), for_generation=True) for text in ("a", "the parcel is at a depot", "a")]
    found = model.next_token_logprobs(prompts)
    assert found.dtype == np.float32
    for prompt, row in zip(prompts, found, strict=True):
        with torch.inference_mode():
            wanted = model.model(torch.tensor([prompt])).logits[0, -1].log_softmax(-1).numpy()
        np.testing.assert_allclose(row, wanted, atol=2e-4)


def test_a_peak_is_the_likeliest_token_that_follows(base: Path) -> None:
    model = loaded(base, None)
    prompts = [model.encode(chat(text), for_generation=True) for text in ("a", "the parcel is at a depot")]
    pairs = [(prompt, tail) for prompt in prompts for tail in ([5], [6, 7], [])]
    likeliest = model.next_token_logprobs([[*prefix, *tail] for prefix, tail in pairs]).max(axis=1)
    np.testing.assert_allclose(model.next_token_peaks(pairs), likeliest, atol=2e-4)
    assert len(model.next_token_peaks([])) == 0


def test_greedy_generation_is_transformers_own(base: Path, adapter: Path) -> None:
    model = loaded(base, adapter)
    prompts = [chat(text) for text in ("Hi", "Where is my parcel?", "Hi", "we will send the label today, thank you")]
    made = model.generate(prompts, max_new_tokens=12)
    for prompt, text in zip(prompts, made, strict=True):
        ids = torch.tensor([model.encode(prompt, for_generation=True)])
        with torch.inference_mode():
            wanted = model.model.generate(input_ids=ids, max_new_tokens=12, do_sample=False, pad_token_id=0)
        assert text == model.tokenizer.decode(wanted[0, ids.shape[1] :], skip_special_tokens=True)


def test_rows_that_stop_early_leave_the_others_as_they_were(base: Path) -> None:
    model = loaded(base, None)
    prompts = [model.encode(chat(f"parcel {index}"), for_generation=True) for index in range(12)]
    free = decode(model.forward, prompts, frozenset(), max_new_tokens=10)
    stop = frozenset({free[0][2], free[5][4]})
    for tokens, whole in zip(decode(model.forward, prompts, stop, max_new_tokens=10), free, strict=True):
        ends = [place for place, token in enumerate(whole) if token in stop]
        assert tokens == whole[: ends[0] if ends else 10]


def test_a_sample_depends_on_seed_and_place_not_on_its_company(base: Path) -> None:
    model = loaded(base, None)
    prompts = [chat(f"parcel {index}") for index in range(6)]
    made = model.generate(prompts, max_new_tokens=8, temperature=1.0, seed=5)
    assert model.generate(prompts[:2], max_new_tokens=8, temperature=1.0, seed=5) == made[:2]
    assert model.generate(prompts, max_new_tokens=8, temperature=1.0, seed=6) != made


def test_sampled_tokens_follow_the_model_distribution(base: Path) -> None:
    model = loaded(base, None)
    prompt = model.encode(chat("Hi"), for_generation=True)
    chances = np.exp(model.next_token_logprobs([prompt])[0])
    drawn = [row[0] for row in decode(model.forward, [prompt] * 2000, frozenset(), max_new_tokens=1, temperature=1.0)]
    likeliest = int(chances.argmax())
    spread = 4 * (chances[likeliest] * (1 - chances[likeliest]) / 2000) ** 0.5
    assert abs(drawn.count(likeliest) / 2000 - chances[likeliest]) < spread


def test_the_base_is_the_same_weights_with_the_adapter_off(base: Path, adapter: Path) -> None:
    tuned, plain = loaded(base, adapter), loaded(base, None)
    pairs = [(chat("Hi"), "the parcel"), (chat("thank you"), "sorry")]
    with tuned.without_adapter():
        off = tuned.score(pairs)
    for left, right in zip(off, plain.score(pairs), strict=True):
        assert (left == right).all()
    assert any((left != right).any() for left, right in zip(off, tuned.score(pairs), strict=True))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_an_adapter_of_zeros_changes_no_bit(base: Path, tmp_path: Path, dtype: str) -> None:
    model = LanguageModel.load(base, write_adapter(base, tmp_path, strength=0.0), dtype=dtype)
    pairs = [(chat("Where is my parcel?"), "at the counter"), (chat("Hi"), "thank you")]
    on = model.score(pairs)
    with model.without_adapter():
        off = model.score(pairs)
    assert all((left == right).all() for left, right in zip(on, off, strict=True))


def test_an_adapter_of_another_shape_is_an_error_and_not_a_base_in_disguise(
    base: Path, adapter: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    odd = tmp_path / "odd"
    shutil.copytree(adapter, odd)
    tensors = load_file(odd / "adapter_model.safetensors")
    save_file(
        {name.replace("layers.1", "layers.7"): tensor for name, tensor in tensors.items()},
        odd / "adapter_model.safetensors",
    )
    with pytest.raises(ModelError, match="does not fit"):
        LanguageModel.load(base, odd)


def test_pickles_are_refused(base: Path, adapter: Path, tmp_path: Path) -> None:
    pickled = tmp_path / "base"
    shutil.copytree(base, pickled)
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    with pytest.raises(ModelError, match="pickled"):
        base_path(pickled, tmp_path)
    risky = tmp_path / "adapter"
    shutil.copytree(adapter, risky)
    (risky / "adapter_model.safetensors").rename(risky / "adapter_model.bin")
    with pytest.raises(ModelError, match="pickled"):
        LanguageModel.load(base, risky)


@pytest.mark.parametrize("damage", ["config", "weights", "absent"])
def test_a_broken_base_is_one_clear_error(base: Path, tmp_path: Path, damage: str) -> None:
    broken = tmp_path / "base"
    if damage != "absent":
        shutil.copytree(base, broken)
        name = "config.json" if damage == "config" else "model.safetensors"
        (broken / name).write_bytes((broken / name).read_bytes()[:40])
    with pytest.raises(ModelError, match=str(broken)):
        LanguageModel.load(broken)


def test_a_base_without_a_template_gets_a_plain_one(base: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(base, bare)
    (bare / "chat_template.jinja").unlink()
    config: dict[str, Any] = json.loads((bare / "tokenizer_config.json").read_text())
    config.pop("chat_template", None)
    (bare / "tokenizer_config.json").write_text(json.dumps(config))
    model = LanguageModel.load(bare, dtype="float32")
    assert "Hi" in model.tokenizer.decode(model.encode(chat("Hi"), for_generation=True))


def test_a_window_shorter_than_the_text_is_kept_in_the_packed_form(base: Path, tmp_path: Path) -> None:
    from transformers import MistralConfig, MistralForCausalLM

    torch.manual_seed(0)
    config = MistralConfig(
        vocab_size=400, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, sliding_window=4,
    )  # fmt: skip
    MistralForCausalLM(config).save_pretrained(tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        shutil.copy(base / name, tmp_path)
    model = LanguageModel.load(tmp_path, dtype="float32")
    assert model.forward.packed
    prompt = model.encode(chat("Where is my parcel?"), for_generation=True)
    tail = model.tokens("at the counter")
    np.testing.assert_allclose(model.score_tokens([(prompt, tail)])[0], reference(model, prompt, tail), atol=2e-4)
    with torch.inference_mode():
        wanted = model.model.generate(torch.tensor([prompt]), max_new_tokens=6, do_sample=False, pad_token_id=0)
    assert decode(model.forward, [prompt], frozenset(), max_new_tokens=6)[0] == wanted[0, len(prompt) :].tolist()
