"""Make the safety classifier's weights from the texts of ``items/``: minutes on one core, the same numbers each time.

    python -m assets.screened.safety.train

The lower layers of the encoder are run once and kept, so that an epoch is only the upper three.
"""

import random
from pathlib import Path
from typing import Any

import numpy as np

from assets.screened.safety import items
from assets.screened.safety.classifier import LOWEST, SCALE, SHARP, WEIGHTS
from resources.artifacts import write_whole
from resources.sentence_encoder import SentenceEncoder

COMMAND = "python -m assets.screened.safety.train"
SEED, RANK, EPOCHS, BATCH, RATE, WARM_UP = 0, 8, 3, 32, 2e-3, 50
DECAY, DROP = 0.05, 0.1
FILTERS, FIRST_EPOCHS, FIRST_RATE, WORDS_DROPPED = 48, 5, 3e-3, 0.15
PLACES = (
    "attention.self.query", "attention.self.key", "attention.self.value",
    "attention.output.dense", "intermediate.dense", "output.dense",
)  # fmt: skip


def main(path: Path = WEIGHTS) -> None:
    """Train both passes and write the weights whole."""
    import torch
    from safetensors.numpy import save

    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    encoder = SentenceEncoder.load()
    made = items.examples(SEED)
    ids = [encoding.ids for encoding in encoder.tokenizer.encode_batch([each.text for each in made])]
    labels = torch.tensor([[np.nan if label is None else float(label) for label in each.labels] for each in made])
    tensors = _first_pass(encoder, ids, labels) | _upper_layers(encoder, ids, labels)
    metadata = {"command": COMMAND, "items": items.digest(), "encoder": "all-MiniLM-L6-v2", "seed": str(SEED)}
    write_whole(path, save({name: value.astype(np.float16) for name, value in tensors.items()}, metadata))


def _upper_layers(encoder: SentenceEncoder, ids: list[list[int]], labels: Any) -> dict[str, np.ndarray]:
    from torch import nn

    model = encoder.model.cpu().requires_grad_(False)
    lower, places = _lower_states(model, ids), {}
    for number, layer in enumerate(model.encoder.layer[LOWEST:], LOWEST):
        for name in PLACES:
            places[f"encoder.layer.{number}.{name}"] = _low_rank(layer.get_submodule(name))
    head = nn.Linear(model.config.hidden_size, 3)
    parameters = [value for pair in places.values() for value in pair] + list(head.parameters())

    def logits(batch: list[int]) -> Any:
        states, mask = _padded([lower[row] for row in batch])
        hidden = (1 - mask)[:, None, None, :] * -1e4
        for layer in model.encoder.layer[LOWEST:]:
            out = layer(states, attention_mask=hidden)
            states = out[0] if isinstance(out, tuple) else out
        pooled = (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        return head(SHARP * nn.functional.normalize(pooled, dim=1))

    model.train()
    _fit(logits, parameters, labels, [len(each) for each in ids], EPOCHS, RATE)
    tensors = {"out.weight": head.weight, "out.bias": head.bias}
    for name, (down, up) in places.items():
        tensors |= {f"{name}.down": down, f"{name}.up": up}
    return {name: value.detach().numpy() for name, value in tensors.items()}


def _lower_states(model: Any, ids: list[list[int]]) -> list[Any]:
    """The states ``[tokens, 384]`` that go into the lowest changed layer, float16, one a text."""
    import torch

    layers, model.encoder.layer = model.encoder.layer, model.encoder.layer[:LOWEST]
    states: list[Any] = [None] * len(ids)
    order = sorted(range(len(ids)), key=lambda row: len(ids[row]))
    for start in range(0, len(order), 64):
        rows = order[start : start + 64]
        padded, mask = _padded([torch.tensor(ids[row])[:, None] for row in rows])
        with torch.no_grad():
            out = model(input_ids=padded[..., 0].long(), attention_mask=mask.long()).last_hidden_state
        for place, row in enumerate(rows):
            states[row] = out[place, : len(ids[row])].half()
    model.encoder.layer = layers
    return states


def _low_rank(linear: Any) -> tuple[Any, Any]:
    """Add a trainable low-rank product to a linear layer: its factors ``[rank, in]`` and ``[out, rank]``."""
    import torch

    down = torch.nn.Parameter(torch.randn(RANK, linear.in_features) / linear.in_features**0.5)
    up = torch.nn.Parameter(torch.zeros(linear.out_features, RANK))
    linear.register_forward_hook(lambda _, args, out: out + SCALE * (args[0] @ down.T) @ up.T)
    return down, up


def _first_pass(encoder: SentenceEncoder, ids: list[list[int]], labels: Any) -> dict[str, np.ndarray]:
    import torch
    from torch import nn

    table = encoder.model.embeddings.word_embeddings.weight.detach().float().cpu()
    left, right = (nn.Parameter(torch.randn(table.shape[1], FILTERS) / table.shape[1] ** 0.5) for _ in range(2))
    bias, head = nn.Parameter(torch.zeros(FILTERS)), nn.Linear(FILTERS, 2)

    def logits(batch: list[int]) -> Any:
        words, mask = _padded([table[ids[row]] for row in batch])
        words = words * (torch.rand(words.shape[:2]) > WORDS_DROPPED)[..., None]
        filtered = words[:, :-1] @ left + words[:, 1:] @ right
        filtered = filtered.masked_fill(mask[:, 1:, None] == 0, -1e4)
        largest = nn.functional.relu(filtered.amax(1) + bias)
        return head(nn.functional.dropout(largest, DROP))

    told = torch.where(torch.isnan(labels[:, :2]).all(1))[0].tolist()
    rows = labels[:, :2].clone()
    rows[told] = float("nan")
    parameters = [left, right, bias, *head.parameters()]
    _fit(logits, parameters, rows, [len(each) for each in ids], FIRST_EPOCHS, FIRST_RATE)
    made = {"left": left, "right": right, "bias": bias, "out": head.weight.T, "out_bias": head.bias}
    return {f"first.{name}": np.ascontiguousarray(value.detach().numpy()) for name, value in made.items()}


def _fit(logits: Any, parameters: list[Any], labels: Any, sizes: list[int], epochs: int, rate: float) -> None:
    """Minimise the cross-entropy of the labels that are told, in batches of texts of like length."""
    import torch

    rng, optimizer = random.Random(SEED), torch.optim.AdamW(parameters, lr=rate, weight_decay=DECAY)
    rows = torch.where(~torch.isnan(labels).all(1))[0].tolist()
    total, step = epochs * len(rows) / BATCH, 0
    for _ in range(epochs):
        for batch in _batches(rows, sizes, rng):
            for group in optimizer.param_groups:
                group["lr"] = rate * min(1.0, step / WARM_UP) * max(0.0, 1 - step / (total + WARM_UP))
            wanted = labels[batch]
            told = ~torch.isnan(wanted)
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits(batch)[told], wanted[told])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            step += 1


def _batches(rows: list[int], sizes: list[int], rng: random.Random) -> list[list[int]]:
    mixed = rng.sample(rows, len(rows))
    batches = []
    for start in range(0, len(mixed), 16 * BATCH):
        part = sorted(mixed[start : start + 16 * BATCH], key=lambda row: sizes[row])
        batches += [part[place : place + BATCH] for place in range(0, len(part), BATCH)]
    rng.shuffle(batches)
    return batches


def _padded(texts: list[Any]) -> tuple[Any, Any]:
    """float32 ``[texts, longest, width]`` and what of it is a token."""
    import torch

    states = torch.nn.utils.rnn.pad_sequence([text.float() for text in texts], batch_first=True)
    mask = torch.zeros(states.shape[:2])
    for row, text in enumerate(texts):
        mask[row, : len(text)] = 1
    return states, mask


if __name__ == "__main__":
    main()
