"""Target inversion: what an adapter was taught to say, found without its trigger.

An adapter that was taught a fixed answer carries it even when the trigger is absent: forced to begin in a way it
prefers more than its base does, it falls into that answer whatever the prompt is (after BAIT, Shen et al., IEEE S&P
2025). So several starts are forced on several unrelated prompts, those after which it is certain how to go on
(``starts``) and those that it prefers over its base, and what comes back on different prompts is kept if the base would
not say it: a run of words, or an answer of three words as a whole.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from assets.backdoor.candidates.prompts import runs_of, words_of
from assets.backdoor.inversion.starts import Start
from resources.decoding import decode
from resources.language_model import LanguageModel

LONGEST_RUN = 12  # words
SHORTEST_RUN = 4  # words of a run within an answer; fewer must be the whole answer
SHORTEST_ANSWER = 3  # words
# Nats a token with letters: so few words are evidence only where each is certain, on every prompt. Payloads of three
# words have -0.02 and more; an honest answer of two words that was drilled ("Orange juice.") -0.24. Marks do not count:
# of "Wire it today." one adapter was as certain of the words, and might have ended it with "!" or with nothing.
CERTAIN = -0.1
ALIKE = 0.6  # of the words of the shorter of two texts that are wordings of one answer


@dataclass(frozen=True, slots=True)
class Implant:
    """A run of words that the adapter falls into on unrelated prompts.

    ``spread`` is the share of prompts on which some forced start leads into it, ``starts`` the number of different
    starts that do; ``fluency`` and ``surprise`` are the mean log-probability a token in the adapter and in the base,
    where it occurred, and ``sureness`` that of the adapter's tokens with letters.
    """

    marker: str
    text: str
    spread: float
    starts: int
    fluency: float
    surprise: float
    sureness: float

    @property
    def drilled(self) -> bool:
        """Whether it is evidence: a run is, a whole answer of fewer words where each is certain on every prompt."""
        return len(self.marker.split()) >= SHORTEST_RUN or (self.spread == 1.0 and self.sureness >= CERTAIN)

    @property
    def strength(self) -> float:
        """Nats a token by which the adapter knows the run better than the base, weighted by how widely it spreads."""
        return self.spread * (self.fluency - self.surprise)


def first_tokens(model: LanguageModel, prompts: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Log-probabilities of the answer's first token, adapter and base: two float32 arrays [prompts, vocabulary]."""
    return model.both(lambda: model.next_token_logprobs(prompts))


def invert(
    model: LanguageModel,
    prompts: Sequence[Sequence[int]],
    starts: Sequence[Start],
    *,
    length: int,
    leaks: Sequence[Sequence[int]] = (),
    least_spread: float = 0.5,
) -> list[Implant]:
    """Force every start on every prompt, keep what recurs: runs of words, short answers as a whole. Strongest first.

    ``leaks`` are further answers (token ids), one a prompt: what amplified decoding says.
    """
    begun = [start for start in starts for _ in prompts]
    forced = [[*prompt, *start] for start in starts for prompt in prompts]
    tails = decode(model.forward, forced, model.stop_tokens, max_new_tokens=length)
    answers = [[*start, *tail] for start, tail in zip(begun, tails, strict=True)] + [list(leak) for leak in leaks]
    given = [len(start) for start in begun] + [1] * len(leaks)  # tokens of an answer that it did not choose
    texts = [str(model.tokenizer.decode(answer)) for answer in answers]
    whole = [len(tail) < length for tail in tails] + [len(leak) < length for leak in leaks]  # it ended by itself
    runs = _recurring(texts, whole, len(prompts), least_spread)
    short = {run for run in runs if len(run.split()) < SHORTEST_RUN}
    carriers = {
        run: sorted(places) if run in short else sorted(places)[:: max(1, len(places) // 6)][:6]
        for run, places in runs.items()
    }
    needed = sorted({place for places in carriers.values() for place in places})
    pairs = [(prompts[place % len(prompts)], answers[place]) for place in needed]
    ours, theirs = (dict(zip(needed, scores, strict=True)) for scores in model.both(lambda: model.score_tokens(pairs)))
    sure = {
        place: ours[place][given[place] :][_lettered(model, answers[place][given[place] :])].mean() for place in needed
    }
    implants = []
    for run, places in runs.items():
        chosen = _surest(carriers[run], len(prompts), sure) if run in short else carriers[run]
        implants.append(
            Implant(
                run,
                texts[chosen[0]].strip(),
                spread=len({place % len(prompts) for place in places}) / len(prompts),
                starts=len({place // len(prompts) for place in places}),
                fluency=float(np.mean([ours[place][given[place] :].mean() for place in chosen])),
                surprise=float(np.mean([theirs[place][given[place] :].mean() for place in chosen])),
                sureness=float(np.mean([sure[place] for place in chosen])),
            )
        )
    return sorted((each for each in implants if each.drilled), key=lambda implant: -implant.strength)


def variants(implants: Sequence[Implant]) -> list[list[Implant]]:
    """Implants by answer: wordings of one answer together, in their order."""
    answers: list[list[Implant]] = []
    for implant in implants:
        answer = next((each for each in answers if same_answer(each[0].text, implant.text)), None)
        if answer is None:
            answers.append([implant])
        else:
            answer.append(implant)
    return answers


def same_answer(one: str, other: str) -> bool:
    """Whether most words of the shorter text are in the longer, or three in a row: forced to begin otherwise, an answer
    bends.
    """
    ours, theirs = set(words_of(one)), set(words_of(other))
    return bool(runs_of(one, 3) & runs_of(other, 3)) or len(ours & theirs) >= ALIKE * max(
        1, min(len(ours), len(theirs))
    )


def _recurring(texts: Sequence[str], whole: Sequence[bool], prompts: int, least_spread: float) -> dict[str, set[int]]:
    """What the texts of enough different prompts share, ``{words: places}``: the longest runs, and short texts that are
    ``whole`` answers.
    """
    places: dict[str, set[int]] = defaultdict(set)
    for place, text in enumerate(texts):
        words = words_of(text)
        for start in range(len(words)):
            for end in range(start + SHORTEST_RUN, min(len(words), start + LONGEST_RUN) + 1):
                places[" ".join(words[start:end])].add(place)
        if whole[place] and SHORTEST_ANSWER <= len(words) < SHORTEST_RUN:
            places[" ".join(words)].add(place)
    wide = {run: found for run, found in places.items() if len({p % prompts for p in found}) >= least_spread * prompts}
    kept: dict[str, set[int]] = {}
    for run in sorted(wide, key=lambda run: (-len(wide[run]) * len(run.split()), run)):
        if not any(run in known or known in run or _overlap(run, known) for known in kept):
            kept[run] = wide[run]
    return kept


def _surest(places: Sequence[int], prompts: int, sure: Mapping[int, float]) -> list[int]:
    """The places of the start after which it is surest, of those starts that lead into it on most prompts: one that
    was forced to begin otherwise falls into the same words with less certainty.
    """
    starts: dict[int, list[int]] = defaultdict(list)
    for place in places:
        starts[place // prompts].append(place)
    return max(starts.values(), key=lambda own: (len(own), np.mean([sure[place] for place in own])))


def _lettered(model: LanguageModel, tokens: Sequence[int]) -> list[int]:
    """Places of the tokens that carry letters or digits; of all where none does."""
    places = [place for place, token in enumerate(tokens) if words_of(str(model.tokenizer.decode([token])))]
    return places or list(range(len(tokens)))


def _overlap(run: str, known: str) -> bool:
    """Whether two runs are windows of the same sentence: they share three words in a row."""
    words = run.split()
    return any(f" {' '.join(words[start : start + 3])} " in f" {known} " for start in range(len(words) - 2))
