import stat
from pathlib import Path
from zipfile import ZipFile, ZipInfo

import pytest

from pipeline_lib.submission import archive
from pipeline_lib.submission.archive import is_unsafe, readable_members, write_zip
from tests.pipeline_lib.corpus.trees import corpus


def looked_at(path: Path) -> tuple[list[str], list[tuple[str, str]]]:
    with ZipFile(path) as opened:
        members, findings = readable_members(opened)
    return [info.filename for info in members], [(finding.file, finding.code) for finding in findings]


def zip_of(path: Path, *names: str | ZipInfo) -> Path:
    with ZipFile(path, "w") as opened:
        for name in names:
            opened.writestr(name, "1234567890")
    return path


def test_the_same_files_give_the_same_bytes_whenever_and_in_whatever_order(tmp_path: Path) -> None:
    folder = corpus(tmp_path / "a", {"b/c.tsv": b"x" * 10_000, "a.md": "é".encode()})
    write_zip(tmp_path / "1.zip", folder, ["b/c.tsv", "a.md"])
    again = corpus(tmp_path / "b", {"a.md": "é".encode(), "b/c.tsv": b"x" * 10_000})
    (again / "a.md").chmod(0o600)
    write_zip(tmp_path / "2.zip", again, ["a.md", "b/c.tsv"])
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()
    assert (tmp_path / "1.zip").stat().st_size < 1000
    with ZipFile(tmp_path / "1.zip") as opened:
        assert {(info.date_time[0], info.create_system) for info in opened.infolist()} == {(1980, 3)}
        assert [(info.filename, opened.read(info)) for info in opened.infolist()] == [("a.md", "é".encode()), ("b/c.tsv", b"x" * 10_000)]


def test_members_are_given_by_name_and_folders_are_none(tmp_path: Path) -> None:
    assert looked_at(zip_of(tmp_path / "z.zip", "b/", "b/c", "a")) == (["a", "b/c"], [])


@pytest.mark.parametrize(
    "name", ["../a", "a/../b", "/a", "a\\b", "C:a", "a//b", "./a", "a\nb", "a\x00b", "a\x1bb", "\u202ea", "..", "a/.."]
)  # fmt: skip
def test_a_name_that_could_lead_elsewhere_is_unsafe(name: str) -> None:
    assert is_unsafe(name)


@pytest.mark.parametrize("name", ["a", "EN/disease/run.tsv", "a..b/c d", "é", ".DS_Store"])
def test_a_plain_name_is_safe(name: str) -> None:
    assert not is_unsafe(name)


def test_unsafe_members_and_links_are_not_read(tmp_path: Path) -> None:
    link = ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    names, findings = looked_at(zip_of(tmp_path / "z.zip", "../a", "a\nb", link, "good"))
    assert names == ["good"]
    assert findings == [("../a", "unsafe_name"), ("a\\nb", "unsafe_name"), ("link", "unsafe_name")]


def test_a_name_that_goes_on_after_a_nul_is_judged_as_a_whole(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "z.zip", "run.tsvX.exe")
    path.write_bytes(path.read_bytes().replace(b"run.tsvX", b"run.tsv\0"))
    assert looked_at(path) == ([], [("run.tsv\\x00.exe", "unsafe_name")])


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_of_two_members_with_one_name_the_first_is_read_and_the_second_told(tmp_path: Path) -> None:
    assert looked_at(zip_of(tmp_path / "z.zip", "a", "a")) == (["a"], [("a", "duplicate_file")])


def test_what_unpacks_to_too_much_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zip_of(tmp_path / "z.zip", "a", "b")
    monkeypatch.setattr(archive, "MOST_BYTES_A_MEMBER", 9)
    assert looked_at(path) == ([], [("a", "too_large"), ("b", "too_large")])
    monkeypatch.setattr(archive, "MOST_BYTES", 19)
    assert looked_at(path) == ([], [(".", "too_large")])
    monkeypatch.undo()
    monkeypatch.setattr(archive, "MOST_MEMBERS", 1)
    assert looked_at(path) == ([], [(".", "too_large")])
