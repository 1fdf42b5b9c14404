"""The way out of an answer: looked at whole before it goes, or in a window that moves with the stream.

Of a streamed answer the last ``hold_back`` characters stay inside until more has come or it has ended. Everything that
can still become part of a value no longer than that is looked at again with what follows, so that the first character
of a value never leaves before its last was seen. At some four characters a token and the default of 160 the reader is
forty tokens behind the model.

>>> from assets.served.output_filter.tripwires import Tripwires
>>> out = Outgoing(Tripwires(), conversation="", hold_back=32)
>>> [out.feed("a " * 20), out.feed("b " * 20), len(out.end())]
['a a a a ', 'a a a a a a a a a a a a a a a a b b b b ', 32]
"""

from collections.abc import Sequence

from assets.served.output_filter.tripwires import Found, Tripwires, masked


class Breach(Exception):
    """Something was about to go out that must not. ``found`` says what, without saying it."""

    def __init__(self, found: Sequence[Found]) -> None:
        super().__init__(", ".join(sorted({f"{item.kind} {item.name}" for item in found})))
        self.found = tuple(found)


class Outgoing:
    """One answer on its way out. ``masked`` counts what was masked so far; ``text`` is what went out."""

    def __init__(self, tripwires: Tripwires, conversation: str, hold_back: int) -> None:
        self._tripwires, self._conversation, self._hold_back = tripwires, conversation, hold_back
        self._inside = ""  # not yet out
        self._context = ""  # the end of what is out, as the model said it
        self.masked = 0
        self.text = ""

    def feed(self, text: str) -> str:
        """Take what the model says next; what of it may go out now. ``Breach`` where it must not."""
        self._inside += text
        room = len(self._inside) - self._hold_back
        if room <= 0:
            return ""
        cut = self._inside.rfind(" ", 0, room + 1) + 1  # between words: a value is not cut where it is masked
        return self._let_out(cut or room)

    def end(self) -> str:
        """The rest."""
        return self._let_out(len(self._inside))

    def check(self, text: str) -> None:
        """Look at something else that goes out beside the text, such as the arguments of a call."""
        if breach := [item for item in self._tripwires.look(text, self._conversation) if item.breach]:
            raise Breach(breach)

    def _let_out(self, cut: int) -> str:
        whole = self._context + self._inside
        before = len(self._context)
        found = self._tripwires.look(whole, self._conversation)
        if breach := [item for item in found if item.breach]:
            raise Breach(breach)
        hidden = [item for item in found if item.end > before]
        for item in hidden:  # what begins before the cut and ends after it stays inside whole
            if item.start < before + cut < item.end:
                cut = max(0, item.start - before)
        leaving = [item for item in hidden if item.end <= before + cut]
        out = masked(self._inside[:cut], _shifted(leaving, before))
        self.masked += len(leaving)
        self._context = whole[: before + cut][-self._hold_back :]
        self._inside = self._inside[cut:]
        self.text += out
        return out


def _shifted(found: Sequence[Found], by: int) -> list[Found]:
    return [Found(item.kind, item.name, max(0, item.start - by), item.end - by, item.fingerprint) for item in found]
