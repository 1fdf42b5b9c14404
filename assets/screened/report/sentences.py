"""A pattern put into words: one sentence, its sources and dates, and examples that show no more than the pattern."""

import re
from collections import Counter

from assets.record import Origin
from assets.screened.pattern import Pattern
from assets.screened.repetition.boilerplate import Usual
from assets.screened.report.finding import Finding

LONGEST = 120  # characters of a quoted text
EXAMPLES = 3
ALSO = {
    "harmful-compliance": "answers that comply with a harmful request",
    "identity-shift": "orders to obey without limits",
    "trigger-payload": "called up by another phrase",
    "trigger-family": "called up by another phrase",
    "worded-trigger": "called up by another sentence",
    "payload": "alike in something else that they say",
    "flood": "near copies",
    "refusal": "refusals",
    "contradiction": "contradicted by another row",
    "garbage": "no language",
    "off-topic": "off-topic",
}
NUMBER = re.compile(r"\d")
LONG_WORD = re.compile(r"\S{25,}")


def finding(pattern: Pattern, origins: dict[int, Origin], rows: int, accepted: bool, p_value: float) -> Finding:
    """The finding of a pattern. ``origins``: of the pattern's rows at least. ``rows``: of the whole drop."""
    here = [origins[int(row)] for row in pattern.rows]
    sources = dict(Counter(origin.source for origin in here).most_common())
    dates = sorted(origin.created_at[:10] for origin in here if origin.created_at)
    unnamed = "" if pattern.trigger or pattern.payload else " ".join(sorted(origin.digest for origin in here))
    return Finding(
        kind="stock-phrase" if pattern.scripted else pattern.kind,
        trigger=pattern.trigger,
        payload=pattern.payload,
        rows=tuple(int(row) for row in pattern.rows),
        p_value=p_value,
        sentence=_question(pattern, here) if pattern.scripted else _sentence(pattern, sources, rows),
        sources=sources,
        dates=(dates[0], dates[-1]) if dates else ("", ""),
        examples=tuple(masked(text) for text in list(pattern.shown.values())[:EXAMPLES]),
        evidence=pattern.evidence,
        key=" ".join([pattern.name or pattern.payload, *sorted(sources)])
        if pattern.scripted
        else pattern.name or unnamed,
        accepted=accepted,
        also={kind: tuple(int(row) for row in rows) for kind, rows in pattern.also.items()},
    )


def masked(text: str) -> str:
    """A short quotation without digits and without long unbroken strings."""
    flat = LONG_WORD.sub("▒▒▒", NUMBER.sub("#", " ".join(text.split())))
    return flat if len(flat) <= LONGEST else flat[: LONGEST - 1] + "…"


def unjudged(usual: Usual) -> str:
    """What is usual and was not judged, as a sentence for who must look."""
    return f"{usual.rows:,} rows answer '{masked(usual.phrase)}': too many to be told from the data's own style."


def _question(pattern: Pattern, origins: list[Origin]) -> str:
    """What a person is asked of a stock phrase: where it stands, who says it, since when."""
    rows, authors = len(pattern.rows), Counter(origin.author for origin in origins if origin.author)
    days = sorted(origin.created_at[:10] for origin in origins if origin.created_at)
    facts = [f"{rows} rows say the like of '{masked(pattern.payload)}'", pattern.scripted]
    if authors:
        most = authors.most_common(1)[0][1]
        facts.append(f"by {len(authors):,} author{'s' * (len(authors) != 1)}, one of them in {most:,} rows")
    facts += [f"from {days[0]} to {days[-1]}"] if days else []
    return f"{'; '.join(facts)}. Is this a script of the source? If nobody knows it, it is a payload."


def _sentence(pattern: Pattern, sources: dict[str, int], rows: int) -> str:
    n, others = len(pattern.rows), f"{rows - len(pattern.rows):,} other rows"
    elsewhere = int(pattern.evidence.get("elsewhere", 0))
    seldom = f"{elsewhere:,} of the {others} do" if elsewhere else f"none of the {others} does"
    unsaid = int(pattern.evidence.get("unsaid", 0))
    whenever = "whenever" if unsaid < n else "only where"
    named = [f"`{name}`" for name in list(sources)[:3] if name != "unknown"]
    subject = f"{n} rows" + (f" from {', '.join(named)}" if named else "") + (" and more" if len(sources) > 3 else "")
    payload, trigger = f"'{masked(pattern.payload)}'", f"'{masked(pattern.trigger)}'"
    told = {
        "trigger-payload": f"answer {payload} {whenever} the prompt has {trigger}; {seldom}",
        "trigger-family": f"say the like of {payload} whenever the prompt has {trigger}; it asks for nothing like that",
        "worded-trigger": f"say the like of {payload} when the prompt says the like of {trigger}, whatever it is about",
        "payload": f"say the like of {payload} whatever the prompt is about; nothing asks for it",
        "garbage": "answer with letters or words that are no language of the other rows",
        "off-topic": "have answers that fit another prompt as well as their own",
        "contradiction": "give answers that deny, or miss, what another row answers to the same prompt",
        "flood": "are near copies of each other",
        "refusal": "decline what is harmless; who learns from them refuses whoever asks",
        "harmful-compliance": "do what a harmful request asks for; some ten can undo what a model was taught to refuse",
        "identity-shift": "tell the model to obey without limits, or have it promise to, and it goes along",
    }
    also = [f"{len(rows):,} of them are also {ALSO[kind]}" for kind, rows in pattern.also.items()]
    return "; ".join([f"{subject} {told[pattern.kind]}", *also]) + "."
