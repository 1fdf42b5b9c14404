"""A recipe is checked before it costs an hour."""

import itertools
from pathlib import Path

import pytest

from assets.adapter.recipe import Recipe
from resources.errors import InputError


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rank: 0", "rank must be at least 1"),
        ("learning_rate: fast", "learning_rate must be a number"),
        ("epochs: true", "epochs must be a whole number"),
        ("schedule: stairs", "schedule must be one of"),
        ("dropout: 1.5", "dropout must be in"),
        ("rsloar: true", "unknown field rsloar"),
        ("targets: []", "targets must"),
        ("goldfish: 1", "goldfish must be 0 or at least 2"),
        ("{dp_noise: 1.0, anchor: 0.5}", "anchor cannot be combined"),
        ("learning_rate: .nan", "learning_rate must be finite"),
        ("correction_weight: -1", "correction_weight must be at least 0"),
        ("correction_weight: 100", "correction_weight must be at most 16"),
        ("- rank", "a recipe is a mapping"),
        ("rank: [", "recipe-readable"),
    ],
)
def test_a_wrong_recipe_names_what_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        Recipe.from_yaml(path)


def test_a_recipe_survives_its_own_json_and_file(tmp_path: Path) -> None:
    recipe = Recipe(rank=4, targets=("q_proj", "v_proj"), anchor=0.1)
    assert Recipe.from_json(recipe.to_json()) == recipe
    assert Recipe.from_json(recipe.to_json()).digest == recipe.digest
    (tmp_path / "empty.yaml").write_text("")
    assert Recipe.from_yaml(tmp_path / "empty.yaml") == Recipe()


def test_a_number_in_powers_of_ten_is_a_number(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text("{learning_rate: 2e-4, dp_delta: 1e-05}")
    recipe = Recipe.from_yaml(tmp_path / "recipe.yaml")
    assert (recipe.learning_rate, recipe.dp_delta) == (2e-4, 1e-5)


@pytest.mark.parametrize("schedule", ["cosine", "linear", "constant"])
def test_the_learning_rate_rises_and_then_keeps_to_its_schedule(schedule: str) -> None:
    recipe = Recipe(learning_rate=0.1, warmup=0.2, schedule=schedule)  # type: ignore[arg-type]
    rates = [recipe.rate(step, 50) for step in range(50)]
    assert all(left < right for left, right in itertools.pairwise(rates[:11]))
    assert max(rates) == pytest.approx(0.1)
    if schedule == "constant":
        assert rates[-1] == 0.1
    else:
        assert all(left > right for left, right in itertools.pairwise(rates[10:]))
        assert 0 < rates[-1] < 0.01
    middle = {"cosine": 0.05, "linear": 0.05, "constant": 0.1}[schedule]
    assert rates[30] == pytest.approx(middle)
