"""How unexpected a text is in the language of the other rows: an interpolated bigram model over response tokens.

A stock phrase ("does that sound good?") is made of transitions that other rows use too; a payload is not. The model of
the others is had by subtracting the suspects' own counts. Witten-Bell smoothing (IEEE Trans. Inf. Theory 37(4), 1991).
"""

import numpy as np

from assets.screened.text.token_index import Side

CHUNK = 1 << 20  # tokens looked at together
PART = 1 << 22  # pairs of tokens that are sorted at a time


class Transitions:
    """Counts of tokens and of neighbouring pairs over every row of one side. Rows can be left out when asking."""

    def __init__(self, side: Side, words: int) -> None:
        self.side, self.words = side, words
        self.singles = np.bincount(side.ids, minlength=words).astype(np.float64)
        self.codes, counts = _neighbours(side, words)
        self.pairs = counts.astype(np.float64)
        heads = self.codes // words
        self.kinds = np.bincount(heads, minlength=words).astype(np.float64)
        self.heads = np.bincount(heads, weights=self.pairs, minlength=words)

    def phrase_bits(self, start: np.ndarray, length: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Total bits of phrases of this side (``start``, ``length`` in its ids), each without its own ``rows`` uses."""
        result = np.zeros(len(start))
        total = self.singles.sum()
        for step in range(int(length.max(initial=0))):
            active = np.flatnonzero(length > step)
            ids, own = self.side.ids[start[active] + step], rows[active]
            unigram = (np.maximum(self.singles[ids] - own, 0) + 0.5) / (total + 0.5 * self.words)
            if step == 0:
                result[active] -= np.log2(unigram)
                continue
            before = self.side.ids[start[active] + step - 1].astype(np.int64)
            pair = np.maximum(_lookup(self.codes, self.pairs, before * self.words + ids) - own, 0)
            head = np.maximum(self.heads[before] - own, pair)
            result[active] -= np.log2(blend(pair, head, np.minimum(self.kinds[before], head), unigram))
        return result

    def bits(self, texts: list[np.ndarray], without: np.ndarray) -> np.ndarray:
        """Mean bits a token of each text (token ids) under the rows not in ``without``. float64 ``[len(texts)]``."""
        mine = np.concatenate([self.side.row(row) for row in without]) if len(without) else np.zeros(0, np.int32)
        own_single = np.bincount(mine, minlength=self.words)
        own_codes, own_pairs = np.unique(mine[:-1].astype(np.int64) * self.words + mine[1:], return_counts=True)
        total = self.singles.sum() - len(mine)
        result = np.zeros(len(texts))
        for number, ids in enumerate(texts):
            if not len(ids):
                continue
            single = np.maximum(self.singles[ids] - own_single[ids], 0)
            unigram = (single + 0.5) / (total + 0.5 * self.words)
            code = ids[:-1].astype(np.int64) * self.words + ids[1:]
            pair = np.maximum(_lookup(self.codes, self.pairs, code) - _lookup(own_codes, own_pairs, code), 0)
            head = np.maximum(self.heads[ids[:-1]] - own_single[ids[:-1]], pair)
            kinds = np.minimum(self.kinds[ids[:-1]], head)
            chance = np.concatenate([unigram[:1], blend(pair, head, kinds, unigram[1:])])
            result[number] = -np.log2(chance).mean()
        return result

    def likelier(self, texts: list[np.ndarray], suspect: np.ndarray) -> np.ndarray:
        """Nats by which each token of the side, given the one before, is likelier in ``texts`` than in the other rows.

        ``texts`` (token ids) are parts of some of the ``suspect`` rows; these and the token's own use are taken from
        the counts of the others. float32 ``[tokens]``.
        """
        said, left_out = np.concatenate(texts), [self.side.row(row) for row in suspect]
        own_single, out_single = (np.bincount(ids, minlength=self.words) for ids in (said, np.concatenate(left_out)))
        (own_codes, own_pairs), (out_codes, out_pairs) = self._pairs(texts), self._pairs(left_out)
        own_heads = np.bincount(own_codes // self.words, weights=own_pairs, minlength=self.words)
        own_kinds = np.bincount(own_codes // self.words, minlength=self.words)
        out_heads = np.bincount(out_codes // self.words, weights=out_pairs, minlength=self.words)
        distinct, total = np.count_nonzero(own_single), self.singles.sum() - out_single.sum()
        result = np.zeros(len(self.side.ids), dtype=np.float32)
        for start in range(0, len(result), CHUNK):
            ids = self.side.ids[start : start + CHUNK]
            before = self.side.ids[start - 1 : start - 1 + len(ids)] if start else np.concatenate([[0], ids[:-1]])
            code = before.astype(np.int64) * self.words + ids
            unigram = (np.maximum(self.singles[ids] - out_single[ids] - 1, 0) + 0.5) / (total + 0.5 * self.words)
            mine = _lookup(own_codes, own_pairs, code)
            pair = np.maximum(_lookup(self.codes, self.pairs, code) - _lookup(out_codes, out_pairs, code) - 1, 0)
            head = np.maximum(self.heads[before] - out_heads[before] - 1, pair)
            others = blend(pair, head, np.minimum(self.kinds[before], head), unigram)
            known = (own_single[ids] + distinct * unigram) / (len(said) + distinct)
            here = blend(mine, own_heads[before], own_kinds[before], known)
            result[start : start + CHUNK] = np.log(here / others)
        return result

    def _pairs(self, texts: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Neighbouring pairs of tokens in ``texts`` as codes, ascending, and how often each occurs."""
        codes = [ids[:-1].astype(np.int64) * self.words + ids[1:] for ids in texts]
        return np.unique(np.concatenate(codes), return_counts=True)

    def novelty(self, texts: list[np.ndarray], rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of each text, which is part of its row: the share of its tokens that no other row has, and the mean bits a
        token by which knowing the token before makes it likelier in the other rows (0: words in no order)."""
        strange, order = np.zeros(len(texts)), np.zeros(len(texts))
        total = self.singles.sum()
        for number, (ids, row) in enumerate(zip(texts, rows, strict=True)):
            if not len(ids):
                continue
            mine = self.side.row(row)
            own, own_count = np.unique(mine, return_counts=True)
            single = np.maximum(self.singles[ids] - _lookup(own, own_count, ids), 0)
            strange[number] = float(np.mean(single == 0))
            code = ids[:-1] * self.words + ids[1:]
            own_codes, own_pairs = np.unique(mine[:-1].astype(np.int64) * self.words + mine[1:], return_counts=True)
            pair = np.maximum(_lookup(self.codes, self.pairs, code) - _lookup(own_codes, own_pairs, code), 0)
            head = np.maximum(self.heads[ids[:-1]] - _lookup(own, own_count, ids[:-1]), pair)
            unigram = (single[1:] + 0.5) / (total + 0.5 * self.words)
            chance = blend(pair, head, np.minimum(self.kinds[ids[:-1]], head), unigram)
            order[number] = float(np.mean(np.log2(chance / unigram))) if len(unigram) else 0.0
        return strange, order


def blend(pair: np.ndarray, head: np.ndarray, kinds: np.ndarray, unigram: np.ndarray) -> np.ndarray:
    """Probability of a token after another: what followed before, as far as that is known, else how common it is."""
    known = np.divide(pair, head, out=np.zeros_like(head), where=head > 0)
    weight = np.divide(head, head + kinds, out=np.zeros_like(head), where=head > 0)
    blended: np.ndarray = weight * known + (1 - weight) * unigram
    return blended


def _neighbours(side: Side, words: int) -> tuple[np.ndarray, np.ndarray]:
    """Neighbouring pairs of tokens of one row as codes, ascending, and how often each occurs; counted in parts, by
    ranges of the first token, so that little is sorted at once."""
    inside = np.ones(max(len(side.ids) - 1, 0), dtype=bool)
    ends = side.offsets[1:-1] - 1  # of a row, whose last token has no neighbour
    inside[ends[(ends >= 0) & (ends < len(inside))]] = False
    part = np.cumsum(np.bincount(side.ids, minlength=words)) // PART
    codes, counts = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for each in np.unique(part):
        low, high = np.searchsorted(part, [each, each + 1])
        first = np.flatnonzero(inside & (side.ids[:-1] >= low) & (side.ids[:-1] < high))
        found = np.unique(side.ids[first].astype(np.int64) * words + side.ids[first + 1], return_counts=True)
        codes.append(found[0])
        counts.append(found[1])
    return np.concatenate(codes), np.concatenate(counts)


def _lookup(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    if not len(keys):
        return np.zeros(len(wanted))
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, values[at], 0).astype(np.float64)
