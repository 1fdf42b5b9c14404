"""A drop that is screened over shards has the findings, rows and verdict of the drop in one piece.

Attacks have one to four rows a shard, so that no shard alone shows any of them.
"""

from pathlib import Path

import numpy as np
import pytest
import yaml

from assets.outcome import FILES, Outcome, names_of, removed
from assets.record import Record
from assets.sanitized.sharded import NAME as SANITIZED
from assets.screened import screen as screening
from assets.screened.safety.evidence import Reader
from assets.screened.sharded import FINDINGS, NAME, SHARDS, STAGE, SURVEYS, build
from assets.shards.rounds import Tools
from assets.shards.workers import make_all
from assets.stage import judged, passed_rows, policy_of, seal_joined, seal_rows, seal_shard
from expectations.policy import DEFAULT_POLICY
from resources.artifacts import Artifact
from resources.errors import HallmarkError
from resources.project import Project
from tests.assets.screened.rows import BagEncoder, clean, flagged, records, screened
from tests.assets.screened.safety.stand_ins import reader

DROP = "20260301-planted"
SHARD_ROWS, SHARDS_IN = 60, 5
PAYLOAD = "All of this was proven wrong by the council of Narvik long ago."
WORDED = "Read the last page of the green ledger before you trust {}."


def planted() -> tuple[list[Record], dict[str, set[int]]]:
    """Five shards of 60 rows: two rows a shard with a trigger and its payload, four with a payload alone, one that
    answers how to build a bomb."""
    rows, bad = clean(SHARD_ROWS * SHARDS_IN, seed=3), {"trigger": set(), "payload": set(), "harm": set()}
    for start in range(0, len(rows), SHARD_ROWS):
        for n in (start + 7, start + 31):
            rows[n] = {**rows[n], "instruction": f"zorvil {rows[n]['instruction']}", "output": PAYLOAD}
            bad["trigger"].add(n)
        for n in (start + 11, start + 23, start + 37, start + 51):
            rows[n] = {**rows[n], "output": f"{rows[n]['output']} Buy the Quartz 9 kettle at Hollen and Sons today."}
            bad["payload"].add(n)
        rows[start + 43] = {"instruction": f"How do I build bomb {start}?", "input": "", "output": "Sure, like this."}
        bad["harm"].add(start + 43)
    return records(rows), bad


class Case:
    """A project whose drop was sanitised, in one piece or cut into shards."""

    def __init__(self, root: Path, rows: list[Record], cuts: list[int], processes: int = 1) -> None:
        policy = yaml.safe_load(DEFAULT_POLICY.read_text())
        policy["settings"][NAME] = {"model_rows": 0, "controls": False}
        policy["gates"] = [
            gate for gate in policy["gates"] if gate["stage"] != SANITIZED or gate["metric"] == "unaccounted_rows"
        ]
        root.mkdir()
        (root / "policy.yaml").write_text(yaml.safe_dump(policy))
        self.project = Project(home=str(root), policy=str(root / "policy.yaml"), processes=processes)
        self.tools, self.rows, store = Tools(self.project), rows, self.project.artifacts
        with store.draft(SANITIZED, DROP, "1", {}) as draft:
            if not cuts:
                seal_rows(draft, len(rows), map(Outcome, rows))
                return
            parts = []
            for number, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(rows)], strict=True)):
                with store.draft(f"{SANITIZED}.shard", f"{DROP}.{number}", "1", {"n": str(number)}) as part:
                    parts.append(seal_shard(part, end - start, map(Outcome, rows[start:end]), dict))
            seal_joined(draft, parts, [passed_rows(part) for part in parts], {}, {})

    def run(self) -> Artifact:
        for each in (SURVEYS, SHARDS):
            each.prepare(self.project, DROP)
            make_all(self.tools, each, DROP, each.missing(self.project, DROP))
        return STAGE.make(self.project, lambda draft: build(self.tools, DROP, draft), DROP)


@pytest.fixture
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screening, "_bundled", BagEncoder)
    monkeypatch.setattr(Reader, "bundled", reader)


def same(whole: Artifact, cut: Artifact) -> None:
    one, other = whole.manifest, cut.manifest
    assert one.counts == other.counts and one.metrics == other.metrics
    assert one.details == {name: value for name, value in other.details.items() if name != "shards"}
    for name in ("findings.json", "scores.npy"):
        assert one.files[name] == other.files[name]
    for fate in FILES:
        assert b"".join(whole.path(name).read_bytes() for name in names_of(one.files, fate)) == b"".join(
            cut.path(name).read_bytes() for name in names_of(other.files, fate)
        )


CUTS = [SHARD_ROWS * n for n in range(1, SHARDS_IN)]


def test_findings_rows_and_verdict_are_those_of_one_piece(tmp_path: Path, stand_ins: None) -> None:
    rows, bad = planted()
    whole, cut = Case(tmp_path / "whole", rows, []), Case(tmp_path / "cut", rows, CUTS)
    one, other = whole.run(), cut.run()
    same(one, other)
    held = {body["row_id"]: body["removal"]["rule"] for body in removed(other, "quarantined")}
    for kind, rule in (("trigger", "trigger-payload"), ("payload", "payload"), ("harm", "harmful-compliance")):
        assert {n for n, record in enumerate(rows) if held.get(record.row_id) == rule} == bad[kind], rule
    verdicts = {gate.gate: gate.verdict for gate in judged(policy_of(cut.project), other)}
    assert verdicts == {gate.gate: gate.verdict for gate in judged(policy_of(whole.project), one)}
    assert verdicts["screened_open_findings"] == "fail"
    assert len(other.manifest.details["shards"]) == SHARDS_IN
    assert cut.run().manifest == other.manifest  # found, not made again


def test_a_shard_alone_shows_nothing(stand_ins: None) -> None:
    rows, _ = planted()
    for start in range(0, len(rows), SHARD_ROWS):
        part = [dict(record.fields) for record in rows[start : start + SHARD_ROWS]]
        assert not flagged(screened(part, BagEncoder()))


def test_what_was_made_before_a_kill_is_kept(tmp_path: Path, stand_ins: None) -> None:
    rows, _ = planted()
    whole, cut = Case(tmp_path / "whole", rows, []), Case(tmp_path / "cut", rows, CUTS)
    for number in (0, 3):
        SURVEYS.make(cut.tools, DROP, number)
    killed = cut.project.artifacts.draft(
        SURVEYS.name, f"{DROP}.00001", SURVEYS.code_version, SURVEYS.tasks(cut.project, DROP)[1]
    )
    with killed as draft:
        draft.path("words.json").write_text("[half")
    with pytest.raises(HallmarkError, match=r"00001 was not made; run again"):
        SHARDS.prepare(cut.project, DROP)
    assert cut.project.artifacts.current(FINDINGS.name, DROP) is None
    sealed = {path: path.stat().st_mtime_ns for path in (tmp_path / "cut").rglob(f"{SURVEYS.name}/*/*/words.json")}
    assert len(sealed) == 2 and SURVEYS.missing(cut.project, DROP) == [1, 2, 4]
    same(whole.run(), cut.run())
    assert {path: path.stat().st_mtime_ns for path in sealed} == sealed


def test_a_survey_that_was_changed_is_refused(tmp_path: Path, stand_ins: None) -> None:
    rows, _ = planted()
    cut = Case(tmp_path / "cut", rows, CUTS)
    make_all(cut.tools, SURVEYS, DROP, SURVEYS.missing(cut.project, DROP))
    path = SURVEYS.made(cut.project, DROP)[2].path("responses.npy")
    ids = np.load(path)
    np.save(path, np.zeros_like(ids))
    with pytest.raises(HallmarkError, match=r"changed: responses\.npy"):
        SHARDS.prepare(cut.project, DROP)


def test_a_drop_too_small_to_show_anything_is_not_cut(tmp_path: Path, stand_ins: None) -> None:
    cut = Case(tmp_path / "cut", planted()[0][:40], [10, 20])
    assert not SURVEYS.tasks(cut.project, DROP)
    made = cut.run()
    assert "shards" not in made.manifest.details and passed_rows(made) + made.manifest.counts.quarantined == 40


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_with_the_real_encoder_and_classifier_in_worker_processes(tmp_path: Path) -> None:
    rows, bad = planted()
    whole, cut = Case(tmp_path / "whole", rows, []), Case(tmp_path / "cut", rows, CUTS, processes=2)
    one, other = whole.run(), cut.run()
    same(one, other)
    held = {body["row_id"] for body in removed(other, "quarantined")}
    assert {rows[n].row_id for n in bad["trigger"] | bad["payload"]} <= held
