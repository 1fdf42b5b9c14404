"""The Great Expectations suite that a row must hold to, over the facts of ``assets.validated.facts``.

Each expectation carries in its ``meta`` the rule it stands for; the fate of a row that breaks it is in
``assets.validated.rules``. A column without a fact (null) is skipped by an expectation about its value: the expectation
that the fact is there is one of its own.
"""

import dataclasses
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from assets.forms.table import FORM_NAMES
from assets.validated.facts import Facts
from assets.validated.rules import FORM_RULES
from assets.validated.settings import ValidationSettings

if TYPE_CHECKING:
    import pandas as pd


def expectations(settings: ValidationSettings) -> Iterator[Any]:
    """The suite as a list, one expectation a fact."""
    import great_expectations.expectations as library

    gxe: Any = library

    def column(name: str, rule: str) -> dict[str, Any]:
        return {"column": name, "meta": {"rule": rule}}

    yield gxe.ExpectColumnValuesToBeInSet(**column("form", "unknown-form"), value_set=list(FORM_NAMES))
    for broken in FORM_RULES:
        yield gxe.ExpectColumnValuesToNotBeInSet(**column("fault", broken.name), value_set=[broken.name])
    for rule in ("call-unknown-tool", "call-schema"):
        yield gxe.ExpectColumnValuesToNotBeInSet(**column("misfits", rule), value_set=[rule])
    for side, limit in (("prompt", settings.max_prompt), ("response", settings.max_response)):
        name = f"{side}_characters"
        yield gxe.ExpectColumnValuesToNotBeNull(**column(name, f"missing-{side}"))
        yield gxe.ExpectColumnValuesToBeBetween(**column(name, f"missing-{side}"), min_value=1)
        yield gxe.ExpectColumnValuesToBeBetween(**column(name, "too-long"), max_value=limit)
    yield gxe.ExpectColumnValuesToBeBetween(**column("turns", "too-long"), max_value=settings.max_turns)
    yield gxe.ExpectColumnValuesToBeBetween(**column("damaged_characters", "damaged-text"), max_value=0)
    yield gxe.ExpectColumnValuesToBeBetween(**column("control_characters", "control-characters"), max_value=0)
    yield gxe.ExpectColumnValuesToBeBetween(**column("hidden_characters", "hidden-characters"), max_value=0)
    yield gxe.ExpectColumnValuesToBeNull(**column("copy_of", "duplicate"))
    # Where the policy admits every language none is named, and the expectation meets only nulls.
    yield gxe.ExpectColumnValuesToBeInSet(**column("language", "language"), value_set=list(settings.languages))


class RecordSuite:
    """The suite, ready to be run on one frame of facts after another.

    >>> from assets.validated.validate import validate
    >>> list(validate([], RecordSuite(ValidationSettings()), ValidationSettings()))
    []
    """

    def __init__(self, settings: ValidationSettings) -> None:
        os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")  # read when the library is imported
        import great_expectations as gx
        from great_expectations.data_context.types.base import ProgressBarsConfig

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = ProgressBarsConfig(globally=False)
        source = context.data_sources.add_pandas("rows").add_dataframe_asset("facts")
        batch = source.add_batch_definition_whole_dataframe("batch")
        suite = context.suites.add(gx.ExpectationSuite("records", expectations=list(expectations(settings))))
        validation = gx.ValidationDefinition(name="records", data=batch, suite=suite)
        self._validation = context.validation_definitions.add(validation)
        self.rules = frozenset(entry.meta["rule"] for entry in suite.expectations if entry.meta)

    def __call__(self, frame: "pd.DataFrame") -> dict[str, set[int]]:
        """``{rule: positions of the rows that break it}``, every rule of the suite.

        An expectation that could not be evaluated raises: what was not checked has not passed (law 3).
        """
        expected = {entry.name for entry in dataclasses.fields(Facts)}
        if set(frame.columns) != expected:
            raise ValueError(f"a frame of facts has the columns {sorted(expected)}")
        result = self._validation.run(
            batch_parameters={"dataframe": frame.reset_index(drop=True)}, result_format={"result_format": "COMPLETE"}
        )
        broken: dict[str, set[int]] = {rule: set() for rule in self.rules}
        for entry in result.results:
            config = entry.expectation_config
            if entry.exception_info.get("raised_exception", True) or config is None or config.meta is None:
                raise RuntimeError(f"an expectation could not be evaluated: {config}")
            broken[config.meta["rule"]].update(entry.result["unexpected_index_list"])
        return broken
