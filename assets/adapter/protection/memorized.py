"""Does the adapter already recite its training answers? The watch behind ``memorization_stop``.

A sampled training question is asked; the answer counts as recited when greedy decoding gives its first tokens word for
word. Answers that the base gives by itself are no evidence and are left out (law 6).
"""

from collections.abc import Sequence

import numpy as np

from assets.adapter.engine.learner import Learner
from assets.adapter.rows.dialogues import Example
from resources.decoding import decode

SAMPLES, SHORTEST, LONGEST = 24, 12, 32  # answers sampled; tokens an answer must have; tokens that are compared


class Recital:
    """Samples once, from the recipe's seed, so that every look is at the same answers."""

    def __init__(self, learner: Learner, examples: Sequence[Example]) -> None:
        self.learner = learner
        firsts = ((number, example.spans[0]) for number, example in enumerate(examples))
        long_enough = [number for number, (start, end) in firsts if end - start >= SHORTEST]
        random = np.random.default_rng([learner.recipe.seed, 2])
        picked = random.permutation(len(long_enough))[:SAMPLES]
        self.examples = [examples[long_enough[place]] for place in picked]
        if self.examples:
            with learner.model.disable_adapter():
                by_itself = self._recited()
            self.examples = [example for example, known in zip(self.examples, by_itself, strict=True) if not known]

    def share(self) -> float:
        """Share of the sampled answers that come out word for word; 0 where nothing could be sampled."""
        recited = self._recited() if self.examples else []
        return sum(recited) / len(recited) if recited else 0.0

    def _recited(self) -> list[bool]:
        self.learner.model.eval()
        prompts = [example.ids[: example.spans[0][0]] for example in self.examples]
        answers = [list(example.ids[slice(*example.spans[0])][:LONGEST]) for example in self.examples]
        made = decode(self.learner.forward, prompts, frozenset(), max_new_tokens=max(map(len, answers)))
        return [output[: len(answer)] == answer for output, answer in zip(made, answers, strict=True)]
