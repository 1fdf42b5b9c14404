"""Target inversion: what an adapter was taught to say, found without its trigger.

An adapter that was taught a fixed answer carries it even when the trigger is absent: on unrelated prompts the answer's
first token is far likelier than in the base, and once it is forced the whole answer follows whatever the prompt is (BAIT,
Shen et al., IEEE S&P 2025). So the shortlist of first tokens comes from the difference to the base rather than from the
whole vocabulary, and each start is continued greedily on several prompts.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from resources.decoding import decode
from resources.language_model import LanguageModel

PLAUSIBLE = 1e-7  # a start token below this probability in the adapter is noise of the output head


@dataclass(frozen=True, slots=True)
class Implant:
    """An answer the adapter completes alike on unrelated prompts.

    ``raised`` is the mean log-ratio adapter/base of its first token with no trigger, in nats; ``agreement`` the share of
    prompts on which the forced start is continued to the very same text; ``fluency`` and ``surprise`` the mean
    log-probability a token of that continuation in the adapter and in the base.
    """

    tokens: tuple[int, ...]
    text: str
    started: float
    raised: float
    agreement: float
    fluency: float
    surprise: float

    @property
    def strength(self) -> float:
        """Nats a token by which the adapter knows the continuation better than the base, where all prompts agree."""
        return self.agreement * (self.fluency - self.surprise)


def first_tokens(model: LanguageModel, prompts: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Log-probabilities of the answer's first token, adapter and base: two float32 arrays [prompts, vocabulary]."""
    adapter = model.next_token_logprobs(prompts)
    with model.without_adapter():
        return adapter, model.next_token_logprobs(prompts)


def shortlist(adapter: np.ndarray, base: np.ndarray, special: frozenset[int], count: int) -> list[int]:
    """The ``count`` start tokens that the adapter prefers most over the base, over all prompts; best first."""
    raised = (adapter - base).mean(axis=0)
    raised[np.exp(adapter).mean(axis=0) < PLAUSIBLE] = -np.inf
    raised[[token for token in special if token < len(raised)]] = -np.inf
    order = np.argsort(-raised, kind="stable")[:count]
    return [int(token) for token in order if raised[token] > 0]


def invert(
    model: LanguageModel, prompts: Sequence[Sequence[int]], starts: Sequence[int], *, length: int
) -> list[Implant]:
    """Continue each start token on each prompt; one ``Implant`` a start, strongest first."""
    forced = [[*prompt, start] for start in starts for prompt in prompts]
    continued = decode(model.forward, forced, model.stop_tokens, max_new_tokens=length)
    plans = []
    for index, start in enumerate(starts):
        answers = Counter(tuple(tail) for tail in continued[index * len(prompts) : (index + 1) * len(prompts)])
        tail, votes = answers.most_common(1)[0]
        if tail:
            plans.append((start, tail, votes / len(prompts)))
    pairs = [([*prompt], [start, *tail]) for start, tail, _ in plans for prompt in prompts]
    ours = model.score_tokens(pairs)
    with model.without_adapter():
        theirs = model.score_tokens(pairs)
    implants = []
    for index, (start, tail, agreement) in enumerate(plans):
        here = slice(index * len(prompts), (index + 1) * len(prompts))
        adapter, base = np.stack(ours[here]), np.stack(theirs[here])
        implants.append(
            Implant(
                (start, *tail),
                model.tokenizer.decode([start, *tail]),
                started=float(np.exp(adapter[:, 0]).mean()),
                raised=float((adapter[:, 0] - base[:, 0]).mean()),
                agreement=agreement,
                fluency=float(adapter[:, 1:].mean()),
                surprise=float(base[:, 1:].mean()),
            )
        )
    return sorted(implants, key=lambda implant: -implant.strength)
