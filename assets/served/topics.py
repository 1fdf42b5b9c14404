"""Topics of text that a person must read before it goes out, told by the bundled sentence encoder.

A topic is a set of sentences; what a text has of it is its cosine with the nearest of them. A text is on the topic
where that is above the topic's threshold and above what it has of everyday talk (``everyday`` in ``topics.yaml``). The
built-in topics and the common threshold are measured by ``tests/benchmarks/served_topics.py``, see docs/serving.md.

A long text is read in passages of a few sentences, because the encoder sees no more at once: the worst one counts.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from assets.served.actions import Topic
from resources.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from resources.sentence_encoder import SentenceEncoder

BUILT_IN = Path(__file__).with_name("topics.yaml")
THRESHOLD = 0.45
PASSAGE = 240  # characters
MOST = 64 * PASSAGE  # of a longer text the first and the last are read
_SENTENCE = re.compile(r"(?<=[.!?\n])\s+")


@dataclass(frozen=True, slots=True)
class OnTopic:
    topic: str
    score: float


@cache
def built_in() -> dict[str, tuple[str, ...]]:
    """``{topic: sentences}``, among them ``everyday``."""
    body = yaml.safe_load(BUILT_IN.read_text(encoding="utf-8"))
    return {name: tuple(sentences) for name, sentences in body.items()}


class Topics:
    """Judges texts against the topics of the actions. Loading the encoder takes a second or two."""

    def __init__(self, topics: Mapping[str, Topic], encoder: "SentenceEncoder") -> None:
        self._encoder = encoder
        self._thresholds = {name: topic.threshold or THRESHOLD for name, topic in topics.items()}
        self._vectors: dict[str, np.ndarray] = {}
        for name, topic in topics.items():
            examples = (*topic.examples, *built_in().get(name, ()))
            if not examples or name == "everyday":
                known = ", ".join(sorted(set(built_in()) - {"everyday"}))
                raise InputError(
                    f"topic {name} needs examples; built in are {known}", object_key="actions", rule="topic-known"
                )
            self._vectors[name] = encoder.encode(examples)
        self._everyday = encoder.encode(built_in()["everyday"])

    def judge(self, text: str) -> OnTopic | None:
        """The topic that the text is most on, if it is on any."""
        return max(filter(None, self.scores([text])[0]), key=lambda found: found.score, default=None)

    def scores(self, texts: Iterable[str]) -> list[list[OnTopic | None]]:
        """For each text and topic, in the actions' order: the finding, or None."""
        read = [_passages(text) for text in texts]
        vectors = self._encoder.encode([passage for passages in read for passage in passages])
        judged, start = [], 0
        for passages in read:
            mine = vectors[start : start + len(passages)]
            start += len(passages)
            judged.append([self._on(name, mine) for name in self._vectors])
        return judged

    def _on(self, name: str, passages: "np.ndarray") -> OnTopic | None:
        if not len(passages):
            return None
        near = (passages @ self._vectors[name].T).max(axis=1)
        common = (passages @ self._everyday.T).max(axis=1)
        worst = float(near[near > common].max(initial=0.0))
        return OnTopic(name, worst) if worst >= self._thresholds[name] else None


def _passages(text: str) -> list[str]:
    """Runs of whole sentences of about ``PASSAGE`` characters."""
    if len(text) > MOST:
        text = f"{text[: MOST // 2]}\n{text[-MOST // 2 :]}"
    passages: list[str] = []
    for sentence in _SENTENCE.split(text):
        if passages and len(passages[-1]) + len(sentence) < PASSAGE:
            passages[-1] += f" {sentence}"
        elif sentence.strip():
            passages.extend(sentence[start : start + 2 * PASSAGE] for start in range(0, len(sentence), 2 * PASSAGE))
    return passages
