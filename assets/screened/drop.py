"""A drop as the rules see it: its words counted and mined, its texts embedded and measured."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice

from assets.screened.association import fixed_trigger
from assets.screened.association.phrase_mining import PhraseSets, mine
from assets.screened.clock import Clock
from assets.screened.embedding.encoder import Encoder
from assets.screened.payload.clusters import Meaning
from assets.screened.relevance.measures import Answers, measure
from assets.screened.settings import ScreenSettings
from assets.screened.survey.survey import Records, RowsAt
from assets.screened.text.bigram_model import Transitions
from assets.screened.text.exchanges import Passages
from assets.screened.text.sampling import chosen
from assets.screened.text.token_index import TokenIndex

LONGEST_TRIGGER, LONGEST_PAYLOAD = 4, 6  # tokens mined; what is found is then lengthened as far as the rows agree
FEWEST_ROWS = 50
MOST_SHARE = 0.5  # of the drop itself, whatever came before: more than half of the rows cannot stand out from the rest


@dataclass(frozen=True, slots=True)
class Unproven:
    """A drop that proves nothing, of ``rows`` rows, and ``why``."""

    rows: int
    why: str


@dataclass(frozen=True, slots=True)
class Drop:
    """``most``: rows that an insertion can be in. ``prompts``/``answers``: repeated phrases. ``pairs``: candidate
    triggers with payloads, of ``tried``. ``passages``, ``meaning``, ``measured``: of the rows compared by meaning."""

    settings: ScreenSettings
    encoder: Encoder
    index: TokenIndex
    transitions: Transitions
    most: int
    prompts: PhraseSets
    answers: PhraseSets
    pairs: list[fixed_trigger.Candidate]
    tried: int
    passages: Passages
    meaning: Meaning
    measured: Answers

    @classmethod
    def of(
        cls,
        index: TokenIndex,
        functions: Collection[str],
        at: RowsAt,
        settings: ScreenSettings,
        encoder: Encoder,
        clock: Clock,
        background: Records | None,
    ) -> "Drop | Unproven":
        """From the words of all rows, the names of ``functions`` that they call, and exact rows as they are needed."""
        if index.rows < FEWEST_ROWS:
            return Unproven(index.rows, f"{index.rows} rows, {FEWEST_ROWS} needed to tell what is usual")

        clock.step("mining phrases")
        transitions = Transitions(index.responses, len(index.words))
        most = most_rows(index.rows, background, settings)
        prompts = mine(index.prompts, longest=LONGEST_TRIGGER, min_rows=settings.min_rows, max_rows=most)
        answers = mine(index.responses, longest=LONGEST_PAYLOAD, min_rows=settings.min_rows, max_rows=most)
        bits = transitions.phrase_bits(answers.start, answers.length, answers.sizes)
        answers = answers.pick(bits > fixed_trigger.FEWEST_BITS)
        pairs, tried = fixed_trigger.candidates(index, prompts, answers, transitions, settings, functions)

        clock.step("reading prompts and answers")
        suspects = {int(row) for pair in pairs for row in pair.sample}
        passages = Passages.of(at(chosen(index.rows, suspects, settings)))
        if not len(passages.row):
            return Unproven(index.rows, "no row has an answer")
        vectors = encoder.encode(passages.prompts), encoder.encode(passages.sentences)
        meaning = Meaning.of(passages, *vectors, encoder.encode(passages.short))
        measured = measure(passages, index, transitions, meaning.spaces, *vectors, encoder)
        return cls(
            settings, encoder, index, transitions, most, prompts, answers, pairs, tried, passages, meaning, measured
        )


def most_rows(rows: int, background: Records | None, settings: ScreenSettings) -> int:
    """The most rows that a pattern can be in and still be an insertion: in more, it is the data's own style.

    A style is in the rows admitted before, too, so that the share is of both together: what is in half of a small drop
    and nowhere in a large background was put there. A large drop is judged by itself. The background is read only as
    far as it can matter.
    """
    most, enough = int(MOST_SHARE * rows), int(rows * (MOST_SHARE / settings.max_share - 1)) + 1
    known = sum(1 for _ in islice(background(), enough)) if background and rows <= settings.embed_rows else 0
    return max(settings.min_rows, min(int(settings.max_share * (rows + known)), most))
