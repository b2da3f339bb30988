"""``spanferry check``, as its users meet it."""

import csv
import json
from pathlib import Path

import pytest

from tests.flows.commands.terminal import call
from tests.flows.tiny import small_corpus


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The findings are written into the working folder."""
    monkeypatch.chdir(tmp_path)


def test_check_is_content_with_a_good_corpus(tmp_path: Path) -> None:
    code, said = call("check", str(small_corpus(tmp_path / "corpus", count=3)))
    assert code == 0
    assert "nothing rejected" in said


def test_check_changes_nothing_and_exits_with_three_when_something_is_rejected(tmp_path: Path) -> None:
    corpus = small_corpus(tmp_path / "corpus", count=1)
    (corpus / "es" / "empty.txt").write_text(" ", encoding="utf-8")
    before = {path: path.read_bytes() for path in corpus.rglob("*") if path.is_file()}
    code, said = call("check", str(corpus))
    assert code == 3
    assert "empty_document" in said and "1 rejected" in said
    assert {path: path.read_bytes() for path in corpus.rglob("*") if path.is_file()} == before


def test_check_writes_where_it_is_without_a_word_of_text(tmp_path: Path) -> None:
    corpus = small_corpus(tmp_path / "corpus", count=1)
    (corpus / "es" / "z.txt").write_text("tos seca", encoding="utf-8")
    (corpus / "es" / "z.ann").write_text("T1\tSYMPTOM 0 2\tto\nT2\tSYMPTOM 4 8\tSECA\n", encoding="utf-8")
    code, _ = call("check", str(corpus))
    assert code == 3
    with (tmp_path / "corpus-check.csv").open(encoding="utf-8", newline="") as sheet:
        rows = [row for row in csv.DictReader(sheet) if row["file"] == "es/z.ann"]
    assert [(row["severity"], row["line"], row["code"], row["start"], row["end"]) for row in rows] == [
        ("reject", "2", "surface_mismatch", "4", "8"),
        ("warning", "1", "cut_word", "0", "2"),
    ]
    assert "SECA" not in (tmp_path / "corpus-check.csv").read_text("utf-8")


def test_the_file_of_findings_may_be_named(tmp_path: Path) -> None:
    code, _ = call("check", str(small_corpus(tmp_path / "corpus", count=1)), "--csv", "to/send.csv")
    assert code == 0 and (tmp_path / "to" / "send.csv").is_file()


def test_findings_that_cannot_be_written_are_an_error_of_the_output(tmp_path: Path) -> None:
    code, said = call("check", str(small_corpus(tmp_path / "corpus", count=1)), "--csv", str(tmp_path))
    assert code == 5 and "it is a folder" in said


def test_check_knows_the_settings_of_the_corpus(tmp_path: Path) -> None:
    corpus = small_corpus(tmp_path / "corpus", count=1)
    (corpus / "files.tsv").write_text("document\tlang\tfile\nd\txx\tes/case-01.txt\n", encoding="utf-8")
    code, said = call("check", str(corpus), "--set", "corpus.files=files.tsv", "--json")
    assert code == 0 and json.loads(said)["documents"] == {"xx": 1}
    code, said = call("check", str(corpus), "--set", "corpus.flies=files.tsv")
    assert code == 2 and "nearest known one is files" in said
