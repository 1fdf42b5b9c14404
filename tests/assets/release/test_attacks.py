"""A release under attack: what is changed, added, removed, renamed, linked or put back is refused, and named."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from lineage import Lineage

from assets.release.loader import verified_adapter
from assets.release.plug import disagreement, read_plug
from assets.release.signed import MANIFEST, read_signed
from assets.release.tree import differences
from assets.release.verify import check_release
from resources.errors import IntegrityError
from resources.signer import KeyRing


def flipped(data: bytes, position: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


def test_the_copy_verifies_before_it_is_attacked(home: Lineage, folder: Path, ring: KeyRing) -> None:
    assert check_release(folder, ring, home.log) == []


def test_a_flipped_byte_in_any_file_is_found_and_named(folder: Path, ring: KeyRing) -> None:
    for path in [path for path in sorted(folder.rglob("*")) if path.is_file()]:
        data, name = path.read_bytes(), path.relative_to(folder).as_posix()
        for position in sorted({0, len(data) // 3, len(data) // 2, len(data) - 1}):
            path.write_bytes(flipped(data, position))
            found = check_release(folder, ring)
            assert found, f"byte {position} of {name}"
            assert name in found[0]
        path.write_bytes(data)
    assert check_release(folder, ring) == []


@pytest.mark.long
def test_every_byte_of_every_file_counts(folder: Path, ring: KeyRing) -> None:
    files = read_signed(folder, ring).files
    for path in [path for path in sorted(folder.rglob("*")) if path.is_file()]:
        data, name = path.read_bytes(), path.relative_to(folder).as_posix()
        for position in range(len(data)):
            path.write_bytes(flipped(data, position))
            if name == MANIFEST:
                with pytest.raises(IntegrityError):
                    read_signed(folder, ring)
            else:  # the first thing that ``check_release`` does with the rest
                assert differences(folder, files, frozenset({MANIFEST})) == [f"changed: {name}"], position
        path.write_bytes(data)


def test_bytes_all_over_the_signed_manifest_count(folder: Path, ring: KeyRing) -> None:
    path = folder / MANIFEST
    data = path.read_bytes()
    for position in (*range(0, len(data), 11), *range(len(data) - 300, len(data))):
        path.write_bytes(flipped(data, position))
        with pytest.raises(IntegrityError):
            read_signed(folder, ring)


def test_bytes_all_over_the_pointer_count(home: Lineage, ring: KeyRing) -> None:
    path = home.workspace.releases / "current"
    data = path.read_bytes()
    for position in (*range(0, len(data), 5), len(data) - 2, len(data) - 1):
        path.write_bytes(flipped(data, position))
        with pytest.raises(IntegrityError):
            read_plug(home.workspace.releases, ring)


def test_bytes_all_over_the_log_count(home: Lineage) -> None:
    data = home.workspace.decisions.read_bytes()
    for position in (*range(0, len(data), 17), *range(len(data) - 80, len(data))):
        home.workspace.decisions.write_bytes(flipped(data, position))
        with pytest.raises(IntegrityError):
            home.log.verify()


def _added(folder: Path) -> str:
    (folder / "adapter" / "extra.py").write_text("print()")
    return "unexpected: adapter/extra.py"


def _added_folder(folder: Path) -> str:
    (folder / "more").mkdir()
    return "unexpected folder: more"


def _hidden(folder: Path) -> str:
    (folder / ".env").write_text("x")
    return "unexpected: .env"


def _removed(folder: Path) -> str:
    (folder / "bom.cdx.json").unlink()
    return "missing: bom.cdx.json"


def _renamed(folder: Path) -> str:
    (folder / "verdict.json").rename(folder / "verdict2.json")
    return "missing: verdict.json"


def _linked(folder: Path) -> str:
    weights = folder / "adapter" / "adapter_model.safetensors"
    shutil.move(weights, folder.parent.parent / "elsewhere")
    weights.symlink_to(folder.parent.parent / "elsewhere")
    return "link: adapter/adapter_model.safetensors"


def _linked_folder(folder: Path) -> str:
    shutil.move(folder / "adapter", folder.parent.parent / "elsewhere")
    (folder / "adapter").symlink_to(folder.parent.parent / "elsewhere")
    return "link: adapter"


def _piped(folder: Path) -> str:
    (folder / "dossier.html").unlink()
    os.mkfifo(folder / "dossier.html")
    return "not a regular file: dossier.html"


def _swapped(folder: Path) -> str:
    first, second = folder / "dossier.json", folder / "threats.json"
    one, two = first.read_bytes(), second.read_bytes()
    first.write_bytes(two)
    second.write_bytes(one)
    return "changed: dossier.json"


def _emptied(folder: Path) -> str:
    (folder / "approvals" / "01-ada.dsse.json").write_bytes(b"")
    return "changed: approvals/01-ada.dsse.json"


ATTACKS = [_added, _added_folder, _hidden, _removed, _renamed, _linked, _linked_folder, _piped, _swapped, _emptied]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__.strip("_"))
def test_a_changed_tree_is_refused_with_the_exact_difference(
    home: Lineage, folder: Path, ring: KeyRing, attack: Callable[[Path], str]
) -> None:
    expected = attack(folder)
    assert expected in check_release(folder, ring)
    with (
        pytest.raises(IntegrityError, match=r"does not verify|cannot be read whole"),
        verified_adapter(home.workspace.releases, home.workspace.keys),
    ):
        pytest.fail("it was loaded")


def test_a_renamed_release_is_refused(folder: Path, ring: KeyRing) -> None:
    renamed = folder.with_name("better-name")
    folder.rename(renamed)
    assert f"renamed: signed as {folder.name}, found as better-name" in check_release(renamed, ring)


def test_a_manifest_of_an_older_release_is_refused(home: Lineage, folder: Path, ring: KeyRing) -> None:
    newer = home.released(0.7)
    shutil.copy(folder / MANIFEST, newer / MANIFEST)
    found = check_release(newer, ring)
    assert f"renamed: signed as {folder.name}, found as {newer.name}" in found
    assert "changed: adapter/adapter_model.safetensors" in found


def test_an_older_pointer_put_back_is_told_by_the_log_and_mended_by_the_next_event(
    home: Lineage, ring: KeyRing
) -> None:
    old = (home.workspace.releases / "current").read_bytes()
    newer = home.released(0.7)
    (home.workspace.releases / "current").write_bytes(old)
    assert "the log" in disagreement(home.workspace.releases, home.log.entries(), ring)
    assert any("current says" in line for line in check_release(newer, ring, home.log))


def test_an_older_release_under_the_name_of_the_current_one_is_not_loaded(home: Lineage, folder: Path) -> None:
    newer = home.released(0.7)
    shutil.rmtree(newer)
    shutil.copytree(folder, newer)
    with pytest.raises(IntegrityError, match="renamed"), verified_adapter(home.workspace.releases, home.workspace.keys):
        pytest.fail("it was loaded")
