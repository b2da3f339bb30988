from pathlib import Path

import pytest

from pipeline_lib.storage.whole_folder import FolderError, require_empty, whole_folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def fill(out: Path) -> None:
    with whole_folder(out) as draft:
        (draft / "one").write_text("1")


def test_it_is_there_when_all_of_it_is_written_and_no_sooner(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    with whole_folder(out) as draft:
        (draft / "one").write_text("1")
        assert not out.exists()
        (draft / "two").write_text("2")
    assert names(out) == ["one", "two"] and names(out.parent) == ["out"]


def test_an_empty_folder_is_taken_and_others_may_read_it_as_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("given", "plain", "here"):
        (tmp_path / name).mkdir()
    fill(tmp_path / "given")
    monkeypatch.chdir(tmp_path / "here")
    fill(Path("."))
    assert names(tmp_path / "given") == names(tmp_path / "here") == ["one"]
    assert (tmp_path / "given").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("failure", [KeyboardInterrupt, ValueError, OSError])
def test_after_a_failure_nothing_is_left(failure: type[BaseException], tmp_path: Path) -> None:
    with pytest.raises(FolderError if failure is OSError else failure), whole_folder(tmp_path / "out") as draft:
        (draft / "one").write_text("1")
        raise failure
    assert names(tmp_path) == []


def test_what_a_kill_has_left_is_replaced(tmp_path: Path) -> None:
    (tmp_path / ".writing-out").mkdir()
    (tmp_path / ".writing-out" / "half").write_text("")
    (tmp_path / ".writing-out-2").mkdir()
    fill(tmp_path / "out")
    assert names(tmp_path) == [".writing-out-2", "out"] and names(tmp_path / "out") == ["one"]


def test_what_is_not_empty_or_no_folder_is_refused(tmp_path: Path) -> None:
    fill(tmp_path / "out")
    for out, reason in ((tmp_path / "out", "is not empty"), (tmp_path / "out" / "one", "is a file")):
        with pytest.raises(FolderError, match=f"{reason}: choose another --out"):
            require_empty(out)
        with pytest.raises(FolderError, match=reason), whole_folder(out):
            pass
    with pytest.raises(FolderError, match=r"^cannot write .*: File exists"):
        fill(tmp_path / "out" / "one" / "deeper")
    assert names(tmp_path / "out") == ["one"]
