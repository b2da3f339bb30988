import hashlib
import json
from pathlib import Path

import pytest

from pipeline_lib.submission.finished import SubmissionError
from pipeline_lib.submission.folder import ARCHIVE, CONFIG, Draft, export_folder


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def export(out: Path, *files: str) -> None:
    with export_folder(out) as draft:
        for name in files:
            draft.write(name, f"content of {name}")
        draft.write_config({"format": "x"})


def test_the_folder_holds_the_files_and_a_config_with_their_hashes(tmp_path: Path) -> None:
    export(tmp_path / "new" / "out", "EN/a.tsv", "b")
    assert names(tmp_path / "new" / "out") == {"EN", "EN/a.tsv", "b", CONFIG}
    config = json.loads((tmp_path / "new" / "out" / CONFIG).read_text("utf-8"))
    hashes = {name: hashlib.sha256(f"content of {name}".encode()).hexdigest() for name in ("EN/a.tsv", "b")}
    assert config == {"written_by": "spanferry export", "format": "x", "files": hashes}


def test_the_next_export_removes_what_only_the_earlier_one_wrote_and_nothing_else(tmp_path: Path) -> None:
    export(tmp_path, "EN/x/a.tsv", "IT/x/a.tsv")
    (tmp_path / ARCHIVE).write_text("of the export, though it is not among the files that it lists", encoding="utf-8")
    (tmp_path / "IT" / "mine.txt").write_text("mine", encoding="utf-8")
    export(tmp_path, "CZ/a.tsv")
    assert names(tmp_path) == {"CZ", "CZ/a.tsv", "IT", "IT/mine.txt", CONFIG}


def test_an_export_that_fails_leaves_the_earlier_one_as_it_was(tmp_path: Path) -> None:
    export(tmp_path, "a", "b")
    before = {name: (tmp_path / name).read_bytes() for name in names(tmp_path)}

    def fail(draft: Draft) -> None:
        draft.write("a", "new")
        raise SubmissionError("no such label")

    with pytest.raises(SubmissionError, match="no such label"), export_folder(tmp_path) as draft:
        fail(draft)
    assert {name: (tmp_path / name).read_bytes() for name in names(tmp_path)} == before


def test_what_a_killed_export_left_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / ".writing-abc" / "EN").mkdir(parents=True)
    export(tmp_path, "a")
    assert names(tmp_path) == {"a", CONFIG}


@pytest.mark.parametrize(
    ("name", "content"),
    [("thesis.doc", "mine"), (CONFIG, "{}"), (CONFIG, "no json"), (CONFIG, "[]"), (CONFIG, '{"written_by": "spanferry export"}')],
)
def test_somebody_elses_folder_is_refused_and_left_alone(name: str, content: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(SubmissionError, match="choose another --out"):
        export(tmp_path, "a")
    assert {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()} == {name: content}


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine", encoding="utf-8")
    with pytest.raises(SubmissionError):
        export(tmp_path / "out", "a")
    with pytest.raises(SubmissionError, match="Not a directory"):
        export(tmp_path / "out" / "below", "a")
    assert (tmp_path / "out").read_text("utf-8") == "mine"


@pytest.mark.parametrize("listed", ["../outside.txt", "EN/../../outside.txt", "{parent}/outside.txt"])
def test_a_config_never_has_a_file_removed_outside_its_folder(listed: str, tmp_path: Path) -> None:
    (tmp_path / "outside.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "out").mkdir()
    config = {"written_by": "spanferry export", "files": {listed.format(parent=tmp_path): ""}}
    (tmp_path / "out" / CONFIG).write_text(json.dumps(config), encoding="utf-8")
    export(tmp_path / "out", "a")
    assert (tmp_path / "outside.txt").read_text("utf-8") == "mine"
