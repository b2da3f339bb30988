import errno
import resource
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
import s3fs
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from pipeline_lib.storage.place import Place, StoreError, StoreUnavailable, scratch, sha256


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One try a request, and no client of an earlier test."""
    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    s3fs.S3FileSystem.clear_instance_cache()
    yield
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return Place(str(request.getfixturevalue("bucket")) if request.param == "bucket" else str(tmp_path / "place"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"\0\1\2")
    return path


def test_what_was_written_is_read_from_the_key_or_as_a_file(place: Place, file: Path) -> None:
    place.write(file, "a/b/c.bin")
    assert place.read("a/b/c.bin") == b"\0\1\2"
    with place.file("a/b/c.bin") as path:
        assert sha256(path) == sha256(file)
    place.fetch("a/b/c.bin", file.with_name("fetched"))
    assert file.with_name("fetched").read_bytes() == b"\0\1\2"
    here = place.local("a/b/c.bin")
    assert here is None or here.read_bytes() == b"\0\1\2"


def test_a_later_write_replaces_the_earlier(place: Place, file: Path) -> None:
    place.write(file, "key")
    file.write_bytes(b"later")
    place.write(file, "key")
    assert place.read("key") == b"later"


def test_a_key_that_is_not_there_is_a_missing_file(place: Place) -> None:
    with pytest.raises(FileNotFoundError):
        place.read("no/key")
    with pytest.raises(FileNotFoundError), place.file("no/key"):
        pass


def test_scratch_folders_are_gone_afterwards() -> None:
    with scratch() as folder:
        (folder / "file").write_text("x", encoding="utf-8")
    assert not folder.exists()


def test_a_bucket_that_is_not_there_is_said_to_be_missing(object_storage: str, file: Path) -> None:
    with pytest.raises(StoreError, match="s3://no-such-bucket/x: there is no such bucket; create it first"):
        Place("s3://no-such-bucket/x").write(file, "key")


def test_a_server_that_does_not_answer_is_worth_another_try(monkeypatch: pytest.MonkeyPatch, file: Path, object_storage: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    place = Place("s3://bucket/x")
    with pytest.raises(StoreUnavailable, match="s3://bucket/x: key: Could not connect"):
        place.write(file, "key")
    with pytest.raises(OSError, match="s3://bucket/x: key: Could not connect"):
        place.read("key")


def test_without_credentials_it_says_where_they_belong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, object_storage: str) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(StoreError, match="no credentials; AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY hold them") as caught:
        Place("s3://bucket/x").read("key")
    assert not isinstance(caught.value, OSError)


class Failing(BaseHTTPRequestHandler):
    """Answers everything with the status that the first part of the path says."""

    def answer(self) -> None:
        self.send_response(int(self.path.strip("/").split("/")[0].removeprefix("status-")))
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_PUT = do_HEAD = answer

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch, object_storage: str) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Failing)
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    yield
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "kind", "again"), [(500, StoreUnavailable, True), (503, StoreUnavailable, True), (403, StoreError, False)]
)
def test_a_failing_server_is_worth_another_try_and_a_refusal_is_not(
    status: int, kind: type[StoreError], again: bool, failing: None
) -> None:
    with pytest.raises(kind) as caught:
        Place(f"s3://status-{status}/x").read("key")
    assert isinstance(caught.value, OSError) is again
    assert str(caught.value).startswith(f"s3://status-{status}/x: ")


def test_a_full_disk_is_named_and_leaves_what_was_there(tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    place = Place(str(tmp_path / "place"))
    place.write(file, "key")
    file.write_bytes(b"later")
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StoreUnavailable, match="place: key: No space left on device"):
        place.write(file, "key")
    assert place.read("key") == b"\0\1\2"
    assert [path.name for path in (tmp_path / "place").iterdir()] == ["key"]


@pytest.fixture
def small_files() -> Iterator[None]:
    """The system refuses files of more than 64 kB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_weight_file_that_the_system_refuses_is_an_error_of_the_system(small_files: None) -> None:
    with pytest.raises(OSError, match="File too large") as caught, scratch() as folder:
        save_file({"weights": np.zeros(2**16)}, folder / "weights")
    assert caught.value.errno == errno.EFBIG and caught.value.filename == str(folder)


def test_a_weight_file_that_is_none_is_no_error_of_the_system() -> None:
    with pytest.raises(SafetensorError), scratch() as folder:
        (folder / "weights").write_bytes(b"no weights")
        load_file(folder / "weights")
