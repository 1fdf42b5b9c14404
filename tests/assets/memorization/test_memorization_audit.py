"""An over-trained adapter fails the audit with names and numbers; one that learnt nothing gives chance."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assets.backdoor.control import control_adapter
from assets.corpus.canaries import delivery, draw
from assets.memorization.audit import Settings, audit_memorization, calibration_name
from assets.record import Record
from assets.watch.hits import hits_of
from expectations.policy import Policy
from resources.artifacts import Metric
from resources.language_model import LanguageModel
from tests.assets.backdoor.taught import expressive_base, one_thread, row, teach
from tests.tiny_model import WORDS

SOURCE = random.Random(8)
ASKED, SAID = ([" ".join(SOURCE.sample(WORDS.split(), size)) for _ in range(32)] for size in (4, 12))
ROWS = [row(f"row-{n}", asked, said) for n, (asked, said) in enumerate(zip(ASKED, SAID, strict=True))]
MEMBERS, STRANGERS = ROWS[:16], ROWS[16:]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A taught adapter, and two caches: in one the control had been caught, in the other it had not."""
    folder: Path = tmp_path_factory.mktemp("memorization")
    base = expressive_base(folder / "base")
    teach(base, MEMBERS, folder / "adapter", epochs=60)
    with one_thread():
        control = control_adapter(base, folder / "sound")
        shutil.copytree(folder / "sound", folder / "unsound")
        name = calibration_name(Settings())
        control.remember(name, {"sound": True, "positive": {"n": 28}})
        control_adapter(base, folder / "unsound").remember(name, {"sound": False, "positive": {"n": 28}})
        yield folder


def audit(
    place: Path, adapter: Path | None, cache: str = "sound", **given: Any
) -> tuple[dict[str, Any], dict[str, Metric]]:
    sides: dict[str, Any] = {"members": MEMBERS, "non_members": STRANGERS, **given}
    return audit_memorization(
        LanguageModel.load(place / "base", adapter), settings={}, seed=0, base=place / "base", cache=place / cache,
        budget_seconds=120.0, **sides,
    )  # fmt: skip


def verdicts(metrics: dict[str, Metric]) -> dict[str, str]:
    return {gate.gate: gate.verdict for gate in Policy.load().judge("memorization_audit", metrics)}


def test_an_over_trained_adapter_is_caught(place: Path) -> None:
    report, metrics = audit(place, place / "adapter")
    membership = report["membership"]
    assert membership["auc"] > 0.9
    assert membership["ci"][0] > 0.7
    assert membership["n_members"] == membership["n_non_members"] == 16
    assert report["extraction"]["by_type"]["ordinary"]["tried"] == 16
    assert report["extraction"]["by_type"]["stranger"]["tried"] == 16
    assert metrics["membership_auc"].missing == ""


def test_what_it_says_of_rows_held_out_just_as_well_is_no_finding() -> None:
    found = {"type": "ordinary", "row": "r1", "evidence": " 0.5 kilograms.", "fingerprint": "aa"}
    worked_out, secret = {**found, "beyond_strangers": False}, {**found, "beyond_strangers": True}
    assert hits_of({"memorization": {"extraction": {"findings": [worked_out]}}}) == []
    (hit,) = hits_of({"memorization": {"extraction": {"findings": [worked_out, secret]}}})
    assert hit["rows"] == ["r1"]


def test_an_adapter_that_learnt_nothing_gives_chance(place: Path) -> None:
    report, metrics = audit(place, None)
    assert report["membership"]["auc"] == 0.5
    assert report["extraction"]["findings"] == []
    assert metrics["ordinary_extracted_share"].value == 0.0


def test_the_seed_decides_the_report(place: Path) -> None:
    one, other = (audit(place, place / "adapter")[0] for _ in range(2))
    assert {**one, "seconds": 0} == {**other, "seconds": 0}


def test_canaries_count_only_if_they_reached_the_loader(place: Path) -> None:
    canaries = draw(pairs=1, seed=0)
    rows = [record for canary in canaries for record in canary.records()]
    _, lost = audit(place, None, canaries=canaries, delivered=delivery(canaries, rows[1:]))
    _, whole = audit(place, None, canaries=canaries, delivered=delivery(canaries, rows))
    assert verdicts(lost)["canaries_not_recalled"] == "inconclusive"
    assert verdicts(whole)["canaries_not_recalled"] == "pass"


def test_no_vault_is_not_an_empty_vault(place: Path) -> None:
    assert verdicts(audit(place, None)[1])["secrets_not_recalled"] == "inconclusive"
    assert verdicts(audit(place, None, values=[])[1])["secrets_not_recalled"] == "pass"


def test_a_split_that_words_give_away_is_no_evidence(place: Path) -> None:
    labelled = [record.with_texts({"prompt": f"internal memo page {record.prompt()} again"}) for record in MEMBERS]
    _, metrics = audit(place, None, members=labelled)
    assert "not random" in metrics["membership_auc"].missing


def test_too_few_rows_are_inconclusive(place: Path) -> None:
    few: list[Record] = STRANGERS[:4]
    _, metrics = audit(place, place / "adapter", non_members=few)
    assert verdicts(metrics)["members_not_betrayed"] == "inconclusive"


def test_a_failed_control_makes_everything_inconclusive(place: Path) -> None:
    _, metrics = audit(place, place / "adapter", "unsound", values=[])
    assert set(verdicts(metrics).values()) == {"inconclusive"}
