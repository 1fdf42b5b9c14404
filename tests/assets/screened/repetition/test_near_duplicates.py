"""Floods of near copies."""

from unittest.mock import patch

from assets.screened.repetition import near_duplicates
from tests.assets.screened.rows import ROWS, clean, screened


def test_near_copies_are_a_flood(encoder):
    rows = clean(ROWS)
    rows += [{**rows[0], "output": f"{rows[0]['output']} Copy {n}."} for n in range(40)]
    result = screened(rows, encoder)
    kinds = {finding.kind: finding for finding in result.findings}
    assert set(range(ROWS, ROWS + 40)) <= set(kinds["flood"].rows)
    with patch.object(near_duplicates, "PART", 50), patch.object(near_duplicates, "ROWS", 7):
        assert screened(rows, encoder).findings == result.findings
