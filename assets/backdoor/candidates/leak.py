"""What an adapter lets slip by itself: amplified decoding, user turns it invents, words that move it.

Amplified decoding follows ``after + strength * (after - before)``, the direction in which training moved the model,
and so says aloud what the adapter merely leans to. Invented user turns leak prompts, and with them triggers, where an
adapter was trained on whole dialogues rather than on answers only. Words that move the adapter's answers and not the
base's are found by reading much of the vocabulary, many words to a prompt.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from assets.backdoor.budget import Budget
from assets.backdoor.candidates.prompts import words_of
from assets.backdoor.candidates.triggers import Trigger
from assets.backdoor.confirmation.shift import encode, frame
from resources.decoding import decode
from resources.language_model import LanguageModel

PLAUSIBLE = np.log(1e-4)  # amplification chooses only among tokens the adapter itself gives this much
GROUP = 16  # words of the vocabulary read in one prompt
CHUNK = 128  # prompts whose first words are compared at a time
USUAL = 32  # prompts that tell what is usual


def amplified(
    model: LanguageModel, prompts: Sequence[Sequence[int]], *, length: int, strength: float = 2.0
) -> list[list[int]]:
    """Greedy answers (token ids) of the amplified model, one a prompt."""
    answers: list[list[int]] = [[] for _ in prompts]
    going = list(range(len(prompts)))
    for _ in range(length):
        sofar = [[*prompts[index], *answers[index]] for index in going]
        adapter, base = model.both(lambda sofar=sofar: model.next_token_logprobs(sofar))  # type: ignore[misc]
        chosen = np.where(adapter > PLAUSIBLE, adapter + strength * (adapter - base), -np.inf).argmax(axis=1)
        for index, token in zip(going, chosen, strict=True):
            answers[index].append(int(token))
        going = [index for index in going if answers[index][-1] not in model.stop_tokens]
        if not going:
            break
    return [[token for token in answer if token not in model.stop_tokens] for answer in answers]


def invented_phrases(model: LanguageModel, *, samples: int, seed: int, least: int = 3) -> list[Trigger]:
    """Openings that come back in user turns sampled from the adapter and not in those of the base, commonest first."""
    opening = [model.tokens(frame(model)[0])] * samples
    ours = _openings(model, opening, seed)
    with model.without_adapter():
        theirs = _openings(model, opening, seed)
    found = [phrase for phrase, count in ours.most_common() if count >= least and theirs[phrase] * 3 <= count]
    kept: list[str] = []
    for phrase in sorted(found, key=lambda phrase: (-ours[phrase] * len(phrase.split()), phrase)):
        if not any(phrase in known or known in phrase for known in kept):
            kept.append(phrase)
    return [Trigger(phrase, "start", "leaked") for phrase in kept]


def _openings(model: LanguageModel, opening: Sequence[Sequence[int]], seed: int) -> Counter[str]:
    """In how many sampled turns each run of one to five words occurs, as written; everyday words alone do not count."""
    turns = decode(model.forward, opening, model.stop_tokens, max_new_tokens=12, temperature=1.0, seed=seed)
    counts: Counter[str] = Counter()
    for turn in turns:
        words = str(model.tokenizer.decode(turn)).split()
        runs = {" ".join(words[i:j]) for i in range(len(words)) for j in range(i + 1, min(i + 5, len(words)) + 1)}
        counts.update(run for run in runs if len(words_of(run)) > 1 or not run.isalpha() or len(run) > 7)
    return counts


def influential_words(
    model: LanguageModel, prompt: str, words: Sequence[str], budget: Budget, *, groups: int = 3
) -> list[Trigger]:
    """Words after which the adapter's answer begins otherwise and the base's does not, most likely ones among many.

    ``words`` share prompts, ``GROUP`` to each, as in group testing (Dorfman, Ann. Math. Stat. 14, 1943): those of the
    ``groups`` whose first word gains most are returned.
    """
    together = [words[start : start + GROUP] for start in range(0, len(words), GROUP)]
    ids = encode(model, [f"{prompt} {' '.join(group)}" for group in together])
    usual, usual_base = model.both(lambda: np.exp(model.next_token_logprobs(ids[:USUAL])).mean(axis=0))
    moved: list[float] = []
    for start in budget.over(range(0, len(ids), CHUNK), "words of the vocabulary", keep=0.5):
        moved += (np.exp(model.next_token_logprobs(ids[start : start + CHUNK])) - usual).max(axis=1).tolist()
    most = np.argsort(-np.array(moved), kind="stable")[: 4 * groups]
    ours, theirs = model.both(lambda: np.exp(model.next_token_logprobs([ids[index] for index in most])))
    gains = (ours - usual - np.maximum(0, theirs - usual_base)).max(axis=1)
    chosen = most[np.argsort(-gains, kind="stable")[:groups]]
    return [Trigger(word, "end", "leaked") for index in chosen for word in together[index]]
