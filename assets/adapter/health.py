"""What a finished training says of itself: the numbers its gates judge, and the loss curve as a picture."""

import io
from collections.abc import Mapping
from typing import Any

from resources.artifacts import Metric


def metrics(training: Mapping[str, Any]) -> dict[str, Metric]:
    """From the body of ``training.json``.

    ``held_out_loss`` is the best measured on held-out rows, in nats a token; ``loss_ratio`` is that over the base's on
    the same rows: below 1 it learnt something that holds beyond the rows it saw. ``final_loss`` is the mean of the last
    tenth of the steps.
    """
    losses = training["losses"]
    tenth = max(1, len(losses) // 10)
    found = {"final_loss": Metric(sum(losses[-tenth:]) / tenth, len(losses))}
    held_out = [evaluation["loss"] for evaluation in training["evaluations"] if "loss" in evaluation]
    base, rows = training["base_held_out_loss"], training["rows"]["held_out"]
    if not held_out or not base:
        return found | dict.fromkeys(("loss_ratio", "held_out_loss"), Metric(None, 0, missing="no row was held out"))
    best = min(held_out)
    return found | {"loss_ratio": Metric(best / base, rows), "held_out_loss": Metric(best, rows)}


def loss_curve(training: Mapping[str, Any]) -> bytes:
    """PNG of the loss a step, and of the held-out loss where it was measured."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(range(1, len(training["losses"]) + 1), training["losses"], label="training", linewidth=1)
    held_out = [(item["step"], item["loss"]) for item in training["evaluations"] if "loss" in item]
    if held_out:
        held_out.insert(0, (0, training["base_held_out_loss"]))
        axes.plot(*zip(*held_out, strict=True), "o-", label="held out")
    axes.set(xlabel="step", ylabel="loss (nats a token)")
    axes.legend()
    # No creation date in the file: the same training gives the same bytes.
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=100, metadata={"Software": None})
    return picture.getvalue()
