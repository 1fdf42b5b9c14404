"""State in an object store: several machines, one set of artefacts and one chain of decisions.

Each story is told of a folder and of a real S3 service with conditional writes. A "machine" is a cache folder.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.artifacts import Metric
from resources.errors import Conflict, IntegrityError, StoreError
from resources.local_s3 import serve
from resources.object_store import ObjectStore
from resources.shared_artifacts import SharedArtifactStore, require_conditional_writes
from resources.shared_log import SharedDecisionLog
from tests.resources.s3_server import conditional_s3

INPUTS = {"raw": "d1"}
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def service() -> Iterator[dict[str, str]]:
    with conditional_s3() as environment:
        yield environment


@pytest.fixture(params=["folder", "s3"])
def uri(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "folder":
        (tmp_path / "remote").mkdir()
        return (tmp_path / "remote").as_uri()
    for name, value in request.getfixturevalue("service").items():
        monkeypatch.setenv(name, value)
    return f"s3://state/{abs(hash(request.node.nodeid))}"


@pytest.fixture
def remote(uri: str) -> ObjectStore:
    return ObjectStore.open(uri)


def sealed(store: SharedArtifactStore, text: str = "hello", inputs: dict[str, str] = INPUTS):
    with store.draft("stage", "p", "1", inputs) as draft:
        draft.path("deep/a.txt").write_text(text)
        draft.path("b.txt").write_text("b")
        return draft.seal(metrics={"m": Metric(1.0, 3)})


def test_what_one_machine_sealed_another_finds_and_proves(tmp_path: Path, remote: ObjectStore) -> None:
    here, there = (SharedArtifactStore(tmp_path / name, remote) for name in ("here", "there"))
    made = sealed(here)
    found = there.find("stage", "p", "1", INPUTS)
    assert found is not None and found.manifest.digest == made.manifest.digest
    assert not (found.folder / "deep" / "a.txt").exists()  # a manifest alone needs no files
    assert found.path("deep/a.txt").read_text() == "hello"
    found.verify()
    assert there.current("stage", "p").manifest.key == made.manifest.key
    assert there.partitions("stage") == ["p"] and len(there.every("stage", "p")) == 1
    assert there.find("stage", "p", "2", INPUTS) is None and there.current("stage", "q") is None


def test_a_file_changed_in_the_store_or_in_the_cache_is_refused(tmp_path: Path, remote: ObjectStore) -> None:
    here, there = (SharedArtifactStore(tmp_path / name, remote) for name in ("here", "there"))
    made = sealed(here)
    blob = f"blobs/{made.manifest.files['b.txt'][:2]}/{made.manifest.files['b.txt']}"
    remote.put(b"forged", blob)
    found = there.find("stage", "p", "1", INPUTS)
    with pytest.raises(IntegrityError, match="not what its name says"):
        found.verify()
    assert not (found.folder / "b.txt").exists()
    (made.folder / "b.txt").write_text("c")
    with pytest.raises(IntegrityError, match=r"changed: b\.txt"):
        made.verify()


def test_of_two_machines_that_make_the_same_the_first_is_the_artefact(tmp_path: Path, remote: ObjectStore) -> None:
    here, there = (SharedArtifactStore(tmp_path / name, remote) for name in ("here", "there"))
    with here.draft("stage", "p", "1", INPUTS) as slow:
        slow.path("deep/a.txt").write_text("made here")
        first = sealed(there, "made there")
        second = slow.seal()
    assert second.manifest.digest == first.manifest.digest
    assert second.path("deep/a.txt").read_text() == "made there"
    second.verify()
    assert here.current("stage", "p").manifest.digest == first.manifest.digest


def test_what_another_machine_made_is_joined_without_being_fetched(tmp_path: Path, remote: ObjectStore) -> None:
    here, there, third = (SharedArtifactStore(tmp_path / name, remote) for name in ("here", "there", "third"))
    sealed(there, "part one")
    part = here.find("stage", "p", "1", INPUTS)
    assert part is not None
    with here.draft("joined", "p", "1", INPUTS) as draft:
        draft.adopt(part, "deep/a.txt", "shards/00000/a.txt")
        draft.path("own.txt").write_text("own")
        made = draft.seal()
    assert not (part.folder / "deep" / "a.txt").exists() and not (made.folder / "shards").exists()
    assert made.manifest.files["shards/00000/a.txt"] == part.manifest.files["deep/a.txt"]
    found = third.find("joined", "p", "1", INPUTS)
    assert found is not None and found.path("shards/00000/a.txt").read_text() == "part one"
    found.verify(only=("own.txt",))
    made.verify()
    (found.folder / "own.txt").write_text("forged")
    with pytest.raises(IntegrityError, match=r"changed: own\.txt"):
        found.verify(only=("own.txt",))


def test_a_killed_upload_is_no_artefact(tmp_path: Path, remote: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = (SharedArtifactStore(tmp_path / name, remote) for name in ("here", "there"))
    whole = type(remote).put_if

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(type(remote), "put_if", killed)
    with pytest.raises(KeyboardInterrupt):
        sealed(here)
    monkeypatch.setattr(type(remote), "put_if", whole)
    assert there.find("stage", "p", "1", INPUTS) is None
    assert sealed(here).manifest.digest == there.find("stage", "p", "1", INPUTS).manifest.digest


def test_a_conditional_write_has_one_winner(remote: ObjectStore) -> None:
    first = remote.put_if(b"1", "pointer", etag=None)
    with pytest.raises(Conflict):
        remote.put_if(b"2", "pointer", etag=None)
    second = remote.put_if(b"2", "pointer", etag=first.etag)
    with pytest.raises(Conflict):
        remote.put_if(b"3", "pointer", etag=first.etag)
    assert remote.head("pointer").info.etag == second.etag
    require_conditional_writes(remote)
    require_conditional_writes(remote)  # and again, with the probe in place


def test_a_service_that_ignores_conditions_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3

    with serve(tmp_path) as local:
        for name, value in local.environment().items():
            monkeypatch.setenv(name, value)
        boto3.session.Session().client("s3", endpoint_url=local.endpoint).create_bucket(Bucket="state")
        with pytest.raises(StoreError, match="ignores conditional writes"):
            require_conditional_writes(ObjectStore.open("s3://state"))


def test_two_processes_never_fork_the_chain(tmp_path: Path, uri: str, request: pytest.FixtureRequest) -> None:
    written(tmp_path, uri, 25)


@pytest.mark.long
def test_two_processes_append_a_thousand_decisions(tmp_path: Path, uri: str) -> None:
    written(tmp_path, uri, 500)


def written(tmp_path: Path, uri: str, each: int) -> None:
    """Two processes append at once; every decision is there once, in one chain."""
    script = (
        "import sys\nfrom pathlib import Path\nfrom resources.object_store import ObjectStore\n"
        "from resources.shared_log import SharedDecisionLog\n"
        "log = SharedDecisionLog(Path(sys.argv[1]), ObjectStore.open(sys.argv[2]))\n"
        "for n in range(int(sys.argv[4])): log.append('note', {'by': sys.argv[3], 'n': n})"
    )
    command = [sys.executable, "-c", script]
    writers = [
        subprocess.Popen(
            [*command, str(tmp_path / name / "decisions.jsonl"), uri, name, str(each)], cwd=ROOT, env=os.environ
        )
        for name in ("a", "b")
    ]
    assert [writer.wait() for writer in writers] == [0, 0]
    log = SharedDecisionLog(tmp_path / "reader.jsonl", ObjectStore.open(uri))
    chain = log.verify()
    assert sorted((entry.body["by"], entry.body["n"]) for entry in chain) == [
        (name, n) for name in ("a", "b") for n in range(each)
    ]
    assert log.head().digest == chain[-1].digest


def test_two_machines_never_fork_what_is_released(tmp_path: Path, uri: str) -> None:
    promoted(tmp_path, uri, 8)


@pytest.mark.long
def test_two_machines_promote_a_thousand_times(tmp_path: Path, uri: str) -> None:
    promoted(tmp_path, uri, 500)


def promoted(tmp_path: Path, uri: str, each: int) -> None:
    """Two machines, each with its own folder of releases, promote at once over one log; every event follows the last."""
    from assets.release.plug import history, settle
    from resources.signer import KeyRing, SigningKey

    SigningKey.pipeline(tmp_path / "keys")
    script = (
        "import sys\nfrom pathlib import Path\nfrom assets.release.plug import promote, settle\n"
        "from resources.errors import GateRefused\nfrom resources.object_store import ObjectStore\n"
        "from resources.shared_log import SharedDecisionLog\nfrom resources.signer import KeyRing, SigningKey\n"
        "keys, home, name = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[4]\n"
        "log = SharedDecisionLog(home / 'decisions.jsonl', ObjectStore.open(sys.argv[3]))\n"
        "key, ring, refused = SigningKey.pipeline(keys), KeyRing.open(keys), 0\n"
        "for n in range(int(sys.argv[5])):\n"
        "    log.append('note', {'by': name, 'n': n})\n"
        "    while True:\n"
        "        seen = settle(home / 'releases', log, ring).release\n"
        "        try:\n"
        "            promote(home / 'releases', log, key, f'{name}{n}', '1' * 64, '2' * 64, seen, 'test')\n"
        "            break\n"
        "        except GateRefused:\n"
        "            refused += 1\n"
    )
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path / "keys"), str(tmp_path / name), uri, name, str(each)],
            cwd=ROOT,
            env=os.environ,
        )
        for name in ("a", "b")
    ]
    assert [writer.wait() for writer in writers] == [0, 0]
    log, ring = SharedDecisionLog(tmp_path / "reader.jsonl", ObjectStore.open(uri)), KeyRing.open(tmp_path / "keys")
    events = history(log.verify(), ring)
    assert sorted(event.release for event in events) == sorted(f"{name}{n}" for name in "ab" for n in range(each))
    assert [event.previous for event in events] == ["", *(event.release for event in events[:-1])]
    assert {settle(tmp_path / name / "releases", log, ring).release for name in "ab"} == {events[-1].release}


def test_a_log_that_was_cut_or_rewritten_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "remote").mkdir()
    store = ObjectStore.open((tmp_path / "remote").as_uri())
    log = SharedDecisionLog(tmp_path / "here" / "log.jsonl", store)
    log.append_all([("note", {"n": 0}), ("note", {"n": 1})])
    log.append("note", {"n": 2})
    assert [info.key for info in store.list()] == ["000000000000.jsonl", "000000000002.jsonl"]
    last = tmp_path / "remote" / "000000000002.jsonl"
    body = last.read_bytes()
    last.unlink()
    with pytest.raises(IntegrityError, match="was cut or rewritten"):
        SharedDecisionLog(tmp_path / "here" / "log.jsonl", store).verify()
    last.write_bytes(json.dumps({**json.loads(body), "body": {"n": 9}}).encode() + b"\n")
    with pytest.raises(IntegrityError):
        SharedDecisionLog(tmp_path / "new" / "log.jsonl", store).verify()
    last.write_bytes(body)
    last.rename(tmp_path / "remote" / "000000000003.jsonl")
    with pytest.raises(IntegrityError, match="should come next"):
        SharedDecisionLog(tmp_path / "new" / "log.jsonl", store).verify()


def test_a_file_is_hashed_once_in_a_process_and_again_when_it_may_have_changed(
    tmp_path: Path, remote: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = sealed(SharedArtifactStore(tmp_path / "here", remote))
    os.utime(made.folder / "b.txt")
    import resources.artifacts as artifacts

    monkeypatch.setattr(artifacts, "RESTED", 0)
    hashed: list[Path] = []
    real = artifacts.digest_file
    monkeypatch.setattr(artifacts, "digest_file", lambda path: hashed.append(path) or real(path))
    made.verify()
    made.verify()
    assert len(hashed) == 2
    (made.folder / "b.txt").write_text("x")
    with pytest.raises(IntegrityError):
        made.verify()
