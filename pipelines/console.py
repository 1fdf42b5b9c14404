"""The log of a run in a terminal: what a person wants to follow, on stderr; the rest is in the Dagster instance."""

import logging

import dagster as dg
from rich.console import Console

from pipelines.report import console

DAGSTERS_OWN = "Emitting implicit Nothing"  # what it says of a step that has nothing to map over


class _Terminal(logging.Handler):
    def __init__(self, target: Console) -> None:
        super().__init__()
        self.target = target

    def emit(self, record: logging.LogRecord) -> None:
        meta = getattr(record, "dagster_meta", None) or {}
        event = meta.get("dagster_event")
        if event is None:
            said = meta.get("orig_message", "")
            if not said.startswith(DAGSTERS_OWN):
                self._line(meta.get("step_key") or "", said)
        elif event.event_type_value == "ASSET_CHECK_EVALUATION":
            check = event.event_specific_data
            if not check.passed:
                self._line(check.asset_key.to_user_string(), f"gate {check.check_name}: {check.description}", "yellow")
        elif event.event_type_value == "STEP_FAILURE":
            error = event.event_specific_data.error
            while error is not None and error.cause is not None:
                error = error.cause
            if error is not None and error.cls_name != "DagsterAssetCheckFailedError":  # its gates were shown
                self._line(event.step_key, error.message.strip().split(": ", 1)[-1], "red")

    def _line(self, step: str, text: str, style: str | None = None) -> None:
        self.target.print(
            f"  {step.partition('.')[0]:<20} {text}", style=style, highlight=False, markup=False, soft_wrap=True
        )


@dg.logger(config_schema={})
def terminal_logger(context: dg.InitLoggerContext) -> logging.Logger:
    """Selected by the run config of ``hallmark run``; the daemon's runs keep Dagster's own logger."""
    logger = logging.Logger("hallmark", level=logging.DEBUG)
    logger.addHandler(_Terminal(console))
    return logger
