import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline_lib.storage.place import StoreError
from pipeline_lib.storage.store import Store


def keys(store: Store, under: str = "") -> list[str]:
    return [file.key for file in store.files(under)]


@pytest.fixture
def filled(anywhere: Store) -> Store:
    for key in ("a/b/2.json", "a/b/1.json", "a/c/3.json", "ab/4.json"):
        anywhere.write_record(key, {"key": key})
    return anywhere


def test_every_file_is_listed_with_its_size_and_time(filled: Store) -> None:
    assert keys(filled) == ["a/b/1.json", "a/b/2.json", "a/c/3.json", "ab/4.json"]
    assert {file.bytes for file in filled.files()} == {len('{\n "key": "a/b/1.json"\n}\n'), len('{\n "key": "ab/4.json"\n}\n')}
    assert all(abs(file.modified - time.time()) < 60 for file in filled.files())


def test_a_folder_of_a_store_is_listed_without_those_whose_names_begin_alike(filled: Store) -> None:
    assert keys(filled, "a") == ["a/b/1.json", "a/b/2.json", "a/c/3.json"]
    assert keys(filled, "a/b") == ["a/b/1.json", "a/b/2.json"]


def test_where_nothing_is_nothing_is_listed(anywhere: Store) -> None:
    assert anywhere.files() == [] and anywhere.files("runs") == []


def test_a_bucket_that_is_not_there_holds_nothing(object_storage: str) -> None:
    assert Store("s3://no-such-bucket/x").files() == []


def test_what_is_removed_is_gone_and_what_is_gone_may_be_removed_again(filled: Store) -> None:
    for _ in range(2):
        filled.remove("a/b/1.json")
        assert keys(filled) == ["a/b/2.json", "a/c/3.json", "ab/4.json"]


def test_folders_that_are_left_empty_go_but_for_those_of_the_first_level(here: Store) -> None:
    here.write_record("a/b/c/1.json", {})
    here.write_record("a/b/2.json", {})
    here.remove("a/b/c/1.json")
    assert not (Path(here.root) / "a/b/c").exists() and (Path(here.root) / "a/b").is_dir()
    here.remove("a/b/2.json")
    assert not (Path(here.root) / "a/b").exists() and (Path(here.root) / "a").is_dir()


def test_a_touched_file_is_younger_and_the_same(anywhere: Store) -> None:
    anywhere.write_record("a/1.json", {"a": 1})
    (before,) = anywhere.files()
    time.sleep(1.1)
    anywhere.touch("a/1.json")
    (after,) = anywhere.files()
    assert after.modified > before.modified and after.bytes == before.bytes
    assert anywhere.read_record("a/1.json") == {"a": 1}


def test_what_is_gone_cannot_be_touched(anywhere: Store) -> None:
    with pytest.raises(FileNotFoundError):
        anywhere.touch("a/1.json")
    assert anywhere.files() == []


def test_a_file_that_vanishes_while_its_folder_is_listed_hides_no_other(here: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """fsspec's own listing loses the whole folder: a collection would take that for a store in which nobody is at work."""
    for name in "123":
        here.write_record(f"leases/{name}.json", {})
    look = os.lstat

    def vanishing(path: str) -> os.stat_result:
        if path.endswith("2.json"):
            Path(path).unlink(missing_ok=True)
        return look(path)

    monkeypatch.setattr("os.lstat", vanishing)
    assert keys(here) == ["leases/1.json", "leases/3.json"]


def test_a_folder_that_cannot_be_listed_is_an_error_and_not_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file", encoding="utf-8")
    with pytest.raises(StoreError, match="Not a directory"):
        Store(str(tmp_path / "store")).files()


def test_a_place_in_memory_is_listed_too() -> None:
    store = Store("memory://test-files/x")
    store.write_record("a/1.json", {})
    assert keys(store) == ["a/1.json"]


def test_a_bucket_is_asked_once_what_lies_in_a_place_also_if_nothing_does(bucket: str, caplog: pytest.LogCaptureFixture) -> None:
    store = Store(bucket)
    store.write_record("a/b/1.json", {})
    store.write_record("a/bc/2.json", {})
    with requests(caplog) as made:
        assert keys(store, "a/b") == ["a/b/1.json"]
        assert keys(store, "none") == []
    assert len(made) == 2


def test_a_bucket_is_asked_once_for_a_record_also_if_there_is_none(bucket: str, caplog: pytest.LogCaptureFixture) -> None:
    store = Store(bucket)
    store.write_record("a/1.json", {"b": 2})
    with requests(caplog) as made:
        assert store.read_record("a/1.json") == {"b": 2}
        assert store.read_record("a/2.json") is None
    assert len(made) == 2


@contextmanager
def requests(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """What the mock server was asked while the context lasted."""
    made: list[str] = []
    caplog.clear()
    with caplog.at_level(logging.INFO, "werkzeug"):
        yield made
    made += [message for message in caplog.messages if " HTTP/1.1" in message]
