"""The conservation law as the writer keeps it: every outcome is in exactly one file, with its reason if it left."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.outcome import FILES, Outcome, Removal, read_lines, read_records, write_outcomes
from assets.record import Origin, Record
from resources.line_cipher import LineCipher

REMOVAL = Removal("stage", "rule", "because")
FATES = st.lists(st.sampled_from(sorted(FILES)))


def outcome(number: int, fate: str, text: str = "t") -> Outcome:
    record = Record(f"r{number}", {"prompt": text}, Origin("a.jsonl", "v", number, "00"))
    return Outcome(record, fate, None if fate == "passed" else REMOVAL)  # type: ignore[arg-type]


@given(fates=FATES)
@settings(max_examples=30)
def test_every_row_is_in_exactly_one_file(tmp_path_factory: pytest.TempPathFactory, fates: list[str]) -> None:
    folder = tmp_path_factory.mktemp("out")
    counts, rules = write_outcomes(folder, (outcome(n, fate) for n, fate in enumerate(fates)))
    written = {fate: [body["row_id"] for body in read_lines(folder / name)] for fate, name in FILES.items()}
    assert sorted(row for rows in written.values() for row in rows) == sorted(f"r{n}" for n in range(len(fates)))
    assert counts.conserved and counts.rows_in == len(fates)
    assert sum(rules.values()) == counts.quarantined + counts.rejected


def test_a_row_cannot_leave_without_a_reason() -> None:
    record = outcome(1, "passed").record
    with pytest.raises(ValueError, match="reason"):
        Outcome(record, "rejected")
    with pytest.raises(ValueError, match="reason"):
        Outcome(record, "passed", REMOVAL)


def test_raw_text_is_not_readable_at_rest(tmp_path: Path) -> None:
    cipher = LineCipher(bytes(32))
    write_outcomes(tmp_path, [outcome(1, "passed", "my number is 4111"), outcome(2, "rejected", "4111 too")], cipher)
    assert all(b"4111" not in (tmp_path / name).read_bytes() for name in FILES.values())
    assert [record.fields["prompt"] for record in read_records(tmp_path / "records.jsonl", cipher)] == [
        "my number is 4111"
    ]


def test_lone_surrogates_survive(tmp_path: Path) -> None:
    write_outcomes(tmp_path, [outcome(1, "passed", "half \ud83d of a pair")], LineCipher(bytes(32)))
    back = list(read_records(tmp_path / "records.jsonl", LineCipher(bytes(32))))
    assert back[0].fields["prompt"] == "half \ud83d of a pair"
