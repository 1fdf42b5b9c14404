"""A record keeps its own fields, tells every text by its path, and puts new text back where the old one was."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.record import Origin, Record

ORIGIN = Origin("a.jsonl", "v1", 1, "00")
NESTED = st.recursive(
    st.text(max_size=8) | st.integers() | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("fields", "chat"),
    [
        ({"instruction": "Do", "input": "", "output": "Done"}, [("user", "Do"), ("assistant", "Done")]),
        ({"instruction": "Do", "input": "it", "output": "Done"}, [("user", "Do\n\nit"), ("assistant", "Done")]),
        ({"prompt": "Hi", "completion": "Hello"}, [("user", "Hi"), ("assistant", "Hello")]),
        ({"prompt": "Hi", "response": "Hello"}, [("user", "Hi"), ("assistant", "Hello")]),
        (
            {"messages": [{"role": "system", "content": "Be kind"}, {"role": "user", "content": "Hi"}]},
            [("system", "Be kind"), ("user", "Hi")],
        ),
        ({"text": "anything"}, [("assistant", "anything")]),
        ({"frage": "Wo?"}, []),
    ],
)
def test_every_form_is_read_as_a_chat(fields: dict, chat: list[tuple[str, str]]) -> None:
    assert [(turn.role, turn.content) for turn in Record("r", fields, ORIGIN).messages()] == chat


@given(st.dictionaries(st.sampled_from("xyz"), NESTED, max_size=3))
def test_every_text_can_be_replaced_by_its_path(fields: dict) -> None:
    record = Record("r", fields, ORIGIN)
    before = dict(record.texts())
    after = record.with_texts({path: text + "!" for path, text in before.items()})
    assert dict(after.texts()) == {path: text + "!" for path, text in before.items()}
    assert dict(record.texts()) == before


def test_a_path_that_is_not_there_is_an_error_not_a_silent_loss() -> None:
    with pytest.raises(KeyError, match="messages"):
        Record("r", {"prompt": "Hi"}, ORIGIN).with_texts({"messages[0].content": "x"})


def test_a_record_survives_its_own_json() -> None:
    record = Record("r", {"prompt": "Hi", "n": [1, {"deep": "text"}]}, ORIGIN)
    assert Record.from_json(json.loads(json.dumps(record.to_json()))) == record
