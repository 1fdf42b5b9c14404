"""The review queue as a reviewer uses it: what waits is masked, a decision is applied by the next run and replayed."""

import json
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from assets.outcome import FILES, read_lines
from assets.raw.asset import raw_drop
from assets.raw.drops import discover
from assets.sanitized.asset import sanitized_records
from assets.stage import drops
from assets.validated.asset import validated_records
from expectations.suite import RecordSuite
from pipelines import command
from resources.artifacts import Artifact
from resources.project import Project
from resources.vault import Vault
from tests.leaks import PLANTED, lines, search

TOKEN = "gh" + "p_" + "q8Zk2mVx41LpWn7TfRb3YcHd9JsGe5AuQoKi"
ROWS = [{"prompt": f"Where is parcel number {n} today?", "completion": f"It is in depot {n}."} for n in range(22)]
LEAKY = [{"prompt": f"I deploy with {TOKEN} on machine {n}.", "completion": "You should not share it."} for n in (1, 2)]


class Desk:
    """A workspace with one drop; Dagster's own state lies beside it, in files."""

    def __init__(self, root: Path, lines: list[str]) -> None:
        self.project = Project(home=str(root))
        folder = self.project.workspace.drops
        folder.mkdir(parents=True)
        (root / "dagster").mkdir()
        (folder / "a.jsonl").write_text("\n".join(lines) + "\n")
        self.partition = discover(self.project.object_store())[0].partition
        self.instance = dg.DagsterInstance.local_temp(str(root / "dagster"))
        self.instance.add_dynamic_partitions(str(drops.name), [self.partition])

    def run(self) -> Artifact:
        """The stages up to sanitising; what they made of the drop."""
        result = dg.materialize(
            [raw_drop, validated_records, sanitized_records],
            instance=self.instance,
            partition_key=self.partition,
            resources={"project": self.project, "record_suite": RecordSuite},
            raise_on_error=False,
        )
        assert result.success, [event.message for event in result.all_events if event.is_failure]
        made = self.project.artifacts.current("sanitized_records", self.partition)
        assert made is not None
        return made


def rows(artifact: Artifact, fate: str) -> list[str]:
    return [body["fields"]["prompt"] for body in read_lines(artifact.path(FILES[fate]), None)]


@pytest.fixture
def hallmark(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """``hallmark ARGUMENTS``: its exit status and what it printed."""

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["hallmark", *arguments])
        monkeypatch.setenv("COLUMNS", "300")
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            command.main()
        shown = capsys.readouterr()
        return int(stop.value.code or 0), " ".join((shown.out + shown.err).split())

    return run


def test_a_reviewer_decides_and_the_next_run_applies_it(
    tmp_path: Path, hallmark: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path / "home", [json.dumps(row) for row in [*ROWS, *LEAKY]])
    monkeypatch.setenv("HALLMARK_HOME", str(tmp_path / "home"))
    first = desk.run()
    assert len(rows(first, "quarantined")) == 2 and len(rows(first, "passed")) == 22
    alerts = b"".join(path.read_bytes() for path in (tmp_path / "home" / "logs").rglob("*") if path.is_file())
    assert b"2 of 24 rows left sanitized_records" in alerts  # more than the policy lets leave unnoticed

    status, listed = hallmark("review", "list")
    assert status == 0 and "secret.github" in listed and "[CREDENTIAL_1] in place of 40 characters" in listed
    names = [json.loads(line)["row_id"] for line in first.path(FILES["quarantined"]).read_text().splitlines()]
    status, shown = hallmark("review", "show", names[0])
    assert status == 0 and "I deploy with [CREDENTIAL_1] on machine 1." in shown and "a.jsonl:23" in shown
    assert TOKEN not in listed + shown + alerts.decode()

    assert hallmark("review", "release", names[0])[0] == 4  # without a name and a reason
    assert hallmark("review", "release", names[0], "--reviewer", "ann", "--reason", "revoked")[0] == 0
    assert hallmark("review", "reject", names[1], "--reviewer", "bob", "--reason", "no use")[0] == 0
    second = desk.run()
    assert "I deploy with [CREDENTIAL_1] on machine 1." in rows(second, "passed")
    assert rows(second, "quarantined") == [] and rows(second, "rejected") == [
        "I deploy with [CREDENTIAL_1] on machine 2."
    ]
    assert desk.run().manifest.digest == second.manifest.digest  # replayed, nothing new
    status, decided = hallmark("review", "list", "--decided")
    assert status == 0 and "ann" in decided and "revoked" in decided and "bob" in decided
    assert "Nothing waits" in hallmark("review", "list")[1]


def test_planted_values_are_in_the_vault_and_nowhere_else(
    tmp_path: Path, hallmark: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("HALLMARK_HOME", str(home))
    desk = Desk(home, [*(json.dumps(row) for row in ROWS), *lines()])
    made = desk.run()
    assert made.manifest.counts is not None and made.manifest.counts.quarantined == 1
    (home / "shown.txt").write_text(hallmark("review", "list")[1])
    assert search(home, without=("store", "vault")) == {}
    assert set(search(home / "store")) == set(PLANTED)  # they were there to be found
    [vault] = (home / "vault").iterdir()
    removed = {one.value for one in Vault.open(vault, key_file=home / "keys" / "vault.key").entries()}
    assert {
        PLANTED["name"],
        PLANTED["mail"],
        PLANTED["card"],
        PLANTED["telephone as a number"],
        PLANTED["token"],
    } <= removed
