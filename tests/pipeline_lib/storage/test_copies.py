"""A folder is brought here once, stays while somebody reads it, and never counts as there before it is whole."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline_lib.storage.copies import Copies


class Far:
    """What lies elsewhere; counts how often it was brought."""

    def __init__(self, content: str = "weights") -> None:
        self.content, self.times = content, 0

    def __call__(self, folder: Path) -> None:
        self.times += 1
        (folder / "file").write_text(self.content, encoding="utf-8")


def read(copies: Copies, name: str, far: Far) -> str:
    with copies.folder(name, far) as folder:
        return (folder / "file").read_text(encoding="utf-8")


def test_readers_at_once_share_one_copy() -> None:
    copies, far, together = Copies(), Far(), threading.Barrier(4)

    def reader() -> str:
        with copies.folder("model", far) as folder:
            together.wait(30)
            return (folder / "file").read_text(encoding="utf-8")

    with ThreadPoolExecutor(4) as threads:
        assert {future.result() for future in [threads.submit(reader) for _ in range(4)]} == {"weights"}
    assert far.times == 1


def test_names_have_copies_of_their_own_whatever_characters_they_hold() -> None:
    copies = Copies()
    assert [read(copies, name, Far(name)) for name in ("../a", "s3://b/a", "../a")] == ["../a", "s3://b/a", "../a"]


def test_what_could_not_be_brought_is_not_there_and_is_tried_again() -> None:
    copies, far = Copies(), Far()

    def half(folder: Path) -> None:
        (folder / "half").write_text("", encoding="utf-8")
        raise OSError("no connection")

    with pytest.raises(OSError, match="no connection"), copies.folder("model", half):
        pass
    with copies.folder("model", far) as folder:
        assert [path.name for path in folder.iterdir()] == ["file"]


def test_of_the_idle_copies_the_last_ones_stay_and_one_that_is_read_always_does() -> None:
    copies, fars = Copies(most_idle=2), {name: Far() for name in "abcd"}
    with copies.folder("a", fars["a"]) as held:
        for name in "bcd":
            read(copies, name, fars[name])
        assert (held / "file").is_file()
        for name in "cdab":
            read(copies, name, fars[name])
    assert {name: far.times for name, far in fars.items()} == {"a": 1, "b": 2, "c": 1, "d": 1}


def test_nothing_stays_on_disk_when_they_are_gone() -> None:
    copies = Copies()
    with copies.folder("model", Far()) as folder:
        pass
    assert folder.exists()
    del copies
    assert not folder.exists()


def test_they_can_be_removed_at_once() -> None:
    copies = Copies()
    copies.clear()
    with copies.folder("model", Far()) as folder:
        pass
    copies.clear()
    assert not folder.exists()
