"""Several recipes: which are run, what the page says, and that the trials know how many there are."""

from pathlib import Path

import pytest

from assets.golden.inference.sequential import ALPHA
from assets.golden.inference.statistics import paired_proportions
from pipelines.side_by_side import COLUMNS, Tried, distinct, recipes_of, render
from resources.artifacts import Metric
from resources.errors import InputError
from resources.workspace import Workspace


def test_recipes_are_files_and_the_files_of_folders_each_once(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yaml", "c.yml", "notes.txt"):
        (tmp_path / name).write_text("epochs: 1\n")
    assert [path.name for path in recipes_of([tmp_path])] == ["a.yaml", "b.yaml", "c.yml"]
    assert [path.name for path in recipes_of([tmp_path / "b.yaml", tmp_path])] == ["b.yaml", "a.yaml", "c.yml"]
    for wrong in (tmp_path / "none.yaml", tmp_path / "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        with pytest.raises(InputError, match="no such recipe"):
            recipes_of([wrong])


@pytest.mark.parametrize(
    ("second", "said"),
    [("epochs: 2\nrank: 8\n", "says the same as a.yaml"), ("epochs: none\n", "epochs"), ("epoch: 3\n", "epoch")],
)
def test_every_recipe_is_read_before_the_first_is_run(tmp_path: Path, second: str, said: str) -> None:
    (tmp_path / "a.yaml").write_text("epochs: 2\n")
    (tmp_path / "b.yaml").write_text(second)
    with pytest.raises(InputError, match=said):
        distinct(recipes_of([tmp_path]))


def test_a_recipe_that_stopped_names_the_gates_of_its_adapter(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    with workspace.artifacts.draft("lora_adapter", "all", "1", {"recipe": "r"}) as draft:
        loss = {"loss_ratio": Metric(1.0, 30), "held_out_loss": Metric(9.0, 30), "final_loss": Metric(9.1, 30)}
        adapter = draft.seal(metrics=loss)
    row = Tried(Path("gentle.yaml"), None, 2, adapter).cells(workspace)
    assert row[2:6] == ["stopped, exit 2", "training_learnt, held_out_loss", "none", "9"]
    assert row[6].isdigit()
    assert Tried(Path("gentle.yaml"), None, 2).cells(workspace)[3:] == ["-"] * (len(COLUMNS) - 3)


def test_the_page_says_what_several_candidates_cost_and_escapes_names() -> None:
    page = render([["<a>.yaml", "4069", "pass", *["none"] * (len(COLUMNS) - 3)], ["b.yaml", "-", "fail", *["-"] * 5]])
    assert "&lt;a&gt;.yaml" in page
    assert "2 candidates were tried" in page
    assert "<script" not in page


def test_the_more_candidates_the_wider_the_interval() -> None:
    before, after = [True] * 40, [True] * 36 + [False] * 4
    one, three = (paired_proportions(before, after, alpha=ALPHA / tried) for tried in (1, 3))
    assert three.ci_low < one.ci_low < one.ci_high < three.ci_high
