"""Topics of text that a person must read before it goes out, told by the bundled sentence encoder.

A topic is a set of sentences; a logistic regression on their vectors tells them from those of the other topics and
from everyday talk (``topics.yaml``). A text is on the topic where that gives it more than the threshold. The threshold
is set and measured by ``tests/benchmarks/served_topics.py``; docs/serving.md says what it finds and what it misses.

A long text is read in passages of a few sentences, because the encoder sees no more at once: the worst one counts.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import yaml

from assets.served.approval.actions import Topic
from resources.errors import InputError

if TYPE_CHECKING:
    from resources.sentence_encoder import SentenceEncoder

BUILT_IN = Path(__file__).with_name("topics.yaml")
EVERYDAY = "everyday"
THRESHOLD = 0.6
LEAST = 8  # sentences of a topic
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
        from sklearn.linear_model import LogisticRegression

        self._thresholds = {name: topic.threshold or THRESHOLD for name, topic in topics.items()}
        said = {name: encoder.encode(sentences) for name, sentences in built_in().items()}
        self._models: dict[str, LogisticRegression] = {}
        for name, topic in topics.items():
            examples = (*topic.examples, *built_in().get(name, ()))
            if len(examples) < LEAST or name == EVERYDAY:
                known = ", ".join(sorted(set(built_in()) - {EVERYDAY}))
                raise InputError(
                    f"topic {name} needs {LEAST} examples or more; built in are {known}",
                    object_key="actions", rule="topic-known",
                )  # fmt: skip
            own = encoder.encode(examples)
            others = np.vstack([vectors for other, vectors in said.items() if other != name])
            labels = [1] * len(own) + [0] * len(others)
            model = LogisticRegression(C=10, class_weight="balanced", max_iter=1000)
            self._models[name] = model.fit(np.vstack([own, others]), labels)

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
            judged.append([self._on(name, mine) for name in self._models])
        return judged

    def _on(self, name: str, passages: np.ndarray) -> OnTopic | None:
        if not len(passages):
            return None
        worst = float(self._models[name].predict_proba(passages)[:, 1].max())
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
