"""Overlaps: nothing of a value is lost, nothing is redacted twice."""

from hypothesis import given
from hypothesis import strategies as st

from assets.sanitized.redaction.spans import RANK, resolve
from resources.pii_engine import Span

TEXT = "Anna 5 5550100, Oak Street 12 [PERSON_3] x"
SPANS = st.lists(
    st.builds(
        lambda a, b, type_, score: Span(min(a, b), max(a, b) + 1, type_, "r", score),
        st.integers(0, len(TEXT) - 2),
        st.integers(0, len(TEXT) - 2),
        st.sampled_from([*RANK, "OTHER"]),
        st.floats(0, 1),
    ),
    max_size=8,
)


@given(SPANS)
def test_the_union_is_covered_without_overlap_and_placeholders_are_untouched(spans: list[Span]) -> None:
    kept = resolve(TEXT, spans)
    covered = [at for span in kept for at in range(span.start, span.end)]
    assert len(covered) == len(set(covered))
    barrier = range(TEXT.index("["), TEXT.index("]") + 1)
    wanted = {at for span in spans for at in range(span.start, span.end) if TEXT[at].isalnum() and at not in barrier}
    assert wanted <= set(covered)
    assert not set(barrier) & set(covered)


def test_the_proven_type_wins() -> None:
    mail = Span(0, 13, "EMAIL_ADDRESS", "e", 0.9)
    part, name = Span(0, 3, "PERSON", "n", 1.0), Span(14, 17, "PERSON", "n", 1.0)
    assert resolve("ann@x.example Ann", [part, name, mail]) == [mail, name]
