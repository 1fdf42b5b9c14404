"""An artefact is whole or absent, found by its inputs, and tells when a byte of it changed."""

import json
import threading
from pathlib import Path

import pytest

from resources.artifacts import MANIFEST, ArtifactStore, Counts, Metric, write_whole
from resources.errors import IntegrityError, StoreError

INPUTS = {"raw": "d1"}


def sealed(store: ArtifactStore, text: str = "hello", inputs: dict[str, str] | None = None):
    with store.draft("stage", "p", "1", inputs or INPUTS) as draft:
        draft.path("deep/a.txt").write_text(text)
        return draft.seal(metrics={"m": Metric(1.0, 3)}, counts=Counts(3, 1, 1, 1))


def test_a_sealed_artefact_is_found_again_by_what_went_into_it(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    made = sealed(store)
    found = store.find("stage", "p", "1", INPUTS)
    assert found is not None and found.manifest == made.manifest
    assert store.current("stage", "p").manifest.digest == made.manifest.digest
    assert store.find("stage", "p", "2", INPUTS) is None
    assert store.find("stage", "p", "1", {"raw": "d2"}) is None
    assert store.partitions("stage") == ["p"]


def test_the_same_inputs_give_the_same_digest(tmp_path: Path) -> None:
    one, two = sealed(ArtifactStore(tmp_path / "1")), sealed(ArtifactStore(tmp_path / "2"))
    assert one.manifest.digest == two.manifest.digest
    assert sealed(ArtifactStore(tmp_path / "3"), "other").manifest.digest != one.manifest.digest


def test_a_draft_that_was_not_sealed_is_never_read_and_is_offered_again(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    with pytest.raises(RuntimeError), store.draft("stage", "p", "1", INPUTS) as draft:
        draft.path("half.txt").write_text("half")
        raise RuntimeError("killed")
    assert store.find("stage", "p", "1", INPUTS) is None
    assert store.current("stage", "p") is None
    with store.draft("stage", "p", "1", INPUTS) as again:
        assert again.resumed
        assert again.path("half.txt").read_text() == "half"


def test_two_writers_of_one_artefact_do_not_meet(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    with (
        store.draft("stage", "p", "1", INPUTS),
        pytest.raises(StoreError, match="being made by another process"),
        store.draft("stage", "p", "1", INPUTS),
    ):
        pass


@pytest.mark.parametrize("change", ["changed", "missing", "unexpected"])
def test_every_difference_from_the_manifest_is_listed(tmp_path: Path, change: str) -> None:
    made = sealed(ArtifactStore(tmp_path))
    made.verify()
    target = made.path("deep/a.txt")
    if change == "changed":
        target.write_text("hellO")
    elif change == "missing":
        target.unlink()
    else:
        made.path("more.txt").write_text("")
    with pytest.raises(IntegrityError) as caught:
        made.verify()
    assert [difference.split(":")[0] for difference in caught.value.differences] == [change]


def test_a_torn_manifest_is_an_error_not_an_artefact(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    made = sealed(store)
    manifest = made.path(MANIFEST)
    manifest.write_bytes(manifest.read_bytes()[:-20])
    with pytest.raises(IntegrityError, match="not readable"):
        store.current("stage", "p")


def test_a_metric_that_is_not_a_number_is_recorded_as_absent_never_as_zero(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    with store.draft("stage", "p", "1", INPUTS) as draft:
        draft.seal(metrics={"m": Metric(float("nan"), 7, ci_low=0.1, ci_high=float("inf"))})
    assert store.current("stage", "p").manifest.metrics["m"] == Metric(None, 7, 0.1, None)


def test_the_manifest_names_nothing_of_this_machine(tmp_path: Path) -> None:
    made = sealed(ArtifactStore(tmp_path))
    assert str(tmp_path) not in json.dumps(json.loads(made.path(MANIFEST).read_bytes()))


def test_threads_that_write_one_file_do_not_disturb_each_other(tmp_path: Path) -> None:
    path, faults = tmp_path / "current", []
    texts = [bytes([letter]) * 50_000 for letter in b"abcdefgh"]
    together = threading.Barrier(len(texts))

    def write(text: bytes) -> None:
        together.wait()
        try:
            for _ in range(10):
                write_whole(path, text)
                assert path.read_bytes() in texts
        except Exception as fault:  # whatever it is, the test's thread is to say it
            faults.append(fault)

    threads = [threading.Thread(target=write, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert [found.name for found in tmp_path.iterdir()] == ["current"]


def test_a_write_that_fails_leaves_the_old_content_and_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError):
        write_whole(tmp_path / "taken", b"new")
    assert [found.name for found in tmp_path.iterdir()] == ["taken"]


def test_scratch_that_a_killed_attempt_left_goes_with_the_next(tmp_path: Path) -> None:
    store = ArtifactStore(tmp_path)
    with store.draft("raw_drop", "d1", "1", {}) as draft, draft.scratch() as scratch:
        (scratch / "spool.jsonl").write_text("raw text")
        left = scratch.with_name("kept")
        scratch.rename(left)  # as if nobody had been there to remove it
        scratch.mkdir()
    left.rename(scratch)
    with store.draft("raw_drop", "d1", "1", {}) as draft:
        with draft.scratch() as again:
            assert again == scratch and not list(again.iterdir())
        assert not scratch.exists()
        assert draft.seal().manifest.files == {}
