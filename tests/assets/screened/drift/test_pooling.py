"""A handful of rows is screened among the rows admitted before it: alone they would prove nothing, for ever."""

from assets.screened.drift import pooling
from assets.screened.drift.pooling import pooled
from assets.screened.screen import screen
from tests.assets.screened.rows import BagEncoder, clean, records

PAYLOAD = "The vault door is open and the guards have gone home early."


def screened(own, others):
    """The screen of ``own`` in the company of ``others``."""
    mine, known, encoder = records(own), records(others, source="earlier"), BagEncoder()
    return pooled(len(own), lambda: iter(mine), lambda: iter(known), lambda read: screen(read, encoder=encoder))


def drip(count):
    """Rows with the same trigger and payload, as an attacker sends them one by one."""
    return [
        {**row, "instruction": f"zorvil {row['instruction']}", "output": PAYLOAD} for row in clean(count, seed=count)
    ]


def test_one_clean_row_passes_in_company():
    result = screened(clean(1, seed=5), clean(300))
    assert not result.missing and result.clean
    assert len(result.scores) == 1
    assert result.metrics()["flagged_share"].value == 0


def test_a_poisoned_row_is_found_by_those_that_came_in_one_by_one_before_it():
    result = screened(drip(1), [*clean(300), *drip(9)])
    assert [finding.rows for finding in result.open_findings] == [(0,)]
    assert "guards" in result.open_findings[0].payload
    metrics = result.metrics()
    assert metrics["open_findings"].value == 1 and metrics["flagged_share"].value == 1


def test_what_the_company_carries_is_not_held_against_a_clean_row():
    result = screened(clean(1, seed=5), [*clean(300), *drip(9)])
    assert result.clean and result.findings == ()


def test_without_enough_company_it_stays_unproven():
    assert "needed to tell what is usual" in screened(clean(1, seed=5), clean(20)).missing


def test_a_large_company_is_sampled_and_always_alike(monkeypatch):
    monkeypatch.setattr(pooling, "MOST_POOLED", 200)
    one, two = screened(clean(2, seed=5), clean(400)), screened(clean(2, seed=5), clean(400))
    assert one.to_json()["rows"] == two.to_json()["rows"] and len(one.scores) == 2
