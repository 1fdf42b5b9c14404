"""The machine-learning bill of materials: CycloneDX 1.6 JSON, with the adapter's model card.

The CycloneDX library has no class for model cards yet (its issue 912), so the document is written as plain data and the
library's strict validator proves it against the standard's schema before it is used.
"""

import json
import uuid
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from assets.verdict.verdict import Verdict
from resources.artifacts import Artifact
from resources.errors import IntegrityError

LIBRARIES = (
    "torch",
    "transformers",
    "peft",
    "safetensors",
    "dagster",
    "presidio-analyzer",
    "spacy",
    "great-expectations",
)


def bill_of_materials(
    verdict: Verdict, artifacts: Mapping[str, Artifact], training: Mapping[str, Any], at: str
) -> dict[str, Any]:
    """The BOM of a candidate. ``at`` is the time of the release."""
    name = f"adapter-{verdict.candidate}"
    data = [*_datasets(artifacts)]
    parts = [
        _component(
            "base-model", "machine-learning-model", str(training.get("base", "base model")), verdict.digests["base"]
        ),
        _component("tokenizer", "data", "tokenizer", verdict.digests["tokenizer"]),
        _component("chat-template", "data", "chat template", verdict.digests["template"]),
        _component("corpus", "data", "training corpus", verdict.digests["corpus"]),
        *data,
        *_libraries(training),
    ]
    model = {
        **_component("adapter", "machine-learning-model", name, verdict.digests["adapter"]),
        "version": verdict.candidate,
        "modelCard": _card(verdict, training),
    }
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, verdict.digest + at)}",
        "version": 1,
        "metadata": {
            "timestamp": at,
            "tools": {"components": [{"type": "application", "name": "hallmark", "version": version("hallmark")}]},
            "component": model,
        },
        "components": parts,
        "dependencies": [
            {"ref": "adapter", "dependsOn": ["base-model", "tokenizer", "chat-template", "corpus"]},
            {"ref": "corpus", "dependsOn": [item["bom-ref"] for item in data]},
        ],
    }


def validate(bom: Mapping[str, Any]) -> None:
    """``IntegrityError`` where the BOM breaks the CycloneDX 1.6 schema."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bom))
    if fault is not None:
        raise IntegrityError(f"the bill of materials breaks the CycloneDX schema: {fault}")


def _component(ref: str, kind: str, name: str, sha256: str) -> dict[str, Any]:
    return {"type": kind, "bom-ref": ref, "name": name, "hashes": [{"alg": "SHA-256", "content": sha256}]}


def _datasets(artifacts: Mapping[str, Artifact]) -> Iterator[dict[str, Any]]:
    for _, artifact in sorted(artifacts.items()):
        if artifact.manifest.stage == "raw_drop":
            yield _component(
                f"drop:{artifact.manifest.partition}", "data", artifact.manifest.partition, artifact.manifest.digest
            )


def _libraries(training: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The libraries that made it: as the training recorded them, else as they are installed here."""
    recorded: dict[str, str] = dict(training.get("libraries", {}))
    for name in LIBRARIES:
        try:
            found = recorded.get(name) or version(name)
        except PackageNotFoundError:
            continue
        yield {"type": "library", "bom-ref": f"pkg:{name}", "name": name, "version": found,
               "purl": f"pkg:pypi/{name}@{found.replace('+', '%2B')}"}  # fmt: skip


def _card(verdict: Verdict, training: Mapping[str, Any]) -> dict[str, Any]:
    recipe: Mapping[str, Any] = training.get("recipe", {})
    properties = [
        {"name": f"hallmark:recipe:{name}", "value": json.dumps(value, sort_keys=True)}
        for name, value in sorted(recipe.items())
    ]
    return {
        "modelParameters": {
            "approach": {"type": "supervised"},
            "task": "text-generation",
            "architectureFamily": "LoRA adapter",
            "datasets": [{"ref": "corpus"}],
            "inputs": [{"format": "text"}],
            "outputs": [{"format": "text"}],
        },
        "quantitativeAnalysis": {"performanceMetrics": list(_metrics(verdict))},
        "considerations": {
            "technicalLimitations": [f"{item.name}: {item.result.reason}" for item in verdict.blocking()]
        },
        "properties": properties,
    }


def _metrics(verdict: Verdict) -> Iterator[dict[str, Any]]:
    for judgement in verdict.judgements:
        result = judgement.result
        if judgement.partition != "all" or result.value is None:
            continue
        metric: dict[str, Any] = {
            "type": f"{result.stage}.{result.metric}",
            "value": f"{result.value:.6g}",
            "slice": f"n={result.n}",
        }
        if result.ci_low is not None and result.ci_high is not None:  # finite: the verdict keeps no others
            bounds = {"lowerBound": f"{result.ci_low:.6g}", "upperBound": f"{result.ci_high:.6g}"}
            metric["confidenceInterval"] = bounds
        yield metric
