"""The two sides of a row as the screen counts phrases in them: what came before it was said, and what was said."""

from collections.abc import Iterable, Iterator

from assets.record import Record


def sides(records: Iterable[Record], functions: set[str]) -> Iterator[tuple[str, str]]:
    """``(prompt, response)`` of every row; ``functions`` takes the names of those that are called.

    A trigger stands before its payload: a tool's result is part of the prompt only where another call follows it.
    """
    for record in records:
        turns = record.conversation().turns
        functions.update(call.name for turn in turns for call in turn.calls)
        last_call = max((place for place, turn in enumerate(turns) if turn.calls), default=-1)
        asked = [
            turn.full_text
            for place, turn in enumerate(turns)
            if turn.role != "assistant" and (turn.role != "tool" or place < last_call)
        ]
        said = (turn.full_text for turn in turns if turn.role == "assistant")
        yield "\n".join(asked), "\n".join(said)
