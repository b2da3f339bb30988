"""A TSV that names every text."""

from pathlib import Path

import pytest

from pipeline_lib.corpus.files import CorpusError, TextFile
from pipeline_lib.corpus.listing import discover_listed
from tests.pipeline_lib.corpus.trees import corpus


def listed(root: Path, table: str) -> Path:
    return corpus(root / "corpus", {"files.tsv": table.encode(), "x/a.txt": b"x", "x/a.ann": b"", "y/b.txt": b"x"})


def test_texts_are_what_the_list_says_whatever_their_names(tmp_path: Path) -> None:
    root = listed(tmp_path, "lang\tdocument\tfile\tannotations\tentity\tname\nes\td1\tx/a.txt\tx/a.ann\tdisease\tA-1\nen\td1\ty/b.txt\n")
    found = discover_listed(root, "files.tsv")
    assert found.problems == []
    assert found.files == [
        TextFile(root, "d1", "es", "x/a.txt", "x/a.ann", None, "disease", "A-1"),
        TextFile(root, "d1", "en", "y/b.txt"),
    ]
    assert [file.name for file in found.files] == ["A-1", "d1"]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("d/1\tes\tx/a.txt\t", "unsafe_name"),
        ("d1\t..\tx/a.txt\t", "unsafe_name"),
        ("\tes\tx/a.txt\t", "unsafe_name"),
        ("d1\tes\t../outside.txt\t", "outside_corpus"),
        ("d1\tes\t/etc/hostname\t", "outside_corpus"),
        ("d1\tes\tx/a.txt\t../outside.txt", "outside_corpus"),
        ("d1\tes\tx/absent.txt\t", "unreadable"),
        ("d1\tes\t\t", "unreadable"),
        ("d1\tes\tx/a.txt\tx/absent.ann", "unreadable"),
        ("d1\tes\tx/a.txt\ty/b.txt", "unknown_annotations"),
        ("d1\tes\tx/a.txt\tx/a.TSV", "unknown_annotations"),
        ("d1\tes\tx/a\0.txt\t", "outside_corpus"),
        (f"d1\tes\t{'x' * 300}.txt\t", "unreadable"),
        (f"d1\tes\tx/a.txt\t{'x' * 300}.ann", "unreadable"),
    ],
)
def test_a_row_that_names_no_usable_text_is_rejected_by_its_line(tmp_path: Path, row: str, code: str) -> None:
    (tmp_path / "outside.txt").write_bytes(b"x")
    found = discover_listed(listed(tmp_path, f"document\tlang\tfile\tannotations\nd0\tes\ty/b.txt\t\n{row}\n"), "files.tsv")
    assert [file.document for file in found.files] == ["d0"]
    assert [(problem.file, problem.code) for problem in found.problems] == [("files.tsv, line 3", code)]


@pytest.mark.parametrize(("table", "said"), [("document\tfile\n", "missing columns \\['lang'\\]"), ("", "missing columns")])
def test_a_list_without_its_columns_is_an_error(tmp_path: Path, table: str, said: str) -> None:
    with pytest.raises(CorpusError, match=said):
        discover_listed(listed(tmp_path, table), "files.tsv")


@pytest.mark.parametrize(
    "rows", [f"d1\tes\t{'x' * 140_000}\n", 'd1\tes\t"x/a.txt\nd2\tes\ty/b.txt\n', 'd1\tes\t"x/a.txt\nd2\tes\t"y/b.txt\n']
)
def test_a_list_whose_quotes_swallow_rows_or_whose_cells_never_end_is_an_error(tmp_path: Path, rows: str) -> None:
    with pytest.raises(CorpusError, match=r"list of files files\.tsv: after line \d: "):
        discover_listed(listed(tmp_path, f"document\tlang\tfile\n{rows}"), "files.tsv")


def test_a_quoted_cell_may_hold_a_tab(tmp_path: Path) -> None:
    root = corpus(tmp_path, {"files.tsv": b'document\tlang\tfile\nd1\tes\t"x/a\tb.txt"\n', "x/a\tb.txt": b"x"})
    assert [file.file for file in discover_listed(root, "files.tsv").files] == ["x/a\tb.txt"]


def test_a_list_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    root = corpus(tmp_path, {"files.tsv": b"\xff"})
    for name, said in (("absent.tsv", "cannot read"), ("files.tsv", "not UTF-8 at byte 0")):
        with pytest.raises(CorpusError, match=said):
            discover_listed(root, name)
