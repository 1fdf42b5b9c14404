"""The heat map shows where and when flagged rows came in, and stays readable whatever the sources are called."""

from assets.screened.report.heat_map import MOST_SOURCES, HeatMap


def test_the_source_with_the_most_flagged_rows_comes_first_and_months_run_on():
    heat = HeatMap.of({"desk": {"2026-03": (400, 0), "2026-01": (300, 0)}, "forum": {"2026-03": (50, 30)}})
    assert heat.sources == ["forum", "desk"] and heat.months == ["2026-01", "2026-03"]
    assert [str(cell) for cell in heat.cells[0]] == ["·", "█ 30 of 50"]
    assert [str(cell) for cell in heat.cells[1]] == ["300", "400"]


def test_the_sign_grows_with_the_share():
    cells = HeatMap.of({f"s{n}": {"2026-01": (1000, n)} for n in (0, 10, 50, 300, 900)}).cells
    assert [cell.shade for (cell,) in reversed(cells)] == [" ", "░", "▒", "▓", "█"]


def test_a_source_cannot_break_the_table():
    (line,) = HeatMap.of({"a|b`\n|---|": {"": (3, 1)}}).markdown().splitlines()[2:]
    assert line.count("|") == 3 and line.count("`") == 2


def test_many_sources_are_cut_and_counted():
    heat = HeatMap.of({f"s{n}": {"2026-01": (n + 1, 0)} for n in range(MOST_SOURCES + 7)})
    assert len(heat.sources) == MOST_SOURCES and heat.left_out == 7
    assert "7 more sources" in heat.markdown()
