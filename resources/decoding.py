"""Generation in batches of similar length."""

from collections.abc import Sequence
from typing import Any

BATCH = {"cpu": 32, "cuda": 128}


def decode(
    model: Any, prompts: Sequence[Sequence[int]], stop: frozenset[int], *, max_new_tokens: int, temperature: float, seed: int
) -> list[list[int]]:
    """New tokens after each prompt (token ids), without the stop token. Greedy at temperature 0."""
    import torch

    outputs: list[list[int]] = [[] for _ in prompts]
    order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
    size = BATCH.get(model.device.type, BATCH["cpu"])
    sampling = {"do_sample": True, "temperature": temperature, "top_k": 0, "top_p": 1.0} if temperature else {"do_sample": False}
    ends = sorted(stop)
    with torch.inference_mode(), torch.random.fork_rng(devices=[model.device] if model.device.type == "cuda" else []):
        torch.manual_seed(seed)
        for start in range(0, len(order), size):
            chosen = order[start : start + size]
            width = max(len(prompts[index]) for index in chosen)
            ids = torch.tensor([[ends[0] if ends else 0] * (width - len(prompts[i])) + list(prompts[i]) for i in chosen])
            mask = torch.tensor([[0] * (width - len(prompts[i])) + [1] * len(prompts[i]) for i in chosen])
            made = model.generate(
                input_ids=ids.to(model.device), attention_mask=mask.to(model.device), max_new_tokens=max_new_tokens,
                eos_token_id=ends or None, pad_token_id=ends[0] if ends else 0, repetition_penalty=1.0, **sampling,
            )  # fmt: skip
            for index, row in zip(chosen, made[:, width:].tolist(), strict=True):
                outputs[index] = next((row[:at] for at, token in enumerate(row) if token in stop), row)
    return outputs
