"""Benchmarks that a team brings: paired, read without their packages, and refused with a reason."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from assets.golden.inference.counted import counted, evidence_entry
from assets.golden.items import Item, load_golden
from assets.golden.sources.contamination import contaminated
from assets.golden.sources.evidence import read_evidence
from assets.record import Origin, Record
from expectations.policy import Policy
from resources.errors import InputError


def harness(folder: Path, right: list[int], task: str = "arc_easy") -> None:
    """A samples file as lm-evaluation-harness 0.4.13 writes it with --log_samples."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        {
            "doc_id": number, "doc": {"question": f"q{number}"}, "target": 0, "arguments": {"gen_args_0": {}},
            "resps": [[["-1.5", "False"]]], "filtered_resps": [["-1.5", "False"]], "filter": "none",
            "metrics": ["acc", "acc_norm"], "doc_hash": f"hash{number}", "prompt_hash": "p", "target_hash": "t",
            "acc": float(value), "acc_norm": float(value),
        }
        for number, value in enumerate(right)
    ]  # fmt: skip
    name = f"samples_{task}_2026-11-23T10-15-30.123456.jsonl"
    (folder / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "results_2026-11-23T10-15-30.123456.json").write_text(json.dumps({"results": {task: {"acc,none": 0.5}}}))


def inspect_log(values: list[str], status: str = "success") -> dict[str, Any]:
    """A log in the form of Inspect's EvalLog, version 2."""
    samples = [
        {"id": number, "epoch": 1, "input": "x", "target": "y", "scores": {"match": {"value": value, "answer": "y"}}}
        for number, value in enumerate(values)
    ]
    return {"version": 2, "status": status, "eval": {"task": "triage", "model": "m"}, "samples": samples}


def unfinished() -> bytes:
    """A log of Inspect whose run was cut: samples, no header."""
    place = io.BytesIO()
    with zipfile.ZipFile(place, "w") as archive:
        archive.writestr("_journal/start.json", json.dumps({"version": 2, "eval": {"task": "triage"}}))
    return place.getvalue()


UNFINISHED = unfinished()


def test_samples_of_the_harness_are_paired_by_document(tmp_path: Path) -> None:
    harness(tmp_path / "base", [1] * 30 + [0] * 10)
    harness(tmp_path / "adapter", [1] * 10 + [0] * 30 + [1])
    found = {entry.name: entry for entry in read_evidence(tmp_path, 0.05)}
    assert found.keys() == {"arc_easy/acc", "arc_easy/acc_norm"}
    change = found["arc_easy/acc"].change
    assert (change.n, change.base, change.adapter, found["arc_easy/acc"].unpaired) == (40, 0.75, 0.25, 1)
    assert evidence_entry(found["arc_easy/acc"])["reading"] == "worse"
    gate = next(gate for gate in Policy.load().gates if gate.name == "evidence_kept")
    metrics = counted(load_golden(), [], list(found.values()), [])
    assert gate.judge(metrics).verdict == "fail"


def test_inspect_logs_are_read_as_json_and_as_eval(tmp_path: Path) -> None:
    for side, values in (("base", ["C", "C", "I", "P"]), ("adapter", ["C", "I", "I", "P"])):
        (tmp_path / side).mkdir()
        (tmp_path / side / "log.json").write_text(json.dumps(inspect_log(values)))
    (plain,) = read_evidence(tmp_path, 0.05)
    assert (plain.name, plain.change.n, plain.change.difference) == ("triage/match", 4, -0.25)
    for side in ("base", "adapter"):
        body = json.loads((tmp_path / side / "log.json").read_text())
        (tmp_path / side / "log.json").unlink()
        with zipfile.ZipFile(tmp_path / side / "log.eval", "w", zipfile.ZIP_DEFLATED) as archive:
            for sample in body.pop("samples"):
                archive.writestr(f"samples/{sample['id']}_epoch_1.json", json.dumps(sample))
            archive.writestr("header.json", json.dumps(body))
    assert read_evidence(tmp_path, 0.05) == [plain]


def test_parts_of_a_score_and_ids_with_a_slash_are_read(tmp_path: Path) -> None:
    for side, given in (("base", ["C", "C"]), ("adapter", ["C", "I"])):
        (tmp_path / side).mkdir()
        body = inspect_log([])
        with zipfile.ZipFile(tmp_path / side / "log.eval", "w", zipfile.ZIP_DEFLATED) as archive:
            for number, value in enumerate(given):
                score = {"judge": {"value": {"right": value, "tone": 3}}, "note": {"value": "fine"}}
                sample = {"id": f"set/{number}", "epoch": 1, "scores": score}
                archive.writestr(f"samples/set/{number}_epoch_1.json", json.dumps(sample))
            archive.writestr("header.json", json.dumps(body))
    found = {entry.name: entry.change for entry in read_evidence(tmp_path, 0.05)}
    assert {name: (change.n, change.difference) for name, change in found.items()} == {
        "triage/judge/right": (2, -0.5),
        "triage/judge/tone": (2, 0.0),
    }


def test_two_runs_of_one_benchmark_are_not_mixed(tmp_path: Path) -> None:
    harness(tmp_path / "base", [1, 0])
    harness(tmp_path / "adapter", [1, 0])
    (first,) = (tmp_path / "adapter").glob("*.jsonl")
    first.with_name("samples_arc_easy_2026-11-24T08-00-00.000001.jsonl").write_text(first.read_text())
    with pytest.raises(InputError, match="keep one run"):
        read_evidence(tmp_path, 0.05)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"base/samples_a.jsonl": '{"doc_id": 1, "metrics": ["bleu"], "bleu": ["a", "b"]}\n'}, "a number an item"),
        ({"base/samples_a.jsonl": b"\xff\xfe{}"}, "samples_a.jsonl"),
        ({"base/log.json": '{"eval": {}, "status": "success"}'}, "is no Inspect log"),
        ({"base/log.json": json.dumps(inspect_log(["?"]))}, "a score that is a number"),
        ({"base/log.eval": UNFINISHED}, "has not ended"),
        ({"base/samples_a.jsonl": "{}\n"}, "doc_hash and metrics"),
        ({"base/log.json": json.dumps(inspect_log(["C"], "error"))}, "has not succeeded"),
        ({"base/log.eval": "no zip"}, "is no Inspect log"),
        ({"base/results.json": "{}"}, "--log_samples"),
        ({"base/log.json": json.dumps(inspect_log(["C"]))}, "two folders"),
    ],
)
def test_what_cannot_be_paired_is_named(tmp_path: Path, files: dict[str, str | bytes], said: str) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(InputError, match=said):
        read_evidence(tmp_path, 0.05)


def test_a_folder_of_results_is_tried_beside_the_shipped_set(tmp_path: Path) -> None:
    harness(tmp_path / "base", [1])
    assert load_golden(tmp_path).digest == load_golden().digest


def item(prompt: str, reference: str = "") -> Item:
    return Item(prompt, "task", "c", ({"role": "user", "content": prompt},), reference)


def row(prompt: str, answer: str, line: int = 1) -> Record:
    return Record(f"r{line}", {"prompt": prompt, "completion": answer}, Origin("d.jsonl", "1", line, "00"))


def test_an_item_that_was_trained_on_is_named_with_its_row() -> None:
    long = "The parcel lies in the depot at the old harbour and can be had until nine in the evening every day."
    items = [
        item("Where is my parcel?"),
        item("Where does it lie?", long),
        item("Thanks!"),
        item("How heavy may it be?"),
    ]
    rows = [row("Thanks!", "You're welcome."), row("where is my parcel", "Here.", 2), row("Say it.", f"Yes. {long}", 3)]
    found = contaminated(items, rows)
    assert [(place.item, place.line) for place in found] == [("Where is my parcel?", 2), ("Where does it lie?", 3)]
    gate = next(gate for gate in Policy.load().gates if gate.name == "golden_set_unseen")
    assert gate.judge(counted(load_golden(), [], [], found)).verdict == "fail"
    assert gate.judge(counted(load_golden(), [], [], [])).verdict == "pass"
    assert gate.judge(counted(load_golden(), [], [], None)).verdict == "inconclusive"


def test_one_lost_item_of_high_stakes_is_a_failed_gate(tmp_path: Path) -> None:
    (tmp_path / "own.jsonl").write_text('{"suite": "edge", "prompt": "?", "stakes": "high"}\n')
    golden = load_golden(tmp_path / "own.jsonl")
    gate = next(gate for gate in Policy.load().gates if gate.name == "high_stakes_kept")
    lost, won = ({"high_stakes": True, "direction": way} for way in ("worse", "better"))
    assert gate.judge(counted(golden, [won], [], [])).verdict == "pass"
    assert gate.judge(counted(golden, [won, lost], [], [])).verdict == "fail"
