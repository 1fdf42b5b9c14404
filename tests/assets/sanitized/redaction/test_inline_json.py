"""What leaves the JSON in a text, and that the text around and in it stays as it was otherwise."""

import json
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from assets.sanitized.redaction.draft import DraftText
from assets.sanitized.redaction.inline_json import fitted
from resources.pii_engine import Span

LEAF = st.text(alphabet='ab Ü"\\\n/{[,:', max_size=8) | st.integers(0, 10**12) | st.booleans() | st.none()
BODY = st.dictionaries(
    st.sampled_from(["to", "note", "card"]),
    LEAF | st.lists(LEAF, max_size=3) | st.dictionaries(st.just("in"), LEAF),
    min_size=1,
)


def redacted(text: str, spans: list[Span]) -> str:
    draft = DraftText(text)
    draft.edit((span.start, span.end, '"[X_1]"' if quoted else "[X_1]") for span, quoted in fitted(text, spans))
    return draft.current


def shape(value: object) -> object:
    if isinstance(value, dict):
        return ("fields", [shape(inner) for inner in value.values()])  # a value may be a key, and is renamed
    return [shape(inner) for inner in value] if isinstance(value, list) else None


@settings(max_examples=80)
@given(BODY, st.booleans(), st.sampled_from([None, 2]), st.lists(st.integers(0, 200), max_size=6))
def test_whatever_is_taken_out_of_a_call_it_stays_json_of_its_shape(body, ascii_, indent, cuts):
    written = json.dumps(body, ensure_ascii=ascii_, indent=indent)
    text = f"Ann asks: <tool_call>{written}</tool_call> for Bea"
    inside = sorted({11 + len("tool_call") + cut % (len(written) + 2) for cut in cuts})
    spans = [Span(start, end, "X", "x", 1.0) for start, end in list(pairwise(inside))[::2]]
    found = redacted(text, spans)
    start, end = found.index("{"), found.rindex("}")
    assert shape(json.loads(found[start : end + 1])) == shape(body)


def test_a_number_goes_whole_and_becomes_a_string():
    text = '<tool_call>{"card": 4111111111111111, "n": 2}</tool_call>'
    assert redacted(text, [Span(22, 30, "X", "x", 1.0)]) == '<tool_call>{"card": "[X_1]", "n": 2}</tool_call>'


def test_a_span_over_two_fields_takes_their_values_alone():
    text = 'see {"street": "12 Oak Street", "city": "Leeds"} now'
    found = redacted(text, [Span(text.index('"12'), text.index("} now"), "X", "x", 1.0)])
    assert found == 'see {"street": "[X_1]", "city": "[X_1]"} now'


def test_text_without_json_is_cut_where_it_was_said():
    assert redacted("call Ann {now}", [Span(5, 8, "X", "x", 1.0)]) == "call [X_1] {now}"
