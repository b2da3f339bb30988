"""A folder written anew, in which what is right already stays."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline_lib.storage.rewrite import Rewrite, remove_drafts

CONTENTS: dict[str, str | bytes] = {"en/a.txt": "señal\r\n", "en/b.txt": b"\x00", "c.tsv": ""}


def written(folder: Path, contents: dict[str, str | bytes] = CONTENTS) -> dict[str, str]:
    made = Rewrite(folder, {}, "")
    made.write(contents.items())
    return made.files


def test_every_file_is_told_with_the_hash_of_its_bytes(tmp_path: Path) -> None:
    files = written(tmp_path)
    assert list(files) == list(CONTENTS)
    assert files == {name: hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in CONTENTS}
    assert (tmp_path / "en/a.txt").read_bytes() == "señal\r\n".encode()


def test_what_lies_there_is_not_written_again_and_what_is_new_or_other_is(tmp_path: Path) -> None:
    files = written(tmp_path)
    before = {name: (tmp_path / name).stat().st_ino for name in files}
    again = Rewrite(tmp_path, files, "")
    again.write({**CONTENTS, "c.tsv": "x", "d.tsv": "y"}.items())
    assert {name for name in before if (tmp_path / name).stat().st_ino != before[name]} == {"c.tsv"}
    assert (tmp_path / "d.tsv").read_text("utf-8") == "y" and again.files.keys() == {*files, "d.tsv"}


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"mine")])
def test_what_is_not_as_it_was_recorded_is_not_intact_and_is_written(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    files = written(tmp_path)
    damage(tmp_path / "en/a.txt")
    again = Rewrite(tmp_path, files, "")
    assert again.intact == {name: files[name] for name in ("en/b.txt", "c.tsv")}
    assert not again.keep(["c.tsv", "en/a.txt"]) and again.files == {}
    assert again.keep(["c.tsv", "en/b.txt"]) and again.files == again.intact
    again.write(CONTENTS.items())
    assert again.files == files and (tmp_path / "en/a.txt").read_bytes() == "señal\r\n".encode()


def test_nothing_is_taken_for_right_that_no_record_tells(tmp_path: Path) -> None:
    (tmp_path / "c.tsv").write_bytes(b"")
    assert Rewrite(tmp_path, {}, "").intact == {} and not Rewrite(tmp_path, {}, "").keep(["c.tsv"])


def test_a_file_written_by_other_means_is_taken_in(tmp_path: Path) -> None:
    (tmp_path / "table.parquet").write_bytes(b"x" * 600_000)
    made = Rewrite(tmp_path, {}, "")
    made.add("table.parquet")
    assert made.files == {"table.parquet": hashlib.sha256(b"x" * 600_000).hexdigest()}


def test_drafts_are_removed_and_nothing_else(tmp_path: Path) -> None:
    written(tmp_path, {"en/a.txt": "", ".hidden": "", "en/.writing-a.txt": "half", ".writing-b": "half", "writing-c": ""})
    remove_drafts(tmp_path)
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()} == {"en/a.txt", ".hidden", "writing-c"}
