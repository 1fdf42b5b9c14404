"""Which row was the first to say the same: a hash table of numbers, for drops of many millions of rows.

A dictionary of Python numbers takes some 150 bytes a row. Here a row takes 20 bytes in a table that is at most two
thirds full and doubles when it is: 30 to 60 bytes a row (open addressing with linear probing: Knuth, The Art of
Computer Programming, volume 3, 6.4).

>>> seen = Identities()
>>> seen.first(7, 0), seen.first(9, 1), seen.first(7, 2)
(0, 1, 0)
"""

from array import array

SMALLEST = 1 << 12  # slots
EMPTY = 0
LOW = (1 << 64) - 1


class Identities:
    def __init__(self) -> None:
        self._count = 0
        self._make(SMALLEST)

    def first(self, identity: int, ordinal: int) -> int:
        """The ordinal (below 2**32) with which this 128-bit ``identity`` came first; ``ordinal`` if it is new."""
        low, high = (identity & LOW) or 1, identity >> 64  # a low half of 0 marks an empty slot
        slot = self._slot(low, high)
        if self._lows[slot] != EMPTY:
            return self._ordinals[slot]
        self._put(slot, low, high, ordinal)
        self._count += 1
        if 3 * self._count > 2 * len(self._lows):
            self._double()
        return ordinal

    def _slot(self, low: int, high: int) -> int:
        lows, highs, mask = self._lows, self._highs, self._mask
        slot = low & mask
        while (found := lows[slot]) != EMPTY and (found != low or highs[slot] != high):
            slot = (slot + 1) & mask
        return slot

    def _put(self, slot: int, low: int, high: int, ordinal: int) -> None:
        self._lows[slot], self._highs[slot], self._ordinals[slot] = low, high, ordinal

    def _make(self, slots: int) -> None:
        self._mask = slots - 1
        self._lows, self._highs = array("Q", bytes(8 * slots)), array("Q", bytes(8 * slots))
        self._ordinals = array("I", bytes(4 * slots))

    def _double(self) -> None:
        before = zip(self._lows, self._highs, self._ordinals, strict=True)
        self._make(2 * len(self._lows))
        for low, high, ordinal in before:
            if low != EMPTY:
                self._put(self._slot(low, high), low, high, ordinal)
