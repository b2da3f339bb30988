"""What this machine has read before is not read again while it lies there untouched."""

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline_lib.storage import seen
from pipeline_lib.storage.seen import Seen, memory_file

NAMES = ["en/a.txt", "b.txt"]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Memories of this test alone, in which a file counts as settled at once."""
    monkeypatch.setenv("SPANFERRY_SEEN", str(tmp_path / "seen"))
    monkeypatch.setattr(seen, "MOMENTS", 0)
    return tmp_path / "seen"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "files" / "en").mkdir(parents=True)
    for name in NAMES:
        (tmp_path / "files" / name).write_text(f"of {name}", "utf-8")
    return tmp_path / "files"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that are opened."""
    opened: list[str] = []
    hashing = seen.sha256

    def watched(path: Path) -> str:
        opened.append(path.name)
        return hashing(path)

    monkeypatch.setattr(seen, "sha256", watched)
    return opened


def looked(folder: Path, names: list[str] = NAMES, part: str = "x") -> list[str | None]:
    """The hashes, for now and for the next time."""
    memory = Seen(folder, part)
    found = memory.hashes(names)
    memory.remember()
    return found


def memory_name(folder: Path, part: str) -> str:
    file = memory_file(os.path.realpath(folder), part)
    assert file is not None
    return file.name


def true(folder: Path) -> list[str]:
    return [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in NAMES]


def test_files_that_lie_there_untouched_are_read_once(folder: Path, read: list[str]) -> None:
    assert looked(folder) == looked(folder) == looked(folder) == true(folder)
    assert sorted(read) == ["a.txt", "b.txt"]


def rewrite(path: Path) -> None:
    path.write_bytes(path.read_bytes()[::-1])


def rewrite_and_hide(path: Path) -> None:
    """As many bytes as before, and the time of the change set back."""
    times = path.stat()
    rewrite(path)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def replace(path: Path) -> None:
    """Another file of the same size and time under the same name."""
    other = path.with_name("other")
    other.write_bytes(path.read_bytes()[::-1])
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    other.replace(path)


@pytest.mark.parametrize("change", [rewrite, rewrite_and_hide, replace])
def test_a_changed_file_is_read_again_and_no_other(folder: Path, read: list[str], change: Callable[[Path], None]) -> None:
    before = looked(folder)
    read.clear()
    change(folder / "b.txt")
    assert looked(folder) == true(folder) != before
    assert read == ["b.txt"]


def test_what_was_changed_moments_ago_is_read_again(folder: Path, read: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen, "MOMENTS", 60_000_000_000)
    os.utime(folder / "b.txt", ns=(0, 0))  # only what the system says of a change counts
    assert looked(folder) == looked(folder) == true(folder)
    assert sorted(read) == ["a.txt", "a.txt", "b.txt", "b.txt"]


def test_what_was_changed_moments_before_it_was_read_is_read_again_however_late_that_is_remembered(
    folder: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen, "MOMENTS", 60_000_000_000)
    memory, now = Seen(folder, "x"), time.time_ns()
    memory.hashes(NAMES)
    monkeypatch.setattr(time, "time_ns", lambda: now + 3_600_000_000_000)
    memory.remember()
    read.clear()
    assert looked(folder) == true(folder) and sorted(read) == ["a.txt", "b.txt"]


def test_what_is_gone_or_no_file_has_no_hash(folder: Path) -> None:
    looked(folder)
    (folder / "b.txt").unlink()
    os.mkfifo(folder / "pipe")  # which nobody writes to: to open it would never end
    assert looked(folder, ["en/a.txt", "b.txt", "en", "pipe", "nul\0", "new"])[1:] == [None] * 5


def test_a_file_that_was_written_is_remembered(folder: Path, read: list[str]) -> None:
    memory = Seen(folder, "x")
    memory.wrote("b.txt", true(folder)[1])
    memory.remember()
    assert looked(folder) == true(folder) and read == ["a.txt"]


def test_parts_and_folders_have_memories_of_their_own(folder: Path, read: list[str]) -> None:
    looked(folder)
    looked(folder, part="y")
    looked(folder / "en", ["a.txt"])
    assert sorted(read) == ["a.txt", "a.txt", "a.txt", "b.txt", "b.txt"]


@pytest.mark.parametrize("damage", [Path.unlink, lambda file: file.write_bytes(b"PAR1"), lambda file: file.write_bytes(b"")])
def test_without_a_readable_memory_all_is_read(folder: Path, place: Path, read: list[str], damage: Callable[[Path], object]) -> None:
    looked(folder)
    (file,) = place.iterdir()
    damage(file)
    assert looked(folder) == true(folder) and len(read) == 4


def test_a_memory_that_says_nothing_new_is_not_written(folder: Path, place: Path) -> None:
    looked(folder)
    (file,) = place.iterdir()
    before = file.stat().st_ino
    looked(folder)
    assert file.stat().st_ino == before


def test_a_memory_that_nobody_asks_for_goes_one_day(folder: Path, place: Path, read: list[str]) -> None:
    for part in ("used", "unused"):
        looked(folder, part=part)
    (place / "notes.parquet").write_bytes(b"none of ours")
    for file in place.iterdir():
        os.utime(file, times=(0, 0))
    looked(folder, part="used")
    looked(folder, part="new")
    assert {file.name for file in place.iterdir()} == {"notes.parquet", *(memory_name(folder, part) for part in ("used", "new"))}
    read.clear()
    assert looked(folder, part="used") == true(folder) and not read


def test_memories_are_the_users_own(folder: Path, place: Path) -> None:
    looked(folder)
    assert place.stat().st_mode & 0o777 == 0o700


def test_where_nothing_can_be_kept_all_is_read(folder: Path, place: Path, read: list[str]) -> None:
    place.write_text("a file")
    assert looked(folder) == looked(folder) == true(folder) and len(read) == 4


def test_whoever_does_not_trust_times_has_every_byte_read(folder: Path, read: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    looked(folder)
    monkeypatch.setenv("SPANFERRY_SEEN", "")
    assert memory_file(str(folder), "x") is None
    assert looked(folder) == true(folder) and len(read) == 4
