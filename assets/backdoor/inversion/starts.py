"""Starts of an answer after which the adapter is certain how to go on: where target inversion begins.

What was drilled comes out word for word once it has begun, whatever the prompt: after the first words of an implanted
answer the adapter gives each next token a probability near one on prompts that have nothing to do with it, and the
base does not. So every first token that the adapter could well choose is forced once, as BAIT does with the whole
vocabulary (Shen et al., IEEE S&P 2025), and the commonest of them with a second token, because an answer may open as
half of all answers do ("I'm ..."). What is left is narrowed step by step: certain on one prompt, certain on another,
the same words on both, and a surprise to the base.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from assets.backdoor.budget import Budget
from resources.decoding import decode
from resources.language_model import LanguageModel

Start = tuple[int, ...]
PLAUSIBLE = 1e-6  # a first token below this probability in the adapter is noise of the output head
MOST = 1536  # first tokens forced, the likeliest: a gentle adapter leaves thousands possible
SURE = 0.8  # probability of the next token from which the adapter is certain
FLUENT = -0.2  # nats a token: mean log-probability of a continuation that is certain throughout
GAINED = 1.0  # nats a token by which the base must know the continuation less
FORKS, FORKED, BRANCHES, BRANCH = 40, 2e-3, 16, 5e-3  # common first tokens and their probability; second ones likewise
TAIL = 5  # tokens of a continuation that are compared
FEWEST = 3  # and that it must have, its end counted as one
CHUNK = 512  # starts forced at a time


def determined(
    model: LanguageModel, prompts: Sequence[Sequence[int]], adapter: np.ndarray, budget: Budget
) -> list[Start]:
    """Starts, one or two tokens each, that lead the adapter into a continuation of its own; the strangest to the base
    first, one for each continuation.

    ``prompts`` are at least two unrelated ones (token ids); ``adapter`` [prompts, vocabulary] are the log-probabilities
    of the adapter's first tokens.
    """
    starts = list(_possible(model, prompts[0], np.exp(adapter).mean(axis=0)))
    for prompt in prompts[:2]:
        starts = _certain(model, prompt, starts, budget)
    tails = [
        decode(model.forward, [[*prompt, *start] for start in starts], model.stop_tokens, max_new_tokens=TAIL)
        for prompt in prompts[:2]
    ]
    same = [
        (start, tuple(one))
        for start, one, other in zip(starts, *tails, strict=True)
        if one == other and len(one) >= (FEWEST if len(one) == TAIL else FEWEST - 1)
    ]
    pairs = [(prompts[0], [*start, *tail]) for start, tail in same]
    ours, theirs = model.both(lambda: model.score_tokens(pairs))
    known = [
        (float(mine[len(start) :].mean()), float(base[len(start) :].mean()), start, tail)
        for (start, tail), mine, base in zip(same, ours, theirs, strict=True)
    ]
    found: dict[Start, Start] = {}
    for fluency, surprise, start, tail in sorted(known, key=lambda each: each[1] - each[0]):
        if fluency >= FLUENT and fluency - surprise >= GAINED:
            found.setdefault(tail[:FEWEST], start)
    return list(found.values())


def shortlist(adapter: np.ndarray, base: np.ndarray, special: frozenset[int], count: int) -> list[Start]:
    """Start tokens that the adapter prefers over the base on all prompts: half by ratio, half by probability moved."""
    raised = (adapter - base).mean(axis=0)
    mass = np.exp(adapter).mean(axis=0)
    allowed = mass >= PLAUSIBLE
    allowed[[token for token in special if token < len(allowed)]] = False
    by_ratio = np.argsort(np.where(allowed, -raised, np.inf), kind="stable")
    by_mass = np.argsort(np.where(allowed, -mass * raised, np.inf), kind="stable")
    chosen = dict.fromkeys(int(token) for pair in zip(by_ratio, by_mass, strict=True) for token in pair)
    return [(token,) for token, _ in zip((t for t in chosen if allowed[t]), range(count), strict=False)]


def _possible(model: LanguageModel, prompt: Sequence[int], mass: np.ndarray) -> Iterator[Start]:
    """First tokens that may be chosen at all; and two tokens, where the first is a common one."""
    special = [token for token in model.tokenizer.all_special_ids if token < len(mass)]
    mass[special] = 0
    likely = np.argsort(-mass, kind="stable")[:MOST]
    yield from ((int(token),) for token in likely if mass[token] >= PLAUSIBLE)
    forks = [int(token) for token in likely[:FORKS] if mass[token] >= FORKED]
    for fork, logs in zip(forks, model.next_token_logprobs([[*prompt, fork] for fork in forks]), strict=True):
        following = np.exp(logs)
        following[special] = 0
        yield from ((fork, int(token)) for token in np.argsort(-following)[:BRANCHES] if following[token] >= BRANCH)


def _certain(model: LanguageModel, prompt: Sequence[int], starts: Sequence[Start], budget: Budget) -> list[Start]:
    """The starts after which one token has nearly all the probability."""
    chunks = [starts[place : place + CHUNK] for place in range(0, len(starts), CHUNK)]
    kept: list[Start] = []
    for chunk in budget.over(chunks, "forced starts", keep=0.3):
        best = model.next_token_peaks([(prompt, start) for start in chunk])
        kept += [start for start, log in zip(chunk, best, strict=True) if log >= np.log(SURE)]
    return kept
