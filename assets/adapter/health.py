"""What a finished training says of itself: the numbers its gates judge, and the loss curve as a picture."""

import io
from collections.abc import Mapping
from typing import Any

from resources.artifacts import Metric


def metrics(training: Mapping[str, Any]) -> dict[str, Metric]:
    """From the body of ``training.json``.

    ``loss_ratio`` is the mean loss of the last tenth of the steps over that of the first: below 1 it learnt.
    ``held_out_loss`` is the best measured on held-out rows, in nats a token.
    """
    losses = training["losses"]
    tenth = max(1, len(losses) // 10)
    first, last = sum(losses[:tenth]) / tenth, sum(losses[-tenth:]) / tenth
    held_out = [evaluation["loss"] for evaluation in training["evaluations"] if "loss" in evaluation]
    rows = training["rows"]["held_out"]
    return {
        "loss_ratio": Metric(last / first if first else None, len(losses)),
        "final_loss": Metric(last, len(losses)),
        "held_out_loss": Metric(min(held_out), rows) if held_out else Metric(None, 0, missing="no row was held out"),
    }


def loss_curve(training: Mapping[str, Any]) -> bytes:
    """PNG of the loss a step, and of the held-out loss where it was measured."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(range(1, len(training["losses"]) + 1), training["losses"], label="training", linewidth=1)
    held_out = [(item["step"], item["loss"]) for item in training["evaluations"] if "loss" in item]
    if held_out:
        axes.plot(*zip(*held_out, strict=True), "o-", label="held out")
    axes.set(xlabel="step", ylabel="loss (nats a token)")
    axes.legend()
    # No creation date in the file: the same training gives the same bytes.
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=100, metadata={"Software": None})
    return picture.getvalue()
