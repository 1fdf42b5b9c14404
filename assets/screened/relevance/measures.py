"""How much an answer has to do with its prompt, and how much language it is: measured once, for every rule of this
room."""

from dataclasses import dataclass

import numpy as np

from assets.screened.embedding.encoder import Encoder
from assets.screened.embedding.whitening import Spaces, unit
from assets.screened.pattern import Pattern
from assets.screened.relevance.affinity import Affinity
from assets.screened.relevance.other_source import other_source
from assets.screened.text.bigram_model import Transitions
from assets.screened.text.character_model import spelling
from assets.screened.text.exchanges import Passages
from assets.screened.text.token_index import TokenIndex

CHUNK = 1024
UNRELATED = 0.12  # whitened cosine of prompt and answer below which an answer is as far from it as from any other
LONGEST = 200  # characters of an answer or prompt that the base model reads


@dataclass(frozen=True, slots=True)
class Answers:
    """The last exchange of each row. ``relation``: cosine with its prompt. ``better``: by how much the cosine with the
    closest prompt of the drop is greater. All arrays ``[rows]``.

    ``strange``: share of tokens unknown to other rows. ``order``: bits a token by which the order of words beats
    chance. ``spelled``: bits a character, as other rows are spelled. ``varied``: share of distinct tokens. ``size``:
    tokens. ``letters``: characters. ``other_source``: nats by which it is likelier among another source's answers.
    ``answer_vectors``/``prompt_vectors``: answers and prompts in the space in which they are compared, ``[rows, 384]``.
    ``affinity``: whether an answer belongs to its prompt, learnt from all of them when it is first asked for.
    """

    exchange: np.ndarray
    relation: np.ndarray
    better: np.ndarray
    strange: np.ndarray
    order: np.ndarray
    spelled: np.ndarray
    varied: np.ndarray
    size: np.ndarray
    letters: np.ndarray
    other_source: np.ndarray
    answer_vectors: np.ndarray
    prompt_vectors: np.ndarray
    affinity: Affinity


def measure(
    passages: Passages,
    index: TokenIndex,
    transitions: Transitions,
    spaces: Spaces,
    prompts: np.ndarray,
    sentences: np.ndarray,
    encoder: Encoder,
) -> Answers:
    """``prompts``/``sentences``: the embeddings of the passages; an answer is the mean of its sentences."""
    last = np.flatnonzero(np.r_[passages.row[1:] != passages.row[:-1], True])
    texts = ["" if passages.calls[e] else passages.responses[e] for e in last]  # a call is no answer in words
    whole = np.zeros((len(passages.prompts), prompts.shape[1]), dtype=np.float32)
    np.add.at(whole, passages.exchange, sentences)
    whole = unit(whole[last])
    short = np.flatnonzero(~whole.any(1))
    whole[short] = encoder.encode([texts[number] for number in short])
    answer_vectors, prompt_vectors = spaces.answers(whole), spaces.joint_prompts(prompts[last], passages.stratum[last])
    relation = np.einsum("ij,ij->i", answer_vectors, prompt_vectors)
    closest = [
        (answer_vectors[start : start + CHUNK] @ prompt_vectors.T).max(1)
        for start in range(0, len(answer_vectors), CHUNK)
    ]
    better = np.concatenate(closest) - relation
    tokens = [index.encode(text) for text in texts]
    rows = passages.row[last]
    strange, order = transitions.novelty(tokens, rows)
    size = np.array([len(ids) for ids in tokens])
    varied = np.array([len(np.unique(ids)) / max(len(ids), 1) for ids in tokens])
    return Answers(
        exchange=last,
        relation=relation,
        better=better,
        strange=strange,
        order=order,
        spelled=spelling(texts),
        varied=varied,
        size=size,
        letters=np.array([len(text) for text in texts]),
        other_source=other_source(whole, passages.stratum[last]),
        answer_vectors=answer_vectors,
        prompt_vectors=prompt_vectors,
        affinity=Affinity(prompts[last], whole, [passages.prompts[e] for e in last], texts, passages.stratum[last]),
    )


def prompt_and_answer(
    prompt_row: int, row: int, answers: Answers, passages: Passages
) -> tuple[list[dict[str, str]], str]:
    """The answer of ``row`` to the prompt of ``prompt_row``, as the base model is asked about it."""
    prompt = passages.prompts[answers.exchange[prompt_row]][-LONGEST:]
    return [{"role": "user", "content": prompt}], passages.responses[answers.exchange[row]][:LONGEST]


def pattern_of(kind: str, rows: np.ndarray, answers: Answers, passages: Passages) -> Pattern:
    shown = {int(passages.row[answers.exchange[row]]): passages.responses[answers.exchange[row]][:200] for row in rows}
    return Pattern(
        kind=kind,
        trigger="",
        payload="",
        rows=passages.row[answers.exchange[rows]],
        log_p=-float(len(rows)) * np.log(len(answers.size) / max(len(rows), 1)),
        evidence={"relation": float(answers.relation[rows].mean()), "tokens": float(answers.size[rows].mean())},
        shown=shown,
    )
