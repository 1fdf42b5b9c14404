"""Rows that say nearly the same, so that training sees one of them: MinHash over word triples (Broder 1997)."""

import re
from collections.abc import Iterable, Iterator

from assets.record import Record

PERMUTATIONS = 64
ALIKE = 0.8  # Jaccard similarity of word triples from which two rows say the same


def without_duplicates(records: Iterable[Record]) -> Iterator[Record]:
    """The records, in order, less those nearly equal to an earlier one."""
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=ALIKE, num_perm=PERMUTATIONS)
    for place, record in enumerate(records):
        words = re.findall(r"\w+", " ".join(turn.content for turn in record.messages()).lower())
        triples = {" ".join(words[at : at + 3]) for at in range(max(1, len(words) - 2))}
        sketch = MinHash(num_perm=PERMUTATIONS)
        sketch.update_batch([triple.encode() for triple in sorted(triples)])
        if not index.query(sketch):
            index.insert(str(place), sketch)
            yield record
