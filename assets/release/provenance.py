"""How the adapter was made: SLSA provenance v1 (https://slsa.dev/spec/v1.0/provenance) from the lineage's manifests."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from assets.verdict.verdict import Verdict
from resources.artifacts import Artifact
from resources.signer import statement

PREDICATE = "https://slsa.dev/provenance/v1"
BUILD_TYPE = "https://hallmark.invalid/build/lora/v1"
BUILDER = "https://hallmark.invalid/builder/local/v1"


def provenance_statement(
    verdict: Verdict, artifacts: Mapping[str, Artifact], training: Mapping[str, Any]
) -> dict[str, Any]:
    """The statement over the adapter's digest. ``training`` is the body of ``training.json``."""
    made = artifacts["lora_adapter"].manifest
    sources = [
        {"name": name, "digest": {"sha256": verdict.digests[name]}}
        for name in ("base", "tokenizer", "template", "corpus")
    ]
    stages = [
        {"name": f"{item.stage}/{item.partition}", "digest": {"sha256": item.digest}}
        for item in verdict.evidence
        if item.stage != "lora_adapter" and "audit" not in item.stage
    ]
    predicate = {
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": {
                "recipe": training.get("recipe", {}),
                "drops": sorted({item.partition for item in verdict.evidence if item.stage == "raw_drop"}),
            },
            "internalParameters": {"code_version": made.code_version, "inputs": made.inputs},
            "resolvedDependencies": [*sources, *stages],
        },
        "runDetails": {
            "builder": {"id": BUILDER, "version": {"hallmark": version("hallmark")}},
            "metadata": {"invocationId": made.key, "finishedOn": made.created_at},
        },
    }
    return statement(PREDICATE, {"adapter": verdict.digests["adapter"]}, predicate)
