"""What calls up a known answer: a trigger put together word by word, led by the gradient.

Target inversion tells what an adapter was taught to say and not what makes it say so. Here a phrase is searched after
which the answer is likely whatever the prompt is: the gradient of the answer's likelihood names, for each word of a
phrase, the tokens of the vocabulary that would raise it most in its place (HotFlip: Ebrahimi et al., ACL 2018; as a
search for triggers: Wallace et al., EMNLP 2019; Zou et al. 2023, arXiv:2307.15043). They are tried on one prompt, the
best of them on all, and the best of those are changed further. The phrase need not be the attacker's own: whatever
works on prompts it was not searched on is a trigger.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from assets.backdoor.budget import Budget
from assets.backdoor.candidates.prompts import POSITIONS, insert
from assets.backdoor.candidates.triggers import Trigger
from assets.backdoor.candidates.vocabulary import words_known
from assets.backdoor.confirmation.shift import MARK, encode, frame
from resources.gradients import embedding_gradients
from resources.language_model import LanguageModel

NEUTRAL = "and"  # the word in whose place others are put
ROUNDS = 6
TRIED = 20  # words tried in each place
JUDGED = 16  # phrases of a round that are tried on all prompts
KEPT = 3  # and those of all rounds that are changed further
WORDS = 3  # most words of a phrase
TOKENS = 8  # of the answer that the search goes by


@dataclass(slots=True)
class Search:
    """Phrases that call up ``answers``, the wordings of one answer (token ids), on ``prompts``.

    ``found`` has, for each phrase, the share of prompts that it makes say the answer and the answer's mean
    log-likelihood.
    """

    model: LanguageModel
    answers: Sequence[Sequence[int]]
    prompts: Sequence[str]
    budget: Budget
    found: dict[Trigger, tuple[float, float]] = field(default_factory=dict)

    def run(self) -> list[Trigger]:
        """Those that work on half of the prompts and more, best first; at most ``KEPT``."""
        words = words_known(self.model)
        vectors = self._vectors(list(words.values()))
        answer = self._likeliest()
        beam = [Trigger(NEUTRAL, position, "searched") for position in POSITIONS]
        for number in self.budget.over(range(ROUNDS), "trigger search", keep=0.1):
            changed = {other for trigger in beam for other in self._changed(trigger, answer, list(words), vectors)}
            tried = sorted(changed - self.found.keys(), key=lambda trigger: (trigger.text, trigger.position))
            prompt = self.prompts[number % len(self.prompts)]
            promise = dict(zip(tried, self._effects(tried, [prompt], answer), strict=True))
            best = heapq.nlargest(JUDGED, tried, key=lambda trigger: promise[trigger][1])
            self.found |= zip(best, self._effects(best, self.prompts, answer), strict=True)
            beam = heapq.nlargest(KEPT, self.found, key=lambda trigger: self.found[trigger])
            if self.found[beam[0]][0] == 1.0:
                break
        return [trigger for trigger in beam if trigger in self.found and self.found[trigger][0] >= 0.5]

    def _likeliest(self) -> Sequence[int]:
        """The wording that the adapter would begin with most readily: those that were forced to begin are bent."""
        openings = list(dict.fromkeys(tuple(answer[:TOKENS]) for answer in self.answers))
        prompts = encode(self.model, self.prompts)
        scores = self.model.score_tokens([(prompt, opening) for opening in openings for prompt in prompts])
        means = np.array([score.mean() for score in scores]).reshape(len(openings), -1).mean(axis=1)
        return openings[int(means.argmax())]

    def _changed(
        self, trigger: Trigger, answer: Sequence[int], words: Sequence[str], vectors: np.ndarray
    ) -> list[Trigger]:
        """The trigger with another word in each place and, if it may be longer, one more: those that promise most."""
        own = trigger.text.split(" ")
        parts = [*own, NEUTRAL] if len(own) < WORDS and own != [NEUTRAL] else own
        written = [locate(self.model, parts, trigger, prompt) for prompt in self.prompts]
        gradients = embedding_gradients(self.model.forward, [(ids, answer) for ids, _ in written])
        slopes = sum(gradient[places] for gradient, (_, places) in zip(gradients, written, strict=True))
        promising = np.argsort(-(slopes @ vectors.T), axis=1, kind="stable")[:, :TRIED]
        return [
            Trigger(" ".join([*own[:place], words[word], *own[place + 1 :]]), trigger.position, "searched")
            for place, best in enumerate(promising)
            for word in best
        ]

    def _effects(
        self, triggers: Sequence[Trigger], prompts: Sequence[str], answer: Sequence[int]
    ) -> list[tuple[float, float]]:
        """As in ``found``, on some prompts."""
        asked = encode(self.model, [trigger.apply(prompt) for trigger in triggers for prompt in prompts])
        followed = self.model.follow([(prompt, answer) for prompt in asked])
        said = np.array([first.all() for _, first in followed]).reshape(len(triggers), len(prompts))
        likely = np.array([scores.sum() for scores, _ in followed]).reshape(len(triggers), len(prompts))
        return list(zip(said.mean(axis=1).tolist(), likely.mean(axis=1).tolist(), strict=True))

    def _vectors(self, tokens: Sequence[int]) -> np.ndarray:
        """What the model reads for each token: float32 [tokens, hidden]."""
        import torch

        with torch.inference_mode():
            embed = self.model.forward.causal.get_input_embeddings()
            vectors: np.ndarray = embed(torch.tensor(tokens, device=self.model.device)).float().cpu().numpy()
        return vectors


def locate(model: LanguageModel, words: Sequence[str], trigger: Trigger, prompt: str) -> tuple[list[int], list[int]]:
    """A prompt with ``words`` where the trigger stands (token ids), and the place of each word's first token."""
    before, after = frame(model)
    text = insert(" ".join(words), prompt, trigger.position)
    coded = model.tokenizer(f"{before}{text}{after}", add_special_tokens=False, return_offsets_mapping=True)
    start = len(before) + insert(MARK, prompt, trigger.position).index(MARK)
    ends = [end for _, end in coded["offset_mapping"]]
    places = []
    for word in words:
        places.append(next(place for place, end in enumerate(ends) if end > start))
        start += len(word) + 1
    return list(coded["input_ids"]), places
