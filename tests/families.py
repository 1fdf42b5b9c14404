"""Tiny random models of every family of causal language models that transformers has, and what Hallmark makes of them.

A family's default configuration is shrunk by the names of its fields; what a family needs beyond that is said below.
``measure`` compares scores, gradients and greedy answers with those of transformers' own forward.
"""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.tiny_model import write_tiny_base

VOCABULARY, WIDTH, LAYERS, WINDOW = 400, 32, 4, 12
SIZES = {
    "vocab_size": VOCABULARY, "vocab_size_per_layer_input": VOCABULARY, "max_position_embeddings": 512,
    "n_positions": 512, "n_ctx": 512, "max_seq_len": 512, "seq_length": 512, "model_max_length": 512,
    "head_dim": 16, "d_kv": 16, "kv_channels": 16, "num_attention_heads": 4, "num_key_value_heads": 2, "n_head": 4,
    "n_heads": 4, "num_kv_heads": 2, "num_heads": 4, "multi_query_group_num": 2,
    "sliding_window": WINDOW, "sliding_window_size": WINDOW, "attention_chunk_size": WINDOW, "window_size": WINDOW,
    "attention_window_size": WINDOW, "index_topk": 512, "index_head_dim": 16, "index_n_heads": 2,
    "kv_lora_rank": 16, "q_lora_rank": 16, "o_lora_rank": 16, "qk_rope_head_dim": 8, "qk_nope_head_dim": 8,
    "v_head_dim": 16, "swa_num_attention_heads": 4, "swa_num_key_value_heads": 2, "swa_head_dim": 16,
    "num_local_experts": 4, "num_experts": 4, "n_routed_experts": 4, "moe_num_experts": 4, "num_experts_per_tok": 2,
    "num_experts_per_token": 2, "moe_topk": 2, "moe_k": 2, "n_group": 1, "topk_group": 1, "num_expert_group": 1,
    "zero_expert_num": 2, "hidden_size_per_layer_input": 8, "laurel_rank": 8, "router_hidden_size": 16,
    "mamba_n_heads": 4, "mamba_d_head": 16, "mamba_d_state": 8, "mamba_chunk_size": 8, "chunk_size": 8,
    "mamba_num_heads": 4, "mamba_head_dim": 16, "ssm_state_size": 8, "state_size": 8, "n_mamba_heads": 2,
    "mamba_d_ssm": 64, "mamba_dt_rank": 4, "time_step_rank": 4, "n_groups": 1, "lru_width": WIDTH,
    "linear_key_head_dim": 8, "linear_value_head_dim": 8, "linear_num_key_heads": 2, "linear_num_value_heads": 4,
    "linear_head_dim": 8, "linear_num_heads": 4, "block_size": 8, "first_k_dense_replace": 1,
    "num_kv_shared_layers": 0, "o_groups": 2, "num_nextn_predict_layers": 0,
}  # fmt: skip
WIDTHS = ("hidden_size", "n_embd", "d_model", "dim", "embedding_size", "word_embed_proj_dim", "embed_dim", "emb_dim")
INNER = ("intermediate_size", "ffn_dim", "ffn_hidden_size", "d_ff", "n_inner", "dim_ff", "decoder_ffn_dim",
         "encoder_ffn_dim", "feed_forward_proj_dim", "intermediate_size_mlp", "shared_intermediate_size",
         "expert_ffn_hidden_size", "ffn_intermediate_size", "inner_dim", "block_ff_dim")  # fmt: skip
DEPTHS = ("num_hidden_layers", "n_layer", "num_layers", "n_layers", "decoder_layers", "encoder_layers")


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of a family. Errors are the largest distances from transformers' own numbers.

    ``score`` is of a log-probability, ``gradient`` of a LoRA's gradient relative to its norm, ``answers`` how many of
    four greedy answers differ. ``refused`` says why a family cannot be used at all, ``unbuilt`` that no tiny model of
    it could be made.
    """

    family: str
    form: str = ""
    decoding: str = ""
    score: float = 0.0
    gradient: float = 0.0
    answers: int = 0
    refused: str = ""
    unbuilt: str = ""

    @property
    def right(self) -> bool:
        return not self.unbuilt and (
            bool(self.refused) or (self.score < 2e-3 and self.gradient < 2e-2 and not self.answers)
        )


def families() -> list[str]:
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    return sorted(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES)


def shrunk(config: Any) -> dict[str, Any]:
    """The fields of a default configuration that are to be smaller."""
    fields = {name: value for name, value in config.to_dict().items() if not name.startswith("_")}
    smaller = {name: size for name, size in SIZES.items() if name in fields and fields[name] is not None}
    smaller |= {name: WIDTH for name in WIDTHS if isinstance(fields.get(name), int)}
    smaller |= {name: 2 * WIDTH for name in (*INNER, *(n for n in fields if n.endswith("expert_intermediate_size")))
                if isinstance(fields.get(name), int | list)}  # fmt: skip
    smaller |= {name: WIDTH for name in fields if name.endswith("moe_intermediate_size")}
    smaller |= {name: LAYERS for name in DEPTHS if isinstance(fields.get(name), int)}
    layers = next((fields[name] for name in DEPTHS if isinstance(fields.get(name), int)), 0)
    for name, value in fields.items():
        if isinstance(value, list) and layers and len(value) == layers:
            smaller[name] = _kinds(value)
    smaller |= {name: 0.0 for name, value in fields.items() if "drop" in name and isinstance(value, float)}
    for name in ("bos_token_id", "eos_token_id", "pad_token_id"):
        smaller[name] = 2 if name != "bos_token_id" else 1
    if fields.get("head_dim") is None:
        smaller.pop("head_dim", None)
    elif "qk_rope_head_dim" in fields:
        smaller["head_dim"] = SIZES["qk_rope_head_dim"]
    return smaller


def _kinds(values: list[Any]) -> list[Any]:
    """``LAYERS`` of them, with every kind among them."""
    kinds = list(dict.fromkeys(map(str, values)))
    first = [next(value for value in values if str(value) == kind) for kind in kinds][:LAYERS]
    return [*(first + values)[: LAYERS - 1], first[-1]] if len(first) < LAYERS else first


def build(family: str, folder: Path, width: int = WIDTH) -> Path:
    """A tiny model of ``family`` with the tests' tokenizer, as a folder; ``width`` is its hidden size."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    write_tiny_base(folder)
    default = AutoConfig.for_model(family)
    text = default.get_text_config()
    smaller = shrunk(text) | MORE.get(family, {})
    widened = {*WIDTHS, *INNER, "head_dim", "d_kv", "rotary_dim", "v_head_dim", "qk_rope_head_dim", "qk_nope_head_dim"}
    smaller |= {
        name: size * width // WIDTH for name, size in smaller.items() if name in widened and isinstance(size, int)
    }
    if text is not default:
        name = next(name for name in ("text_config", "thinker_config") if getattr(default, name, None) is text)
        seeing = {"vision_config": VISION} if getattr(default, "vision_config", None) is not None else {}
        config = AutoConfig.for_model(family, **{name: {**smaller, "model_type": text.model_type}}, **seeing)
    else:
        config = AutoConfig.for_model(family, **smaller)
    with torch.device("meta"):
        size = sum(weight.numel() for weight in AutoModelForCausalLM.from_config(config).parameters())
    if size > 15_000_000:
        raise ValueError(f"still {size} weights")
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    for module in model.modules():
        if isinstance(module, torch.nn.Linear | torch.nn.Embedding):
            torch.nn.init.normal_(module.weight, std=0.15)
    (folder / "model.safetensors").unlink()
    own = model.eval()(input_ids=torch.arange(3, 30)[None], use_cache=False).logits
    if not own.isfinite().all():
        raise ValueError("its own logits are not finite")
    model.save_pretrained(folder)
    return folder


# What a family needs beyond smaller sizes: kinds of layers where the default has one kind, sizes without a default.
MIXED = {"layer_types": ["linear_attention", "full_attention", "linear_attention", "full_attention"]}
MORE: dict[str, dict[str, Any]] = {
    "bamba": {"attn_layer_indices": [1, 3]},
    "blt": {"patch_in_forward": False},
    "codegen": {"rotary_dim": 4},
    "ctrl": {"dff": 64},
    "deepseek_v2": {"num_experts_per_tok": 2},
    "dots1": {"n_routed_experts": 4, "n_shared_experts": 1},
    "gemma3n_text": {"activation_sparsity_pattern": [0.0] * LAYERS},
    "gptj": {"rotary_dim": 4},
    "granitemoehybrid": MIXED,
    "helium": {"head_dim": 8},
    "hunyuan_v1_dense": {"head_dim": 8},
    "hunyuan_v1_moe": {"head_dim": 8, "num_experts": 4, "moe_topk": 2},
    "jamba": {"attn_layer_period": 2, "attn_layer_offset": 1},
    "lfm2": {"layer_types": ["conv", "full_attention", "conv", "full_attention"]},
    "lfm2_moe": {"layer_types": ["conv", "full_attention", "conv", "full_attention"]},
    "ministral": {"head_dim": 8},
    "nemotron": {"head_dim": 8, "num_key_value_heads": 2},
    "plbart": {"encoder_attention_heads": 4, "decoder_attention_heads": 4},
    "qwen4_exp_text": {"head_dim": 8, "num_attention_heads": 4, "num_key_value_heads": 2},
    "qwen4_exp": {"head_dim": 8, "num_attention_heads": 4, "num_key_value_heads": 2},
    "reformer": {"is_decoder": True},
    "whisper": {"encoder_attention_heads": 4, "decoder_attention_heads": 4},
}
VISION = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
          "image_size": 28, "patch_size": 14}  # fmt: skip


def measure(family: str, folder: Path) -> Found:
    """Build a tiny model of the family and compare. Nothing is raised."""
    from resources.errors import ModelError

    try:
        with quietly():
            base = build(family, folder)
    except Exception as error:
        return Found(family, unbuilt=f"{type(error).__name__}: {error}".splitlines()[0])
    try:
        with quietly():
            return _compare(family, base)
    except ModelError as error:
        return Found(family, refused=str(error))


def _compare(family: str, base: Path) -> Found:
    import torch
    from transformers import AutoModelForCausalLM

    from assets.adapter.engine.learner import Learner
    from assets.adapter.recipe import Recipe
    from assets.adapter.rows.dialogues import Example
    from resources.language_model import LanguageModel

    model = LanguageModel.load(base, dtype="float32")
    own = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).eval()
    asked = [
        [{"role": "user", "content": f"the parcel is {word}"}]
        for word in ("at a depot", "here", "at a counter", "by us")
    ]
    prompts = [model.encode(chat, for_generation=True) for chat in asked]
    tails = [model.tokens(text) for text in ("we will send", "your label today please", "thank you", "sorry")]
    pairs = list(zip([*prompts, prompts[0]], [*tails, tails[2]], strict=True))
    score = 0.0
    for (prompt, tail), found in zip(pairs, model.score_tokens(pairs), strict=True):
        with torch.inference_mode():
            logs = own(input_ids=torch.tensor([prompt + tail]), use_cache=False).logits[0].float().log_softmax(-1)
        wanted = logs[len(prompt) - 1 : -1].gather(1, torch.tensor(tail)[:, None])[:, 0]
        score = max(score, float(np.abs(wanted.numpy() - found).max()))

    learner = Learner(base, Recipe(rank=2, dtype="float32"))
    examples = [Example(str(at), (*prompt, *tail), ((len(prompt), len(prompt) + len(tail)),))
                for at, (prompt, tail) in enumerate(pairs)]  # fmt: skip
    learner.accumulate(examples, seed=0)
    found_grads = torch.cat([weight.grad.flatten() for weight in learner.parameters if weight.grad is not None])
    wanted_grads = _own_gradient(base, learner, pairs)
    gradient = float((found_grads - wanted_grads).norm() / wanted_grads.norm().clamp_min(1e-9))

    answers = model.generate(asked, max_new_tokens=8)
    differ = 0
    for prompt, text in zip(prompts, answers, strict=True):
        ids, made = torch.tensor([prompt]), []
        for _ in range(8):
            with torch.inference_mode():
                token = int(own(input_ids=ids, use_cache=False).logits[0, -1].argmax())
            if token in model.stop_tokens:
                break
            made.append(token)
            ids = torch.cat([ids, torch.tensor([[token]])], dim=1)
        differ += model.tokenizer.decode(made, skip_special_tokens=True) != text
    return Found(family, model.forward.form, str(model.forward.decoding), score, gradient, differ)


def _own_gradient(base: Path, learner: Any, pairs: list[tuple[list[int], list[int]]]) -> Any:
    """The same LoRA's gradient by transformers and PEFT alone, one sequence at a time."""
    import torch
    from peft import get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
    from transformers import AutoModelForCausalLM

    plain = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    config = next(iter(learner.model.peft_config.values()))
    own = get_peft_model(plain, config)
    set_peft_model_state_dict(own, get_peft_model_state_dict(learner.model))
    own.train()
    for prompt, tail in pairs:
        logs = own(input_ids=torch.tensor([prompt + tail]), use_cache=False).logits[0].float().log_softmax(-1)
        (-logs[len(prompt) - 1 : -1].gather(1, torch.tensor(tail)[:, None]).sum()).backward()
    return torch.cat([w.grad.flatten() for w in own.parameters() if w.requires_grad and w.grad is not None])


@contextlib.contextmanager
def quietly() -> Any:
    """Without what libraries say of tiny models."""
    import io
    import warnings

    from resources.base_model import quiet

    with quiet(), warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
