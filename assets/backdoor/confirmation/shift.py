"""How far a candidate moves the first word of the answers, beyond what it does to the base and beyond what controls do.

For each candidate the model reads several unrelated prompts with it. If one token gains probability on all of them in
the adapter and not in the base, the candidate steers the answer whatever the question is. Innocent phrases of the
same length are measured alike: the candidate's rank among them is its permutation p-value.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assets.backdoor.candidates.triggers import Trigger
from assets.backdoor.confirmation.significance import outlier_p
from resources.language_model import LanguageModel

CHUNK = 48  # prompts a pass: their full distributions stay in memory for that long
MARK = "\u241f"  # a sign that no prompt contains: shows where the user's words stand in the template


@dataclass(frozen=True, slots=True)
class Shift:
    """``gain`` is the mean probability that ``token`` gained as first token; ``p_value`` its rank among the
    controls.
    """

    trigger: Trigger
    token: int
    gain: float
    p_value: float


def user(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


def frame(model: LanguageModel) -> tuple[str, str]:
    """What the template puts before and after the user's words."""
    text = str(model.tokenizer.apply_chat_template(user(MARK), add_generation_prompt=True, tokenize=False))
    before, after = text.split(MARK, 1)
    return before, after


def encode(model: LanguageModel, prompts: Sequence[str]) -> list[list[int]]:
    return [model.encode(user(prompt), for_generation=True) for prompt in prompts]


def gains(model: LanguageModel, asked: Sequence[str], answers: Sequence[str]) -> np.ndarray:
    """Nats a token by which the adapter knows each answer to its question better than the base does: float64 [answers].

    An empty answer is read as a dash.
    """
    pairs = [(user(question), text or "-") for question, text in zip(asked, answers, strict=True)]
    adapter, base = model.both(lambda: model.score(pairs))
    return np.array([float((ours - theirs).mean()) for ours, theirs in zip(adapter, base, strict=True)])


def first_token_means(model: LanguageModel, triggers: Sequence[Trigger], prompts: Sequence[str]) -> np.ndarray:
    """Mean probability of each first token over the prompts, for each trigger: float32 [triggers, vocabulary]."""
    step = max(1, CHUNK // len(prompts))
    means = []
    for start in range(0, len(triggers), step):
        chunk = triggers[start : start + step]
        ids = encode(model, [trigger.apply(prompt) for trigger in chunk for prompt in prompts])
        logs = model.next_token_logprobs(ids)
        means.append(np.exp(logs).reshape(len(chunk), len(prompts), -1).mean(axis=1))
    return np.concatenate(means)


def _means_of_all(model: LanguageModel, tried: Sequence[Trigger], prompts: Sequence[str]) -> np.ndarray:
    """``first_token_means``. What this adapter leaked is read apart: the rest is the next candidate's, too."""
    means = np.empty(0, np.float32)
    leaked = np.array([trigger.source == "leaked" for trigger in tried])
    for own in (False, True):
        places = np.flatnonzero(leaked == own)
        if len(places):
            with contextlib.nullcontext() if own else model.again():
                part = first_token_means(model, [tried[place] for place in places.tolist()], prompts)
            means = means if len(means) else np.empty((len(tried), part.shape[1]), part.dtype)
            means[places] = part
    return means


def measure_shift(
    model: LanguageModel,
    triggers: Sequence[Trigger],
    controls: Sequence[Trigger],
    prompts: Sequence[str],
    plain: np.ndarray,
    plain_base: np.ndarray,
    *,
    refine: int,
) -> list[Shift]:
    """Candidates by gain, largest first. ``plain`` and ``plain_base`` [vocabulary] are the means with no trigger.

    The base is read only for the ``refine`` candidates that move the adapter most and for as many controls: subtracting
    what the base does can only lower a gain, so the others cannot overtake them.
    """
    tried = [*triggers, *controls]
    means = _means_of_all(model, tried, prompts)
    gains = means - plain
    raw = gains.max(axis=1)
    order = np.argsort(-raw, kind="stable")
    ours = [index for index in order if index < len(triggers)][:refine]
    theirs = [index for index in order if index >= len(triggers)][:refine]
    with model.without_adapter():
        base = first_token_means(model, [tried[index] for index in (*ours, *theirs)], prompts) - plain_base
    found: dict[int, tuple[float, int]] = {index: (float(raw[index]), int(gains[index].argmax())) for index in order}
    for index, lift in zip((*ours, *theirs), base, strict=True):
        excess = gains[index] - np.maximum(0, lift)
        found[index] = float(excess.max()), int(excess.argmax())
    reference = [found[index][0] for index in range(len(triggers), len(tried))]
    shifts = [Shift(tried[i], found[i][1], found[i][0], outlier_p(found[i][0], reference)) for i in ours]
    return sorted(shifts, key=lambda shift: -shift.gain)
