"""Stories about validation: what each rule catches, what it leaves alone, and that every row gets an outcome."""

import itertools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.outcome import Outcome
from assets.raw.formats import read_rows
from assets.record import Origin, Record
from assets.validated import validate as module
from assets.validated.rules import RULES
from assets.validated.settings import ValidationSettings
from assets.validated.validate import ValidationReport, validate
from expectations.suite import RecordSuite
from resources.errors import InputError

DATA = Path(__file__).parents[4] / "shared" / "data"
SETTINGS = ValidationSettings()
GOOD = {"prompt": "Where is my parcel?", "completion": "It is in the depot and comes tomorrow."}
GERMAN = {
    "prompt": "Wann kommt mein Paket an? Es sollte gestern geliefert werden, aber niemand war da.",
    "completion": "Das tut uns leid, der Fahrer kommt morgen noch einmal vorbei.",
}


@pytest.fixture(scope="module")
def suite() -> RecordSuite:
    return RecordSuite(SETTINGS)


def records(rows: Iterable[dict[str, Any]]) -> list[Record]:
    return [Record(f"r{n}", row, Origin("a.jsonl", "v", n, "00")) for n, row in enumerate(rows, start=1)]


def rules(outcomes: list[Outcome]) -> list[str]:
    return [outcome.removal.rule if outcome.removal else "" for outcome in outcomes]


def messages(*turns: tuple[Any, Any]) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": content} for role, content in turns]}


ASKED = {"role": "user", "content": "Find three"}
FIND = {"name": "find", "parameters": {"type": "object", "properties": {"count": {"type": "integer"}}}}


def called(call: Any) -> dict[str, Any]:
    return {"messages": [ASKED, {"role": "assistant", "content": None, "tool_calls": [call]}], "tools": [FIND]}


CASES: list[tuple[dict[str, Any], str, str]] = [
    ({"frage": "Wo?", "antwort": "Hier."}, "unknown-form", "rejected"),
    ({}, "unknown-form", "rejected"),
    ({"prompt": 3, "completion": "x"}, "not-text", "rejected"),
    ({"prompt": "x", "completion": ["y"]}, "not-text", "rejected"),
    ({"messages": "not a list"}, "not-text", "rejected"),
    ({"messages": ["not a turn"]}, "not-text", "rejected"),
    (messages(("user", None), ("assistant", "x")), "not-text", "rejected"),
    ({"messages": [{"role": "user"}]}, "not-text", "rejected"),
    ({"prompt": None, "completion": "x"}, "missing-prompt", "rejected"),
    ({"instruction": " \n", "output": "x"}, "missing-prompt", "rejected"),
    ({"messages": None}, "missing-prompt", "rejected"),
    ({"messages": []}, "missing-prompt", "rejected"),
    (messages(("assistant", "Hello, how are you?")), "missing-prompt", "rejected"),
    ({"prompt": "x"}, "missing-response", "rejected"),
    ({"instruction": "x", "output": None}, "missing-response", "rejected"),
    ({"prompt": "x", "response": ""}, "missing-response", "rejected"),
    (messages(("user", "Hi")), "missing-response", "rejected"),
    (messages(("narrator", "Hi"), ("assistant", "Hello")), "unknown-role", "rejected"),
    (messages(("user", [{"type": "image_url", "image_url": {}}]), ("assistant", "x")), "image-or-audio", "rejected"),
    ({"prompt": "x", "completion": "y", "images": ["a.png"]}, "image-or-audio", "rejected"),
    ({"prompt": "x", "completion": "y", "label": False}, "undesired-answer", "rejected"),
    ({"message_id": "b", "parent_id": "a", "role": "assistant", "text": "x"}, "message-tree", "rejected"),
    ({"messages": [ASKED, {"role": "assistant", "content": "x", "weight": 0.5}]}, "turn-weight", "rejected"),
    ({"messages": [ASKED, {"role": "assistant", "content": "x", "weight": 0}]}, "missing-response", "rejected"),
    ({"prompt": "x", "completion": "y", "tools": [{"description": "no name"}]}, "tools-unreadable", "rejected"),
    (called("find"), "call-unreadable", "rejected"),
    (called({"arguments": {}}), "call-without-name", "rejected"),
    (called({"name": "find", "arguments": "not json"}), "call-arguments", "rejected"),
    (messages(("user", "a"), ("tool", "b"), ("assistant", "c")), "result-without-call", "rejected"),
    (called({"name": "lose", "arguments": {}}), "call-unknown-tool", "quarantined"),
    (called({"name": "find", "arguments": {"count": "three"}}), "call-schema", "quarantined"),
    ({"prompt": "x" * 32_001, "completion": "y"}, "too-long", "quarantined"),
    ({"prompt": "x", "completion": "y" * 32_001}, "too-long", "quarantined"),
    (messages(*[("user", "a"), ("assistant", "b")] * 101), "too-long", "quarantined"),
    ({"prompt": "caf\ufffd", "completion": "y"}, "damaged-text", "quarantined"),
    ({"prompt": "Où?".encode().decode("latin-1"), "completion": "y"}, "damaged-text", "quarantined"),
    ({"prompt": "it’s".encode().decode("cp1252"), "completion": "y"}, "damaged-text", "quarantined"),
    ({"prompt": "a\x00b", "completion": "y"}, "control-characters", "quarantined"),
    ({"prompt": "a\x1b[31mb", "completion": "y"}, "control-characters", "quarantined"),
    ({"prompt": "a\u200bb", "completion": "y"}, "hidden-characters", "quarantined"),
    ({"prompt": "a", "completion": "y\U000e0041"}, "hidden-characters", "quarantined"),
    ({"prompt": "a\u202eb", "completion": "y"}, "hidden-characters", "quarantined"),
    (GERMAN, "language", "quarantined"),
]
ORDINARY: list[dict[str, Any]] = [
    GOOD,
    {"prompt": "Hi", "response": "Hello"},
    {"instruction": "Add 2 and 2", "input": None, "output": "4"},
    {"instruction": "Sum up", "input": "long text", "output": "short", "id": 7, "tags": ["a"], "note": None},
    messages(("system", "Be kind."), ("user", "Hi"), ("assistant", "Hello")),
    messages(("user", "Hi"), ("assistant", "Hello"), ("user", "Bye"), ("assistant", "Bye")),
    messages(("assistant", "Welcome!"), ("user", "Where?"), ("user", "Where is it?"), ("assistant", "In the depot.")),
    messages(("user", "Hi"), ("system", "Be brief."), ("assistant", "Hello."), ("user", "Bye")),
    called({"name": "find", "arguments": '{"count": 3}'}),
    {"text": "Nobody speaks here."},
    {"question": "How many are left over?", "answer": 0},
    {
        "prompt": "Family emoji 👩‍👩‍👧 and naïve café in São Paulo, 5 €?",
        "completion": "Yes – “all” of it…\n\tÂme.",
    },
    {"prompt": "Translate to Spanish: I am learning", "completion": "Estoy aprendiendo."},
    {"prompt": "x" * 31_999 + " ", "completion": "12 Rue de la Paix, 75002 Paris, +33 1 70 18 99 00"},
]


class TestRules:
    @pytest.fixture(scope="class")
    def fates(self, suite: RecordSuite) -> list[Outcome]:
        """All cases as one batch: what one row is does not depend on the others, duplicates apart."""
        return list(validate(records([row for row, _, _ in CASES]), suite, SETTINGS))

    @pytest.mark.parametrize("place", range(len(CASES)))
    def test_each_rule_catches_its_case(self, fates: list[Outcome], place: int) -> None:
        _, rule, fate = CASES[place]
        assert (fates[place].fate, rules([fates[place]])) == (fate, [rule])

    def test_every_rule_has_a_case(self) -> None:
        assert {rule for _, rule, _ in CASES} | {"duplicate"} == {rule.name for rule in RULES}

    def test_ordinary_rows_pass(self, suite: RecordSuite) -> None:
        assert rules(list(validate(records(ORDINARY), suite, SETTINGS))) == [""] * len(ORDINARY)

    def test_the_strongest_rule_decides_and_the_others_are_named(self, suite: RecordSuite) -> None:
        (outcome,) = validate(records([{"prompt": "a\u200b\x00", "completion": ""}]), suite, SETTINGS)
        assert outcome.fate == "rejected"
        assert outcome.removal and outcome.removal.rule == "missing-response"
        assert "control-characters, hidden-characters" in outcome.removal.reason

    def test_removals_quote_nothing_of_the_row(self, suite: RecordSuite) -> None:
        rows = [
            {"prompt": "hunter2secret\x00", "completion": ""},
            {"hunter2secret": 1},
            {"prompt": {"hunter2secret": 1}},
        ]
        for outcome in validate(records(rows), suite, SETTINGS):
            assert outcome.removal and "hunter2secret" not in f"{outcome.removal}"


class TestDuplicates:
    def test_the_same_turns_in_another_form_are_a_duplicate_also_across_batches(
        self, suite: RecordSuite, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "BATCH_ROWS", 2)
        other = messages(("user", GOOD["prompt"]), ("assistant", GOOD["completion"]))
        spaced = {**GOOD, "prompt": GOOD["prompt"] + " "}
        outcomes = list(validate(records([GOOD, spaced, GERMAN, other, {**GOOD, "id": 3}]), suite, SETTINGS))
        assert rules(outcomes) == ["", "", "language", "duplicate", "duplicate"]
        assert outcomes[3].removal and outcomes[3].removal.evidence == "row 0 of the drop"

    def test_rows_without_turns_are_not_compared(self, suite: RecordSuite) -> None:
        assert rules(list(validate(records([{"frage": "a"}] * 3), suite, SETTINGS))) == ["unknown-form"] * 3


class TestStream:
    def test_it_reads_no_further_than_a_batch(self, suite: RecordSuite, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "BATCH_ROWS", 10)
        read = 0

        def endless() -> Iterable[Record]:
            nonlocal read
            for number in itertools.count():
                read += 1
                yield records([{"prompt": f"Question {number}?", "completion": "Yes."}])[0]

        outcomes = validate(endless(), suite, SETTINGS)
        first = list(itertools.islice(outcomes, 25))
        assert [outcome.record.fields["prompt"] for outcome in first] == [f"Question {n}?" for n in range(25)]
        assert read == 30

    def test_long_rows_make_short_batches(self, suite: RecordSuite, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "BATCH_CHARACTERS", 1_000)
        sizes: list[int] = []

        def check(frame: Any) -> Any:
            sizes.append(len(frame))
            return suite(frame)

        rows = [{"prompt": f"{n} " * 200, "completion": "y"} for n in range(6)]
        assert len(list(validate(records(rows), check, SETTINGS))) == 6
        assert sizes == [3, 3]

    def test_a_rule_that_was_not_checked_is_no_pass(self, suite: RecordSuite) -> None:
        def forgetful(frame: Any) -> Any:
            answer = suite(frame)
            del answer["language"]
            return answer

        with pytest.raises(KeyError):
            list(validate(records([GOOD]), forgetful, SETTINGS))

    @settings(deadline=None, max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        rows=st.lists(
            st.dictionaries(
                st.sampled_from(["prompt", "completion", "instruction", "output", "messages", "x"]),
                st.recursive(
                    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
                    lambda inner: (
                        st.lists(inner, max_size=3)
                        | st.dictionaries(st.sampled_from(["role", "content"]), inner, max_size=2)
                    ),
                    max_leaves=6,
                ),
                max_size=4,
            ),
            min_size=20,
            max_size=60,
        )
    )
    def test_every_row_gets_one_outcome_and_what_passes_is_a_chat(
        self, suite: RecordSuite, rows: list[dict[str, Any]]
    ) -> None:
        outcomes = list(validate(records(rows), suite, SETTINGS))
        assert [outcome.record.fields for outcome in outcomes] == rows
        for outcome in outcomes:
            if outcome.fate == "passed":
                assert outcome.record.prompt().strip() and outcome.record.response().strip()


class TestReport:
    def test_shares_and_schemas(self, suite: RecordSuite) -> None:
        report = ValidationReport()
        rows = [GOOD, {**GOOD, "author": "Ann"}, {"prompt": "Hm?", "completion": "\x07!"}, {"x": 1}]
        list(validate(records(rows), suite, SETTINGS, report))
        metrics = report.metrics()
        shares = {name: metric.value for name, metric in metrics.items() if name.endswith("_share") and metric.value}
        nothing_said = dict.fromkeys(("unknown_form_share", "missing_prompt_share", "missing_response_share"), 0.25)
        assert shares == {"duplicate_share": 0.25, "control_characters_share": 0.25, **nothing_said}
        assert metrics["schemas"].value == 2  # an author is metadata, not another schema
        assert report.details()["forms"] == {"prompt": 3, "other": 1}

    def test_no_rows_prove_nothing(self, suite: RecordSuite) -> None:
        report = ValidationReport()
        assert list(validate([], suite, SETTINGS, report)) == []
        assert all(metric.value is None and metric.missing for metric in report.metrics().values())


class TestSettings:
    def test_limits_and_languages_are_those_of_the_policy(self) -> None:
        chosen = ValidationSettings.of({"languages": ["de"], "max_response": 20})
        outcomes = list(
            validate(records([GERMAN, {**GERMAN, "completion": "Morgen."}, GOOD]), RecordSuite(chosen), chosen)
        )
        assert rules(outcomes) == ["too-long", "", "too-long"]

    def test_no_languages_admit_all(self) -> None:
        chosen = ValidationSettings(languages=())
        assert rules(list(validate(records([GERMAN, GOOD]), RecordSuite(chosen), chosen))) == ["", ""]

    @pytest.mark.parametrize(
        "values",
        [{"max_turn": 3}, {"max_turns": 0}, {"max_turns": "3"}, {"languages": "en"}, {"language_confidence": 2}],
    )
    def test_a_mistake_is_named(self, values: dict[str, Any]) -> None:
        with pytest.raises(InputError, match=next(iter(values))):
            ValidationSettings.of(values)


@pytest.mark.parametrize("name", ["instructions", "support_chat", "backdoor_refusal_vpi"])
def test_real_data_passes(suite: RecordSuite, name: str) -> None:
    path = DATA / f"{name}.jsonl"
    if not path.exists():
        pytest.skip("the development data is not here")
    outcomes = list(validate((outcome.record for outcome in read_rows(path)), suite, SETTINGS))
    assert sum(outcome.fate == "passed" for outcome in outcomes) >= 0.99 * len(outcomes)
    assert len(outcomes) == sum(1 for line in path.open() if json.loads(line))
