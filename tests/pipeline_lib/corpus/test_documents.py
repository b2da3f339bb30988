"""One document from its files to rows."""

import hashlib
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from data_contracts.corpus import ANNOTATION_LINES, DOCUMENTS, MENTIONS, REJECTS, WARNINGS
from pipeline_lib.corpus.documents import ReadDocument, annotations_hash, hash_file, read_document, table_problems
from pipeline_lib.corpus.files import TextFile
from pipeline_lib.corpus.layouts import discover
from pipeline_lib.corpus.standoff_rows import from_rows
from tests.pipeline_lib.corpus.trees import corpus

HEADER = b"filename\tlabel\tstart_span\tend_span\ttext\n"


def codes(read: ReadDocument) -> list[tuple[str, str]]:
    return [(problem.file, problem.code) for problem in read.problems]


def only_file(root: Path) -> TextFile:
    (file,) = discover(root, ["en"]).files
    return file


def test_a_document_becomes_rows_that_keep_their_contracts(tmp_path: Path) -> None:
    ann = b"T1\tSYMPTOM 0 5\tfever\n#1\tAnnotatorNotes T1\tsure\nT2\tSYMPTOM 6 9\tnot\n"
    read = read_document(only_file(corpus(tmp_path, {"en/a.txt": b"fever\r\ncough", "en/a.ann": ann})), with_annotations=True)
    assert read.document is not None
    DOCUMENTS.check(DOCUMENTS.table([read.document]))
    MENTIONS.check(MENTIONS.table(read.mentions))
    ANNOTATION_LINES.check(ANNOTATION_LINES.table(read.lines))
    REJECTS.check(REJECTS.table([{"stage": "read", **asdict(problem)} for problem in read.problems]))
    assert (read.document["text"], read.document["reading"]) == ("fever\ncough", "lf")
    assert [(row["mention"], row["file"]) for row in read.mentions] == [("T1", "en/a.ann")]
    assert [(problem.file, problem.line, problem.code) for problem in read.problems] == [("en/a.ann", 3, "surface_mismatch")]
    assert from_rows(read.mentions, read.lines).encode() == ann


def test_annotations_decide_the_reading_only_when_they_are_read(tmp_path: Path) -> None:
    file = only_file(corpus(tmp_path, {"en/a.txt": "\ufefffever".encode(), "en/a.ann": b"T1\tSYMPTOM 0 5\tfever\n"}))
    seen, unseen = read_document(file, with_annotations=True), read_document(file, with_annotations=False)
    assert seen.document is not None and unseen.document is not None
    assert (seen.document["reading"], unseen.document["reading"]) == ("nobom", "raw")


def test_annotations_that_were_not_asked_for_are_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = corpus(tmp_path, {"en/a.txt": b"fever", "en/a.ann": b"\xff"})
    opened: list[str] = []
    really_open = os.open

    def note_and_open(path: Path, flags: int) -> int:
        opened.append(path.name)
        return really_open(path, flags)

    monkeypatch.setattr(os, "open", note_and_open)
    read = read_document(only_file(root), with_annotations=False)
    assert opened == ["a.txt"]
    assert (read.mentions, read.lines, read.problems, read.warnings) == ([], [], [], [])


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"caf\xe9", "not_utf8"), (b"", "empty_document"), (b" \r\n\t", "empty_document"), ("\ufeff\n".encode(), "empty_document")],
)
def test_a_text_that_cannot_be_used_is_rejected_whole(tmp_path: Path, data: bytes, code: str) -> None:
    file = only_file(corpus(tmp_path, {"en/a.txt": data, "en/a.ann": b"T1\tSYMPTOM 0 5\tfever\n"}))
    read = read_document(file, with_annotations=True)
    assert (read.document, read.mentions, read.lines) == (None, [], [])
    assert codes(read) == [("en/a.txt", code)]


def test_annotations_that_are_not_utf8_are_rejected_and_the_text_stays(tmp_path: Path) -> None:
    read = read_document(only_file(corpus(tmp_path, {"en/a.txt": b"fever", "en/a.ann": b"T1\xe9"})), with_annotations=True)
    assert read.document is not None and read.mentions == []
    assert codes(read) == [("en/a.ann", "not_utf8")]


def test_what_is_no_readable_file_is_rejected_and_never_waited_for(tmp_path: Path) -> None:
    root = corpus(tmp_path, {"en/text.txt": b"fever"})
    (root / "en/folder.txt").mkdir()
    (root / "en/gone.txt").symlink_to(root / "en/nowhere")
    (root / "en/loop.txt").symlink_to(root / "en/loop.txt")
    os.mkfifo(root / "en/pipe.txt")
    os.mkfifo(root / "en/text.ann")
    reads = [read_document(file, with_annotations=True) for file in discover(root, ["en"]).files]
    assert [codes(read) for read in reads] == [
        [(f"en/{name}", "unreadable")] for name in ["folder.txt", "gone.txt", "loop.txt", "pipe.txt", "text.ann"]
    ]
    assert [read.document is not None for read in reads] == [False, False, False, False, True]


def test_an_alias_renames_the_label_and_the_line_is_written_back_as_it_was(tmp_path: Path) -> None:
    ann = b"T1\tSINTOMA 0 5\tfever\nT2\tOTHER 6 11\tcough\n"
    file = only_file(corpus(tmp_path, {"en/a.txt": b"fever cough", "en/a.ann": ann}))
    read = read_document(file, with_annotations=True, aliases={"SINTOMA": "SYMPTOM"})
    assert [row["label"] for row in read.mentions] == ["SYMPTOM", "OTHER"]
    assert from_rows(read.mentions, read.lines).encode() == ann


def test_the_rows_of_a_tsv_are_the_mentions_of_its_documents(tmp_path: Path) -> None:
    rows = b"a\tSYMPTOM\t0\t5\tfever\na\tSYMPTOM\t6\t9\tnot\nb.txt\tSYMPTOM\t0\t4\tpain\n"
    root = corpus(tmp_path, {"en/a.txt": b"fever cough", "en/b.txt": b"pain", "en/c.txt": b"none", "en.tsv": HEADER + rows})
    reads = [read_document(file, with_annotations=True) for file in discover(root, ["en"]).files]
    found = [[(row["mention"], row["starts"], row["ends"], row["surface"], row["line"]) for row in read.mentions] for read in reads]
    assert found == [[("T1", [0], [5], "fever", 2)], [("T1", [0], [4], "pain", 4)], []]
    assert [(problem.file, problem.line, problem.code) for read in reads for problem in read.problems] == [
        ("en.tsv", 3, "surface_mismatch")
    ]
    for read in reads:
        MENTIONS.check(MENTIONS.table(read.mentions))


def test_a_tsv_without_text_is_taken_at_its_word_counting_line_ends_as_brat_does(tmp_path: Path) -> None:
    root = corpus(
        tmp_path, {"en/a.txt": b"x\r\nfever", "en.tsv": b"filename\tlabel\tstrat_span\tend_span\na\tSYMPTOM\t2\t7\na\tS\t2\t70\n"}
    )
    read = read_document(only_file(root), with_annotations=True)
    assert [row["surface"] for row in read.mentions] == ["fever"]
    assert codes(read) == [("en.tsv", "span_out_of_text")]


def test_a_document_s_hash_follows_its_own_rows_of_a_tsv(tmp_path: Path) -> None:
    root = corpus(tmp_path, {"en/a.txt": b"fever", "en/b.txt": b"pain", "en.tsv": HEADER + b"a\tS\t0\t5\tfever\nb\tS\t0\t4\tpain\n"})
    a, b = discover(root, ["en"]).files
    before = [annotations_hash(file) for file in (a, b)]
    corpus(root, {"en.tsv": HEADER + b"a\tS\t0\t5\tfever\nb\tDISEASE\t0\t4\tpain\n"})
    after = [annotations_hash(file) for file in (a, b)]
    assert before[0] == after[0] and before[1] != after[1]


def test_what_of_a_tsv_belongs_to_no_text_is_told_by_line(tmp_path: Path) -> None:
    root = corpus(tmp_path, {"en.tsv": HEADER + b"a\tS\t0\t5\tfever\nz\tS\t1\t3\tx\na\tS\tone\t5\tx\n"})
    found = sorted((problem.line, problem.code, problem.start) for problem in table_problems(root, "en.tsv", "en", {"a"}))
    assert found == [(3, "unknown_document", 1), (4, "bad_row", None)]


def test_rows_of_unknown_documents_are_told_in_the_order_of_the_table(tmp_path: Path) -> None:
    """Whatever the hash of their names."""
    rows = "".join(f"{name}\tS\t1\t3\tx\n" for name in "hgfedcbahgfedcba")
    root = corpus(tmp_path, {"en.tsv": HEADER + rows.encode()})
    assert [problem.line for problem in table_problems(root, "en.tsv", "en", set())] == list(range(2, 18))


@pytest.mark.parametrize("table", [b"\xff", None])
def test_a_tsv_that_cannot_be_read_is_a_reject_of_its_documents(tmp_path: Path, table: bytes | None) -> None:
    root = corpus(tmp_path, {"en/a.txt": b"fever", "en.tsv": table or b""})
    file = only_file(root)
    if table is None:
        (root / "en.tsv").unlink()
    assert codes(read_document(file, with_annotations=True)) == [("en.tsv", "unreadable")]


def warnings(read: ReadDocument) -> list[tuple[object, ...]]:
    return [(found.file, found.code, found.line, found.start, found.end, found.count) for found in read.warnings]


def test_what_is_irregular_is_taken_and_told_with_its_place(tmp_path: Path) -> None:
    text = "no\u00a0fever, a\u00a0cough".encode()
    ann = b"T1\tSYMPTOM 3 8\tfever\nT2\tSYMPTOM 3 7\tfeve\n#1\tAnnotatorNotes T9\tx"
    read = read_document(only_file(corpus(tmp_path, {"en/a.txt": text, "en/a.ann": ann})), with_annotations=True)
    assert warnings(read) == [
        ("en/a.txt", "non_breaking_space", None, 2, 3, 2),
        ("en/a.ann", "cut_word", 2, 3, 7, 1),
        ("en/a.ann", "same_label_nested", 2, 3, 7, 1),
        ("en/a.ann", "dangling_reference", 3, None, None, 1),
        ("en/a.ann", "no_final_newline", 3, None, None, 1),
    ]
    WARNINGS.check(WARNINGS.table([{"stage": "read", **asdict(found)} for found in read.warnings]))


def test_what_the_reading_takes_away_is_told_without_a_place(tmp_path: Path) -> None:
    read = read_document(only_file(corpus(tmp_path, {"en/a.txt": b"fever\r\n\tcough\r\n"})), with_annotations=True)
    assert read.document is not None and read.document["reading"] == "lf"
    assert warnings(read) == [("en/a.txt", "tab", None, 6, 7, 1), ("en/a.txt", "crlf", None, None, None, 2)]


def test_rows_of_a_tsv_are_looked_at_as_mentions_not_as_lines_of_a_file(tmp_path: Path) -> None:
    rows = b"a\tS\t0\t5\tfever\na\tS\t0\t5\tfever\n"
    root = corpus(tmp_path, {"en/a.txt": b"fever", "en/b.txt": b"pain", "en.tsv": HEADER + rows})
    found = [warnings(read_document(file, with_annotations=True)) for file in discover(root, ["en"]).files]
    assert found == [[("en.tsv", "same_label_identical", 3, 0, 5, 1)], []]


def test_a_file_that_cannot_be_read_has_an_empty_hash(tmp_path: Path) -> None:
    assert hash_file(tmp_path) == hash_file(tmp_path / "missing") == hash_file(Path(os.devnull)) == ""
    (tmp_path / "empty").write_bytes(b"")
    assert hash_file(tmp_path / "empty") == hashlib.sha256(b"").hexdigest()
