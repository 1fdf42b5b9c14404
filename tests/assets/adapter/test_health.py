"""What training says of itself is judged on rows it did not see, against the base on the same rows."""

from typing import Any

import pytest

from assets.adapter.health import loss_curve, metrics
from expectations.policy import Policy


def training(base: float | None, *held_out: float) -> dict[str, Any]:
    evaluations = [{"step": 5 * place, "loss": loss} for place, loss in enumerate(held_out, 1)]
    return {
        "losses": [4.0, 3.0, 2.0, 1.0],
        "evaluations": evaluations,
        "base_held_out_loss": base,
        "rows": {"held_out": 40 if held_out else 0},
    }


def verdicts(body: dict[str, Any]) -> dict[str, str]:
    return {result.gate: result.verdict for result in Policy.load().judge("lora_adapter", metrics(body))}


def test_an_adapter_that_predicts_held_out_rows_better_than_the_base_passes() -> None:
    assert verdicts(training(4.0, 3.5, 3.2)) == {"training_learnt": "pass", "held_out_loss": "pass"}
    assert metrics(training(4.0, 3.5, 3.2, 3.6))["loss_ratio"].value == pytest.approx(0.8)


def test_falling_training_loss_alone_proves_nothing() -> None:
    assert verdicts(training(3.4, 3.39))["training_learnt"] == "fail"


def test_nothing_held_out_is_not_a_pass() -> None:
    assert verdicts(training(None)) == {"training_learnt": "inconclusive", "held_out_loss": "inconclusive"}


def test_the_curve_is_a_picture() -> None:
    assert loss_curve(training(4.0, 3.5)).startswith(b"\x89PNG")
    assert loss_curve(training(None)).startswith(b"\x89PNG")
