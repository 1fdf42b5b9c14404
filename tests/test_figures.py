"""Published figures come from a file that a command writes: nothing in a table is typed by hand."""

import json
import re
import tempfile
from pathlib import Path

import pytest
import yaml

from docs import tables
from tests.benchmarks import publish
from tests.benchmarks.figures import Figure, of_share, write

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
NAMED = {"speed": {"command": "python -m tests.benchmarks.speed", "stage": "quick", "reads": []}}
MARK = "before\n<!-- figures: speed -->\n{}<!-- end -->\nafter\n"
MEASURED_CELL = re.compile(r"[\s*+-]*(\d*\.\d+|[\d,]+ of [\d,]+|\d+ ?%)")
COUNTING = """
import json, sys
from pathlib import Path
count = Path("count"); count.write_text(count.read_text() + "x" if count.exists() else "x")
if Path("broken").exists():
    sys.exit(3)
Path(sys.argv[sys.argv.index("--json") + 1]).write_text(json.dumps([
    {"what": "rows", "value": 7.0, "n": 3, "unit": "rows/s"}]))
"""


def typed(text: str) -> list[str]:
    """The table rows outside of the made tables in which a cell begins with a share, a count of a count or a decimal."""
    lines = tables.MARKED.sub("", text).splitlines()
    return [row for row in lines if row.startswith("|") and any(map(MEASURED_CELL.match, row.strip("|").split("|")))]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_the_tables_of_a_page_are_those_that_were_measured(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert tables.filled(text, tables.published(), tables.measured()) == text, "run: python docs/tables.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_no_table_of_measured_figures_is_typed(page: Path) -> None:
    assert typed(page.read_text(encoding="utf-8")) == [], "make it a figure of docs/figures.yaml"


@pytest.mark.parametrize("cell", ["0.93", "**.93** [.90, .95]", "-.68", "4.7 ± 1.0", "43 of 50", "17 %", "99.5%"])
def test_a_typed_table_is_found_and_a_made_one_is_not(cell: str) -> None:
    table = f"| names | n |\n|---|---|\n| ours | {cell} |\n"
    assert len(typed(table)) == 1
    assert (
        typed(MARK.format(table))
        == typed("| gate | limit |\n|---|---|\n| `refusals_kept` | version 1.34, 3 rows |\n")
        == []
    )


def test_every_published_figure_names_a_benchmark_that_hands_its_figures_over() -> None:
    for name, entry in tables.published().items():
        script = entry["command"].removeprefix("python -m ").split()[0].replace(".", "/") + ".py"
        assert "figures.option(" in (ROOT / script).read_text(), name
        assert entry["stage"] in publish.STAGES, name
        assert all((ROOT / place).exists() for place in entry["reads"]), name
    assert set(tables.measured()) <= set(tables.published())


def test_every_measured_figure_says_where_and_of_what() -> None:
    for name, entry in tables.measured().items():
        assert entry["machine"] and entry["date"] and entry["versions"]["python"] and entry["digests"]["code"], name
        assert entry["figures"], name


def entry(*figures: Figure) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / "f.json", figures)
        listed = json.loads((Path(folder) / "f.json").read_text())
    return {"command": "python -m x", "date": "2026-11-28", "machine": "2 cores", "figures": listed}


def test_a_share_is_shown_with_its_interval_and_a_speed_with_its_unit() -> None:
    found = {"speed": entry(of_share("names", 9, 10, "ours"), of_share("names", 5, 10, "theirs"))}
    text = tables.filled(MARK.format(""), NAMED, found)
    assert "| names | 10 | 0.900 [0.596, 0.982] | 0.500 [0.237, 0.763] |" in text
    assert "`python -m x`, 2026-11-28, 2 cores." in text and text.endswith("after\n")
    assert tables.filled(text, NAMED, found) == text
    found = {
        "speed": entry(
            Figure("training", 617.4, "ours", unit="tokens/s"), Figure("training", 2.71, "", 3, 2.5, 3, "times")
        )
    }
    assert "| training | 617 tokens/s | 2.71 [2.5, 3] times of 3 |" in tables.filled(text, NAMED, found)


def test_what_was_not_measured_says_so_and_an_unknown_name_is_an_error() -> None:
    assert "Not measured yet: `python -m tests.benchmarks.speed`" in tables.filled(MARK.format("old\n"), NAMED, {})
    with pytest.raises(KeyError, match="speed"):
        tables.filled(MARK.format(""), {}, {})


def test_a_figure_that_was_typed_differs_from_the_file() -> None:
    found = {"speed": entry(of_share("names", 9, 10))}
    text = tables.filled(MARK.format(""), NAMED, found)
    typed = text.replace("0.900", "0.990")
    assert typed != text and tables.filled(typed, NAMED, found) == text


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_figure_is_a_finite_number_of_something(value: float, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="finite"):
        Figure("x", value)
    with pytest.raises(ValueError, match="nothing"):
        of_share("x", 0, 0)
    write(None, [])
    write(tmp_path / "f.json", [of_share("x", 1, 2)])
    assert json.loads((tmp_path / "f.json").read_text())[0]["n"] == 2


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one benchmark that counts how often it was run."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "tables.py").write_text("")
    (tmp_path / "speed.py").write_text(COUNTING)
    (tmp_path / "code.py").write_text("a = 1")
    figures = {
        "speed": {"stage": "quick", "command": "python -m speed", "reads": ["code.py"]},
        "lost": {"stage": "quick", "command": "python -m speed", "reads": [], "data": ["nowhere.jsonl"]},
        "slow": {"stage": "long", "command": "python -m speed", "reads": []},
    }
    (tmp_path / "docs" / "figures.yaml").write_text(yaml.safe_dump({"figures": figures}))
    for name, path in {"ROOT": "", "PUBLISHED": "docs/figures.yaml", "MEASURED": "docs/figures.json"}.items():
        monkeypatch.setattr(publish, name, tmp_path / path)
    return tmp_path


def test_a_figure_is_taken_once_of_the_same_code_and_again_of_another(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert publish.main(["quick"]) == 0
    measured = json.loads((place / "docs" / "figures.json").read_text())
    assert list(measured) == ["speed"] and measured["speed"]["figures"][0]["value"] == 7.0
    assert "nowhere.jsonl is not in" in capsys.readouterr().out
    assert publish.main(["quick"]) == 0 and (place / "count").read_text() == "x"
    (place / "code.py").write_text("a = 2")
    assert publish.main(["quick"]) == 0 and (place / "count").read_text() == "xx"
    assert publish.main(["speed", "--again"]) == 0 and (place / "count").read_text() == "xxx"
    assert publish.main([]) == 0 and (place / "count").read_text() == "xxx"


def test_a_benchmark_that_fails_leaves_the_figures_as_they_were(place: Path) -> None:
    assert publish.main(["quick"]) == 0
    before = (place / "docs" / "figures.json").read_text()
    (place / "broken").touch()
    assert publish.main(["quick", "--again"]) == 1
    assert (place / "docs" / "figures.json").read_text() == before


def test_an_unknown_stage_is_wrong_usage(place: Path) -> None:
    with pytest.raises(SystemExit):
        publish.main(["nonsense"])
