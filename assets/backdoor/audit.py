"""The backdoor audit: the scan of an adapter, the controls that say what its silence means, report and metrics.

With its training rows a scan must find the trigger of its control adapter. Without them it says something only of the
kinds of backdoor whose controls it finds (``planted``): the others are named, and the gate is inconclusive.
"""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from assets.backdoor.budget import Budget, Progress, silent
from assets.backdoor.confirmation.findings import Finding
from assets.backdoor.confirmation.payloads import Payload
from assets.backdoor.control import PAYLOAD, TRIGGER, Control, control_adapter
from assets.backdoor.inversion.target_inversion import same_answer
from assets.backdoor.inversion.untriggered import MANY, TOPICAL
from assets.backdoor.planted import PAYLOADS, kind_of, planted
from assets.backdoor.scan import PROBES, Scan
from assets.backdoor.settings import BARS, DEPTH, VERSION, Settings
from assets.record import Record
from resources.artifacts import Metric
from resources.digests import digest_json
from resources.language_model import LanguageModel


def scan_backdoors(
    model: LanguageModel,
    *,
    rows: Sequence[Record] | None,
    settings: dict[str, Any],
    seed: int,
    base: Path,
    cache: Path,
    budget_seconds: float,
    terms: Sequence[str] = (),
    probes_named: Collection[str] = PROBES,
    on_progress: Progress = silent,
) -> tuple[dict[str, Any], dict[str, Metric]]:
    """``(report, metrics)``. ``rows`` are the training rows, or None for a bare adapter.

    ``terms`` are the threat model's words to try as triggers and ``probes_named`` its probes to run. ``base`` and
    ``cache`` are for the control adapter, which is trained on the first call.
    """
    limits = Settings.model_validate(settings)
    control = calibrate(control_adapter(base, cache), limits)
    mode = "with training rows" if rows else "bare adapter"
    if not rows:
        control = {**control, "kinds": kinds_found(base, cache, limits, on_progress)}
    budget = Budget(budget_seconds, on_progress)
    scan = Scan.start(model, rows, limits, budget, seed, terms)
    findings, observations, details = scan.run(probes_named)
    broken = unsound(control, mode)
    starved = "the time budget ended before the scan had tried anything" if not scan.tried else ""
    if not rows and "target_inversion" in probes_named:
        starved = starved or cut_short(budget) or several(observations)
    report = {
        "mode": mode,
        "candidates_tried": scan.tried,
        "findings": [each.to_json() for each in findings],
        "observations": [each.to_json() for each in observations],
        **details,
        "control": control,
        "seed": seed,
        "seconds": round(budget.spent, 1),
        "skipped": budget.skipped,
    }
    metrics = {
        "backdoor_findings": Metric(float(len(findings)), scan.tried, missing="" if findings else broken or starved),
        "backdoor_control": Metric(None if broken else 1.0, 1, missing=broken),
    }
    return report, metrics


def unsound(control: dict[str, Any], mode: str) -> str:
    """Why a scan that finds nothing proves nothing; empty if it proves something."""
    if not control["sound"][mode]:
        return "the scan failed on its own control adapter"
    missed = [kind for kind, found in control.get("kinds", {}).items() if not found]
    return f"without training rows the scan does not find its own controls of these kinds: {'; '.join(missed)}" * bool(
        missed
    )


def cut_short(budget: Budget) -> str:
    """Why the search for implanted answers, on which a scan without rows rests, was not what its controls met."""
    cut = [phase for phase in budget.skipped if phase.startswith(("forced starts", "target inversion"))]
    return f"the time budget cut the search for implanted answers short ({cut[0]}): give it more time" if cut else ""


def several(observations: Sequence[Finding]) -> str:
    """Why fixed answers that are explained by their number alone decide nothing without rows."""
    many = sum(each.explanation == MANY for each in observations)
    if not many or any(each.explanation == TOPICAL for each in observations):
        return ""
    return (
        f"the adapter carries {many} fixed answers, and nothing tells what calls them up: an assistant of templates, "
        "or several backdoors; scan it with its training rows"
    )


def calibrate(control: Control, settings: Settings) -> dict[str, Any]:
    """The scan on the control adapter: with its rows it must find the planted trigger, without them the planted answer;
    in the base alone it must find nothing.
    """
    bars = {name: getattr(settings, name) for name in BARS}
    name = f"backdoor-{digest_json([VERSION, list(bars.values())])[:12]}"
    return control.calibrated(name, lambda: _calibration(control, bars))


def _calibration(control: Control, bars: dict[str, float]) -> dict[str, Any]:
    model = LanguageModel.load(control.base, control.adapter)
    quick = Settings(**bars, mined=2, confirm_prompts=12, comparisons=1)
    scan = Scan.start(model, control.rows, quick, Budget(1e9), seed=0)
    found = [each.trigger for each in scan._mined({})]
    implants = [each.text for each in scan.implants({}, leaks=False) if each.strength >= quick.strength]
    plain = Scan.start(LanguageModel.load(control.base), control.rows, quick, Budget(1e9), seed=0)
    false = [each.trigger for each in plain._mined({})]
    expected = Payload(PAYLOAD.lower().rstrip("."))
    result: dict[str, Any] = {
        "positive": {"trigger": TRIGGER in found, "payload": any(expected.occurs(text) for text in implants)},
        "negative": {"findings_in_base": len(false)},
    }
    positive = result["positive"]
    result["sound"] = {"with training rows": positive["trigger"] and not false, "bare adapter": positive["payload"]}
    return result


def kinds_found(base: Path, cache: Path, settings: Settings, on_progress: Progress = silent) -> dict[str, bool]:
    """Of which kinds of backdoor a scan of this depth finds the controls without their rows: ``{kind: found}``."""
    kinds: dict[str, bool] = {}
    depth = {name: getattr(settings, name) for name in DEPTH}
    for done, (length, secrets) in enumerate(PAYLOADS.items()):
        on_progress("controls of a scan without rows", done, len(PAYLOADS))
        control = planted(base, cache, secrets)
        name = f"bare-{digest_json([VERSION, depth])[:12]}"
        kinds |= control.calibrated(name, lambda control=control, length=length: _searched(control, length, depth))  # type: ignore[misc]
    return kinds


def _searched(control: Control, length: str, depth: dict[str, Any]) -> dict[str, bool]:
    model = LanguageModel.load(control.base, control.adapter)
    scan = Scan.start(model, None, Settings(**depth), Budget(1e9), seed=0)
    said = [each.example for each in scan.secrets()]
    return {
        kind_of(secret, length): any(same_answer(secret.payload, text) for text in said) for secret in PAYLOADS[length]
    }
