"""Stories about the store that drops arrive in: a folder and a real S3 endpoint behave alike, and failures speak."""

import errno
import os
import socket
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from resources.errors import StoreError, UsageError
from resources.folder_store import FolderStore
from resources.local_s3 import LocalS3, serve
from resources.object_store import ObjectInfo, ObjectStore


@pytest.fixture(scope="module")
def s3_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("s3")


@pytest.fixture(scope="module")
def s3(s3_root: Path) -> Iterator[LocalS3]:
    with serve(s3_root) as endpoint:
        yield endpoint


@pytest.fixture
def bucket(s3: LocalS3, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URI of a fresh bucket, with the environment an ordinary client has."""
    for name, value in s3.environment().items():
        monkeypatch.setenv(name, value)
    name = f"b{zlib.crc32(request.node.nodeid.encode())}"
    boto3.client("s3", endpoint_url=s3.endpoint).create_bucket(Bucket=name)
    return f"s3://{name}"


@pytest.fixture(params=["folder", "s3", "s3-prefix"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "folder":
        (tmp_path / "store").mkdir()
        return ObjectStore.open((tmp_path / "store").as_uri())
    uri = request.getfixturevalue("bucket")
    return ObjectStore.open(uri if request.param == "s3" else f"{uri}/some/prefix")


class TestEveryStore:
    def test_what_is_put_can_be_listed_read_and_fetched(self, store: ObjectStore, tmp_path: Path) -> None:
        file = tmp_path / "big"
        file.write_bytes(os.urandom(3 << 20))
        store.put(file, "d/big.bin")
        put = store.put(b"hello", "a.txt", {"source": "desk", "author": "José Ünal"})
        listed = list(store.list())
        assert [info.key for info in listed] == ["a.txt", "d/big.bin"]
        assert (listed[0].size, listed[0].etag) == (5, put.etag)
        assert abs(time.time() - listed[0].modified.timestamp()) < 120
        assert store.read(listed[0], 5) == b"hello"
        fetched = store.fetch(listed[1], tmp_path / "copy")
        assert (tmp_path / "copy").read_bytes() == file.read_bytes()
        assert (fetched.size, len(fetched.sha256)) == (3 << 20, 64)
        head = store.head("a.txt")
        assert head and head.metadata == {"source": "desk", "author": "José Ünal"}
        assert head.version

    def test_listing_is_in_order_by_prefix_and_from_a_key_on(self, store: ObjectStore) -> None:
        keys = ["a-b.txt", "a.txt", "a/x.txt", "a/y/z.txt", "ab.txt", "b.txt"]
        for key in reversed(keys):
            store.put(b"x", key)
        assert [info.key for info in store.list()] == sorted(keys)
        assert [info.key for info in store.list("a/")] == ["a/x.txt", "a/y/z.txt"]
        assert [info.key for info in store.list(after="a/x.txt")] == ["a/y/z.txt", "ab.txt", "b.txt"]

    def test_the_etag_follows_the_content(self, store: ObjectStore) -> None:
        first = store.put(b"one", "k")
        assert store.put(b"two", "k").etag != first.etag == store.put(b"one", "k").etag

    def test_an_object_that_changed_since_it_was_listed_is_refused(self, store: ObjectStore, tmp_path: Path) -> None:
        info = store.put(b"one", "k")
        store.put(b"another", "k")
        with pytest.raises(StoreError, match="changed while it was read"):
            store.fetch(info, tmp_path / "copy")
        assert not list(tmp_path.glob("*copy*"))

    def test_an_object_that_is_gone_is_an_error_with_advice(self, store: ObjectStore, tmp_path: Path) -> None:
        store.put(b"x", "other")
        assert store.head("none") is None
        info = ObjectInfo("none", "e", 1, next(iter(store.list())).modified)
        with pytest.raises(StoreError, match=r"put it back|does not exist"):
            store.fetch(info, tmp_path / "copy")

    def test_a_small_object_that_is_not_small_is_not_read(self, store: ObjectStore) -> None:
        info = store.put(b"12345", "k")
        with pytest.raises(StoreError, match="at most 4"):
            store.read(info, 4)

    def test_a_full_disk_leaves_nothing_behind(
        self, store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        info = store.put(b"x" * 100, "k")
        (tmp_path / "spool").mkdir()
        real = Path.open

        class Full:
            def __enter__(self) -> "Full":
                return self

            def __exit__(self, *_: object) -> None:
                pass

            def write(self, _: bytes) -> None:
                raise OSError(errno.ENOSPC, "No space left on device")

        def full(path: Path, mode: str = "r", *rest: Any, **named: Any) -> Any:
            opened = real(path, mode, *rest, **named)
            return Full() if "w" in mode and "spool" in path.parts else opened

        monkeypatch.setattr(Path, "open", full)
        with pytest.raises(StoreError, match="the disk is full; free space and run again"):
            store.fetch(info, tmp_path / "spool" / "copy")
        assert not list((tmp_path / "spool").iterdir())


class TestFolder:
    def test_a_file_written_to_in_the_middle_of_a_read_is_refused(self, tmp_path: Path) -> None:
        class Meddled(FolderStore):
            def _stream(self, info: ObjectInfo) -> Iterator[bytes]:
                for place, chunk in enumerate(super()._stream(info)):
                    if place == 0:
                        with (self.root / info.key).open("r+b") as stream:
                            stream.seek(2 << 20)
                            stream.write(b"!")
                    yield chunk

        (tmp_path / "k").write_bytes(b"x" * (3 << 20))
        store = Meddled(tmp_path)
        with pytest.raises(StoreError, match="changed while it was read"):
            store.fetch(next(iter(store.list())), tmp_path / ".copy")

    def test_a_copy_is_the_same_object_whatever_its_date(self, tmp_path: Path) -> None:
        for name, date in (("a", 1_000_000_000), ("b", 1_700_000_000)):
            (tmp_path / name).write_bytes(b"same")
            os.utime(tmp_path / name, (date, date))
        one, two = ObjectStore.open(tmp_path.as_uri()).list()
        assert one.etag == two.etag
        assert one.modified != two.modified

    def test_links_and_hidden_files_are_no_objects(self, tmp_path: Path) -> None:
        (tmp_path / "s").mkdir()
        (tmp_path / "s" / "link").symlink_to("/etc/hostname")
        (tmp_path / "s" / "dir").symlink_to("/etc")
        (tmp_path / "s" / ".part").write_bytes(b"x")
        assert list(ObjectStore.open((tmp_path / "s").as_uri()).list()) == []

    @pytest.mark.parametrize("key", ["../x", "/etc/passwd", "a/../../x", ""])
    def test_a_key_cannot_lead_out(self, tmp_path: Path, key: str) -> None:
        with pytest.raises(StoreError, match="leads out"):
            ObjectStore.open(tmp_path.as_uri()).put(b"x", key)

    def test_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(StoreError, match="not a folder; create it"):
            list(ObjectStore.open((tmp_path / "none").as_uri()).list())

    def test_a_name_with_blanks_and_signs(self, tmp_path: Path) -> None:
        folder = tmp_path / "my drops #1%"
        folder.mkdir()
        store = ObjectStore.open(folder.as_uri())
        store.put(b"x", "häuser 1.jsonl")
        assert [info.key for info in store.list()] == ["häuser 1.jsonl"]


class TestS3:
    def test_a_listing_goes_on_behind_the_first_page(self, bucket: str, s3_root: Path) -> None:
        folder = s3_root / bucket.removeprefix("s3://")
        for number in range(1_003):
            (folder / f"{number:05}").write_bytes(b"x")
        keys = [info.key for info in ObjectStore.open(bucket).list()]
        assert keys == [f"{number:05}" for number in range(1_003)]

    def test_a_bucket_that_is_not_there(self, bucket: str) -> None:
        with pytest.raises(StoreError, match=r"bucket nowhere does not exist at http.*create it"):
            list(ObjectStore.open("s3://nowhere").list())

    def test_denied(self, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
        for call in (lambda store: list(store.list()), lambda store: store.put(b"x", "k")):
            with pytest.raises(StoreError, match=r"is denied.*check AWS_ACCESS_KEY_ID"):
                call(ObjectStore.open(bucket))

    def test_no_credentials(self, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
        with pytest.raises(StoreError, match=r"no credentials.*set AWS_ACCESS_KEY_ID"):
            list(ObjectStore.open(bucket).list())

    def test_down(self, bucket: str) -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            endpoint = f"http://127.0.0.1:{closed.getsockname()[1]}"
            started = time.monotonic()
            with pytest.raises(StoreError, match=r"cannot be reached.*check that the service runs"):
                list(ObjectStore.open(bucket, endpoint=endpoint).list())
        assert time.monotonic() - started < 30

    def test_silent(self, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Something that accepts connections and hangs up on every request."""
        import threading

        with socket.create_server(("127.0.0.1", 0)) as server:

            def hang_up() -> None:
                while True:
                    try:
                        server.accept()[0].close()
                    except OSError:
                        return

            threading.Thread(target=hang_up, daemon=True).start()
            endpoint = f"http://127.0.0.1:{server.getsockname()[1]}"
            with pytest.raises(StoreError, match="cannot be reached"):
                list(ObjectStore.open(bucket, endpoint=endpoint).list())
            server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("uri", ["", "drops", "/srv/drops", "http://host/x", "s3://", "file://host/x"])
def test_a_uri_of_another_kind_is_a_usage_error(uri: str) -> None:
    with pytest.raises(UsageError, match="file:///folder or s3://bucket/prefix"):
        ObjectStore.open(uri)
