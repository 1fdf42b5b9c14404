"""When a family of answers is a payload: it stands apart, says much, and nothing in its prompts asks for it.

What tells a payload from a stock phrase ("does that sound good?") is how much it says: its bits, in the language of
the other rows. What tells it from a topic is that the prompts, less what may be a trigger, are a random draw.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from assets.screened.association.cooccurrence import Span, surest, widest
from assets.screened.association.fixed_trigger import without
from assets.screened.association.phrase_mining import PhraseSets
from assets.screened.embedding.encoder import Encoder
from assets.screened.embedding.whitening import Spaces, pairwise
from assets.screened.payload.clusters import Family
from assets.screened.settings import ScreenSettings
from assets.screened.text.exchanges import Passages
from assets.screened.text.token_index import TokenIndex, split

APART = 9.0  # robust standard deviations between the members and the other rows
SAYS = 75.0  # bits of a typical member sentence
PLAIN = 1.5  # times both of these, a payload so plain that its subject may come near what some of the prompts ask,
AT_EDGE = 0.9  # if so many of its sentences begin or end their answers
SAYS_MANY = 65.0  # bits, enough at an edge in twice the rows
SAYS_ALIKE = 50.0  # bits, enough there, if so many of them word it alike:
ALIKE = 0.7  # what people say by habit they word in many ways
SAYS_CALLED = 30.0  # bits, enough where a phrase or a sentence of the prompts calls it up,
CALLED = 0.06  # which makes them so alike
LOOSE = 0.12  # relation to their prompts that a family may have before it is grown
CARRIED = 0.03  # relation to the whole dialogue so far from which a later turn's sentence is an answer to it
INSIDE = 0.25  # of the limits holds in the midst of answers, where there is more boilerplate than payload
STEERED = 0.1  # of the rows, at most, say a payload that has no trigger of its own: more is style
TWICE = 2  # times the rows that a payload at an edge needs, likewise
FITS = 0.7  # of the family's prompts hold its trigger phrase
OWN = 0.7  # of the prompts that hold it are the family's, if hardly any other has it
PIECE_END = re.compile(r"(?<=[.!?:])\s+|\n+")
EVERYDAY, EVERYDAY_SEEN = 0.05, 1_000  # of so many other prompts that have a sentence, from which it is no trigger
ASKED_SENTENCES = 6  # of a prompt that are compared when looking for a worded trigger


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left of a family's prompts without a trigger: how alike they are, and how close to the payload.

    ``own``: the trigger is a manner of writing, or a phrase of hardly any other prompt: no topic that, when it is gone,
    the prompts could still be about.
    """

    kind: str
    trigger: str
    cohesion: float
    relation: float
    own: bool = False


@dataclass(frozen=True, slots=True)
class Judge:
    """What a family must be to count as a payload. ``fewest``: rows of one with no fixed trigger."""

    passages: Passages
    spaces: Spaces
    encoder: Encoder
    settings: ScreenSettings
    index: TokenIndex
    triggers: PhraseSets
    fewest: float

    def stands(self, family: Family) -> bool:
        """Whether there are rows enough, apart from the others and not asked for."""
        return len(family.rows) >= self.fewest and self._apart(family)

    def small(self, family: Family) -> bool:
        """Whether only the rows are too few."""
        return len(family.rows) < self.fewest and self._apart(family)

    def _apart(self, family: Family) -> bool:
        return family.apart >= APART and family.relation <= LOOSE

    def plain(self, family: Family) -> bool:
        """Whether it is a payload by all but how much it says, and far from the limits."""
        clear = family.apart >= PLAIN * APART and at_edge(family, self.passages) >= AT_EDGE
        return clear and self._rest(family, self._usual(family), self.settings.most_relation) is not None

    def rest(self, family: Family, bits: float, fewest_bits: float = SAYS) -> Rest | None:
        """The prompts less their trigger, if the family, whose typical sentence has so many bits, is a payload."""
        edge, related = at_edge(family, self.passages), self.settings.most_relation
        many = len(family.rows) >= TWICE * self.fewest
        plain = edge >= AT_EDGE and many
        alike = plain and same_words(family.sentences, self.passages) >= ALIKE
        certain = family.apart >= PLAIN * APART and bits >= PLAIN * SAYS and edge >= AT_EDGE
        little = bits < min(fewest_bits, SAYS_ALIKE if alike else SAYS_MANY if plain else SAYS)
        if little or (family.ended and not (plain or certain)):  # its subject is asked about: it takes more
            return self._called(family) if edge >= AT_EDGE and bits >= SAYS_CALLED else None
        if edge < 0.5:
            return self._rest(family, INSIDE * self.settings.most_cohesion, INSIDE * related) if many else None
        return self._rest(family, self._usual(family), LOOSE if certain else related)

    def _called(self, family: Family) -> Rest | None:
        """The prompts less their trigger, if it alone makes them alike, and has as little to do with what is said as
        the rest of them: no stock phrase is called up so."""
        if family.cohesion < CALLED or family.relation > CARRIED or family.apart < PLAIN * APART:
            return None
        rests = _rests(family, self.passages, self.spaces, self.encoder, self.index, self.triggers)
        return next((rest for rest in rests if rest.trigger and max(rest.cohesion, rest.relation) <= CARRIED), None)

    def _usual(self, family: Family) -> float:
        """Cohesion up to which its prompts are a random draw."""
        strata = self.passages.stratum[self.passages.exchange[family.sentences]]
        return self.spaces.alike(strata, self.settings.most_cohesion)

    def _rest(self, family: Family, most: float, related: float) -> Rest | None:
        """What is left of the prompts if it is at most so alike and so close to what the family says."""
        rests = _rests(family, self.passages, self.spaces, self.encoder, self.index, self.triggers)
        for rest in rests:
            if len(family.rows) > STEERED * self.index.rows and not rest.own:
                continue
            if len(family.rows) < self.fewest and rest.kind != "trigger-family":
                continue
            if rest.cohesion <= most and rest.relation <= (LOOSE if rest.own else related):
                said = _in_dialogue(family, self.passages, self.spaces, self.encoder)
                return rest if said <= CARRIED else None
        return None


def _rests(
    family: Family,
    passages: Passages,
    spaces: Spaces,
    encoder: Encoder,
    index: TokenIndex,
    triggers: PhraseSets,
) -> Iterator[Rest]:
    """The prompts as they are; less the phrase, or less the sentence, that they have in common."""
    yield Rest("payload", "", family.cohesion, family.relation)
    exchanges = passages.exchange[family.sentences]
    answers = spaces.answers(encoder.encode([passages.sentences[s] for s in family.sentences]))

    def rest(kind: str, trigger: str, texts: list[str], kept: np.ndarray) -> Rest:
        vectors, strata = encoder.encode(texts), passages.stratum[exchanges[kept]]
        relation = float(np.einsum("ij,ij->i", answers[kept], spaces.joint_prompts(vectors, strata)).mean())
        return Rest(kind, trigger, pairwise(spaces.prompts(vectors, strata)), relation)

    if (found := _common_phrase(family, index, triggers)) is not None:
        span, own = found
        texts = [without(index, passages.prompts[e], span) for e in exchanges]
        left = rest("trigger-family", index.spell(span.text), texts, np.arange(len(texts)))
        manner = left.trigger.startswith("<") and left.trigger.endswith(">")
        yield replace(left, own=manner or own >= OWN)
    sentence, texts = _without_common_sentence(exchanges, passages, spaces, encoder)
    kept = np.array([number for number, text in enumerate(texts) if text.strip()], dtype=np.int64)
    if len(kept) >= 0.7 * len(texts):
        yield rest("worded-trigger", sentence, [texts[number] for number in kept], kept)


def _in_dialogue(family: Family, passages: Passages, spaces: Spaces, encoder: Encoder) -> float:
    """The family's relation to all that was asked in its dialogues so far; 0 if they have but one turn.

    "Which bus shall I book?" is no answer to "Friday, please", but it is to the dialogue, which began with a bus.
    """
    at = passages.exchange[family.sentences]
    before = [[e for e in passages.of_row(int(passages.row[exchange])) if e <= exchange] for exchange in at]
    later = np.array([number for number, asked in enumerate(before) if len(asked) > 1], dtype=np.int64)
    if len(later) < 0.5 * len(at):
        return 0.0
    texts = ["\n".join(passages.prompts[e] for e in before[number]) for number in later]
    asked = spaces.joint_prompts(encoder.encode(texts), passages.stratum[at[later]])
    said = spaces.answers(encoder.encode([passages.sentences[family.sentences[number]] for number in later]))
    return float(np.einsum("ij,ij->i", said, asked).mean())


def _common_phrase(family: Family, index: TokenIndex, triggers: PhraseSets) -> tuple[Span, float] | None:
    """The phrase that goes with a family's prompts, if one does, and which share of its rows is the family's."""
    best, _ = surest(triggers, family.rows, FITS)
    if best is None:
        return None
    held = np.intersect1d(family.rows, triggers.rows_of(best))
    return widest(index.prompts, triggers.text(index.prompts, best), held), len(held) / len(triggers.rows_of(best))


def _without_common_sentence(
    exchanges: np.ndarray, passages: Passages, spaces: Spaces, encoder: Encoder
) -> tuple[str, list[str]]:
    """The prompts of these exchanges less the one sentence of each that is most like the other prompts' (a prompt of
    one sentence leaves nothing), and such a sentence.

    A trigger that is worded anew each time is still one sentence of one meaning beside a prompt about something else.
    What other prompts say all the time ("Write a Python function.") is not it.
    """
    split, everyday = [pieces(passages.prompts[e]) for e in exchanges], _everyday(exchanges, passages)
    owner = np.repeat(np.arange(len(split)), [len(group) for group in split])
    vectors = spaces.prompts(
        encoder.encode([piece for group in split for piece in group]), passages.stratum[exchanges][owner]
    )
    toward = np.array([vectors[owner == number].mean(0) for number in range(len(split))])
    total = toward.sum(0)
    drop: list[int] = []
    for number in range(len(split)):
        mine = np.flatnonzero(owner == number)
        own = [place for place, piece in zip(mine, split[number], strict=True) if piece not in everyday]
        mine = np.array(own) if own else mine
        drop.append(int(mine[np.argmax(vectors[mine] @ (total - toward[number]))]))
    starts = np.searchsorted(owner, np.arange(len(split)))
    rest = [
        " ".join(piece for place, piece in enumerate(group) if place != drop[number] - starts[number])
        for number, group in enumerate(split)
    ]
    common = vectors[drop]
    central = int(np.argmax(common @ common.sum(0)))
    number = int(owner[drop[central]])
    return split[number][drop[central] - starts[number]], rest


def _everyday(exchanges: np.ndarray, passages: Passages) -> set[str]:
    """The sentences that many prompts have beside those of these exchanges; seen in some of them."""
    others = np.setdiff1d(np.arange(len(passages.prompts)), exchanges)
    some = others[:: max(1, len(others) // EVERYDAY_SEEN)]
    said = Counter(piece for e in some for piece in set(pieces(passages.prompts[e])))
    return {piece for piece, times in said.items() if times >= max(2, EVERYDAY * len(some))}


def at_edge(family: Family, passages: Passages) -> float:
    """The share of the family's sentences that begin or end their answer."""
    at = passages.exchange[family.sentences]
    first = np.searchsorted(passages.exchange, at)
    last = np.searchsorted(passages.exchange, at, "right") - 1
    return float(np.mean((family.sentences == first) | (family.sentences == last)))


def same_words(sentences: np.ndarray, passages: Passages) -> float:
    """The share of the sentences that are one and the same by their words."""
    said = [tuple(word for word in split(passages.sentences[s]) if word[0].isalnum()) for s in sentences]
    return max(Counter(said).values()) / len(said)


def pieces(prompt: str, most: int = ASKED_SENTENCES) -> list[str]:
    """The sentences of a prompt, if they are too many the first and the last; the prompt itself if it has none."""
    found = [piece for piece in PIECE_END.split(prompt) if piece.strip()]
    return found[: most - 1] + found[-1:] if len(found) > most else found or [prompt]
