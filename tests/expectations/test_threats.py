"""The threat model and the policy leave no hole between them."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from assets.verdict.assemble import STAGES
from expectations.policy import Gate, Policy
from expectations.threats import DEFAULT_THREATS, PROBES, STAGE_OF, load_threats
from resources.errors import InputError

POLICY = Policy(
    name="test",
    gates=(
        Gate(name="no_backdoor", stage="backdoor_scan", metric="findings", max=0),
        Gate(name="raw_conserved", stage="raw_drop", metric="unaccounted_rows", max=0),
        Gate(name="release_verifies", stage="approved_release", metric="differences", max=0, threats=("theft",)),
    ),
)


def threat(name: str, **more: Any) -> dict[str, Any]:
    words = dict.fromkeys(("title", "vector", "actor", "motivation", "impact", "limits", "residual"), "x")
    return {"name": name, **words, "severity": "high", "probes": [], "gates": [], **more}


def body(**more: Any) -> dict[str, Any]:
    return {
        "name": "test",
        "probes": [{"name": "mined_triggers", "what": "tries"}, {"name": "approval_binding", "what": "binds"}],
        "threats": [
            threat(
                "backdoor",
                probes=["mined_triggers"],
                gates=["backdoor_scan/*"],
                owasp=["LLM04:2025"],
                atlas=["AML.T0018.000"],
            ),
            threat("loss", gates=["*_conserved"], nist=["MEASURE 2.10"]),
            threat("theft", probes=["approval_binding"]),
        ],
        **more,
    }


def load(tmp_path: Path, content: Any) -> Any:
    path = tmp_path / "threats.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return load_threats(POLICY, path)


def test_gates_are_found_by_name_by_pattern_by_stage_and_from_the_policy(tmp_path: Path) -> None:
    model = load(tmp_path, body())
    assert {item.name: item.gates for item in model.threats} == {
        "backdoor": ("no_backdoor",),
        "loss": ("raw_conserved",),
        "theft": ("release_verifies",),
    }
    assert [probe.stage for probe in model.probes] == ["backdoor_scan", "approved_release"]


def test_probes_run_because_a_threat_names_them(tmp_path: Path) -> None:
    named = load(tmp_path, body())
    assert [probe.name for probe in named.probes_of("backdoor_scan")] == ["mined_triggers"]
    content = body()
    content["threats"][0]["probes"] = []
    assert load(tmp_path, content).probes_of("backdoor_scan") == ()


def changed(number: int, **more: Any) -> dict[str, Any]:
    content = body()
    content["threats"][number] |= more
    return content


HOLES = {
    "threat-has-gate": body(threats=[*body()["threats"], threat("nobody looks")]),
    "gate-has-threat": body(threats=[body()["threats"][0], body()["threats"][2]]),
    "known-gate": changed(0, gates=["backdoor_scan/*", "no_such_gate"]),
    "known-threat": body(threats=[*body()["threats"][:2], threat("other", gates=["release_verifies"])]),
    "known-probe": changed(1, probes=["mind_reading"]),
    "probe-is-judged": changed(1, probes=["mined_triggers"]),
    "unique-names": body(threats=[*body()["threats"], body()["threats"][1]]),
    "threats-valid": changed(0, owasp=["LLM11:2025"]),
}


@pytest.mark.parametrize(("rule", "content"), HOLES.items())
def test_a_hole_is_refused_by_its_rule(tmp_path: Path, rule: str, content: Any) -> None:
    with pytest.raises(InputError) as refusal:
        load(tmp_path, content)
    assert refusal.value.rule == rule, refusal.value


def test_a_probe_that_no_stage_can_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no stage can run the probe seance"):
        load(tmp_path, body(probes=[*body()["probes"], {"name": "seance", "what": "asks"}]))


def test_a_probe_cannot_claim_another_stage(tmp_path: Path) -> None:
    probes = [{"name": "mined_triggers", "what": "tries", "stage": "raw_drop"}, body()["probes"][1]]
    with pytest.raises(InputError, match="known-probe"):
        load(tmp_path, body(probes=probes))


def test_several_holes_are_all_named(tmp_path: Path) -> None:
    content = body(threats=[threat("nobody looks", probes=["seance"])])
    with pytest.raises(InputError) as refusal:
        load(tmp_path, content)
    told = str(refusal.value)
    assert refusal.value.rule == "threats-cover-policy"
    assert all(word in told for word in ("nobody looks", "seance", "no_backdoor", "raw_conserved"))


@pytest.mark.parametrize("content", ["", "[]", "3", "{", "threats: x", "\x00", "name: a\nprobes: [3]\nthreats: []"])
def test_what_is_no_threat_model_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(InputError):
        load(tmp_path, content)


@pytest.mark.parametrize("field", ["owasp", "atlas", "nist"])
@pytest.mark.parametrize("tag", ["", "LLM4:2025", "AML.T20", "MEASURE", "MEASURE 7.1", "LLM04"])
def test_a_tag_that_no_catalogue_has_is_refused(tmp_path: Path, field: str, tag: str) -> None:
    with pytest.raises(InputError, match="threats-valid"):
        load(tmp_path, changed(0, **{field: [tag]}))


def test_the_default_model_covers_the_default_policy_whole() -> None:
    model, policy = load_threats(), Policy.load()
    assert {gate for item in model.threats for gate in item.gates} == {gate.name for gate in policy.gates}
    assert all(item.owasp and item.atlas and item.nist for item in model.threats)
    assert {item.severity for item in model.threats} == {"critical", "high", "medium"}
    described = {probe.name for probe in model.probes}
    assert {name for item in model.threats for name in item.probes} <= described == set(STAGE_OF)


def test_every_stage_of_the_lineage_has_probes() -> None:
    assert set(STAGES) <= set(PROBES)


def test_the_default_names_the_screens_gates_one_by_one() -> None:
    body = yaml.safe_load(DEFAULT_THREATS.read_text())
    named = {item["name"]: item["gates"] for item in body["threats"]}
    assert not [name for name, gates in named.items() if "screened_records/*" in gates]
    assert {"screened_open_findings", "screened_flagged_share"} <= set(named["backdoor"])


def test_what_a_stage_is_to_try_has_a_digest_of_its_own(tmp_path: Path) -> None:
    before = load(tmp_path, body())
    reworded = load(tmp_path, changed(0, title="another word"))
    dropped = load(tmp_path, changed(0, probes=[]))
    assert reworded.digest != before.digest
    assert (
        reworded.digest_of("backdoor_scan") == before.digest_of("backdoor_scan") != dropped.digest_of("backdoor_scan")
    )
    assert load(tmp_path, body(terms=["Acme"])).digest_of("backdoor_scan") == before.digest_of("backdoor_scan")
    content = body(terms=["Acme"])
    content["probes"].append({"name": "company_terms", "what": "tries the terms"})
    content["threats"][0]["probes"] = ["mined_triggers", "company_terms"]
    named = load(tmp_path, content)
    content["terms"] = ["Acme", "Roadrunner"]
    assert load(tmp_path, content).digest_of("backdoor_scan") != named.digest_of("backdoor_scan")
