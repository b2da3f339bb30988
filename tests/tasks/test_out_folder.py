import json
from pathlib import Path
from typing import Any

import pytest

from tasks.out_folder import UNFINISHED, ExportError, Written, check_out, open_out

RECORD = {
    "run": "run-0",
    "files": {"en/a.txt": "1", "en/run.tsv": "2", "projections.parquet": "3", "config.toml": "4"},
    "made_of": {"en/0000-of-0002": {"recipe": "r"}, "en/run.tsv": "s", "tables": "t"},
}


def left(folder: Path, record: object = RECORD) -> str:
    """A folder with that record."""
    folder.mkdir(exist_ok=True)
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    return str(folder)


def test_what_an_earlier_export_has_left_is_told_part_by_part(tmp_path: Path) -> None:
    written = open_out(left(tmp_path))
    assert written == Written(dict(RECORD["files"]), dict(RECORD["made_of"]))  # type: ignore[call-overload]
    assert written.of_language("en").files == {"en/a.txt": "1", "en/run.tsv": "2"}
    assert written.of_language("en").made_of.keys() == {"en/0000-of-0002", "en/run.tsv"}
    assert written.of_tables() == Written({"projections.parquet": "3"}, {"tables": "t"})


def test_a_new_and_an_empty_folder_are_fine(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("new", "empty"):
        assert check_out(tmp_path / name) == {} and open_out(str(tmp_path / name)) == Written({}, {})


def test_a_folder_that_was_opened_is_ours_before_it_has_a_record(tmp_path: Path) -> None:
    open_out(str(tmp_path))
    (tmp_path / "half.parquet").write_bytes(b"half")
    assert (tmp_path / UNFINISHED).is_file() and open_out(str(tmp_path)) == Written({}, {})


@pytest.mark.parametrize("name", ["thesis.doc", ".hidden", "en/run.tsv"])
def test_a_folder_that_holds_something_else_is_refused_and_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine", encoding="utf-8")
    with pytest.raises(ExportError, match="choose another --out"):
        open_out(str(tmp_path))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / name]


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine", encoding="utf-8")
    with pytest.raises(ExportError):
        open_out(str(tmp_path / "out"))
    assert (tmp_path / "out").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("record", [{}, {"run": "mine", "files": {"a": "b"}}, {"run": "run-1", "files": ["a"]}, ["run-1"]])
def test_a_run_json_of_somebody_else_does_not_make_the_folder_ours(tmp_path: Path, record: Any) -> None:
    with pytest.raises(ExportError, match="choose another --out"):
        check_out(Path(left(tmp_path, record)))


def test_nor_does_one_that_is_no_json(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("not json", encoding="utf-8")
    with pytest.raises(ExportError, match="choose another --out"):
        check_out(tmp_path)


def test_no_file_outside_of_the_folder_counts_as_written_there(tmp_path: Path) -> None:
    files = {"../a": "", "en/../../a": "", "/etc/a": "", "..a": "", "en/a": ""}
    assert open_out(left(tmp_path, {"run": "run-0", "files": files})).files.keys() == {"..a", "en/a"}
