import os
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts.corpus import ANNOTATION_LINES, DOCUMENTS, MENTIONS, REJECTS
from pipeline_lib.corpus.brat import from_rows
from pipeline_lib.corpus.layouts import (
    CorpusError,
    Discovery,
    ReadDocument,
    TextFile,
    discover,
    is_safe,
    languages,
    printable,
    read_document,
    resolve_language,
)
from tests.pipeline_lib.corpus.trees import corpus


def codes(found: Discovery | ReadDocument) -> list[tuple[str, str]]:
    return [(problem.file, problem.code) for problem in found.problems]


def only_file(root: Path) -> TextFile:
    (file,) = discover(root, ["en"]).files
    return file


@given(st.text(alphabet=st.characters()))
def test_a_safe_name_is_one_printable_path_component_at_most_spaces_aside(name: str) -> None:
    if is_safe(name):
        assert Path(name).name == name and "\\" not in name
        assert len(name.encode()) <= 200 and len(name.splitlines()) == 1
    assert printable(name).isprintable()


@pytest.mark.parametrize("name", ["case-01", "caso clínico 7", "případ", "症例", "sample-010.intme.progr", "e\u0301tude", "a" * 200])
def test_ordinary_names_are_safe(name: str) -> None:
    assert is_safe(name)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", ".hidden", "-rf", "a..b", "a/b", "a\\b", "c:a", "a\nb", "a\tb", "a\x7f", "a\u2028b", "caf\udce9", "a" * 201, "é" * 101],
)
def test_names_that_break_a_path_or_a_table_are_unsafe(name: str) -> None:
    assert not is_safe(name)


def test_texts_are_found_with_their_annotations_sorted_by_document_then_language(tmp_path: Path) -> None:
    names = ["es/b.txt", "es/a.txt", "es/a.ann", "en/b.txt", "en/b.ann", "en/notes.md", "en/.DS_Store", "README.txt"]
    root = corpus(tmp_path, dict.fromkeys(names, b"x"))
    found = discover(root, ["es", "en"])
    assert found.files == [
        TextFile("a", "es", root / "es/a.txt", "es/a.txt", root / "es/a.ann"),
        TextFile("b", "en", root / "en/b.txt", "en/b.txt", root / "en/b.ann"),
        TextFile("b", "es", root / "es/b.txt", "es/b.txt", None),
    ]
    assert found.problems == []
    assert found == discover(root, ["en", "es", "en"])


def test_only_the_languages_asked_for_are_discovered(tmp_path: Path) -> None:
    root = corpus(tmp_path, {"en/a.txt": b"x", "es/a.txt": b"x", "es/lone.ann": b""})
    assert [file.lang for file in discover(root, ["en"]).files] == ["en"]
    assert discover(root, ["en"]).problems == []


def test_unusable_files_are_rejects_that_can_be_printed(tmp_path: Path) -> None:
    root = corpus(tmp_path, {f"en/{name}": b"x" for name in ["fine.txt", "-x.txt", "a\tb.txt", "a\tb.ann", ".h.txt", "..txt", "lone.ann"]})
    (root / os.fsdecode(b"en/caf\xe9.txt")).write_bytes(b"x")
    found = discover(root, ["en"])
    assert [file.document for file in found.files] == ["fine"]
    assert codes(found) == [
        ("en/-x.txt", "unsafe_name"),
        ("en/..txt", "unsafe_name"),
        ("en/.h.txt", "unsafe_name"),
        ("en/a\\tb.ann", "unsafe_name"),
        ("en/a\\tb.txt", "unsafe_name"),
        ("en/caf\\udce9.txt", "unsafe_name"),
        ("en/lone.ann", "missing_text"),
    ]
    REJECTS.check(REJECTS.table([{"stage": "read", **asdict(problem)} for problem in found.problems]))


def test_a_symlink_may_stay_inside_the_corpus_but_not_leave_it(tmp_path: Path) -> None:
    (tmp_path / "outside").write_bytes(b"x")
    root = corpus(tmp_path / "corpus", {"en/a.txt": b"x", "en/b.txt": b"x"})
    (root / "en/a.ann").symlink_to(tmp_path / "outside")
    (root / "en/c.txt").symlink_to(tmp_path / "outside")
    (root / "en/c.ann").write_bytes(b"")
    (root / "en/d.txt").symlink_to(root / "en/a.txt")
    found = discover(root, ["en"])
    assert [(file.document, file.ann) for file in found.files] == [("a", None), ("b", None), ("d", None)]
    assert codes(found) == [("en/a.ann", "outside_corpus"), ("en/c.txt", "outside_corpus")]


def test_a_corpus_may_itself_be_reached_through_a_symlink(tmp_path: Path) -> None:
    corpus(tmp_path / "real", {"en/a.txt": b"x"})
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert codes(discover(tmp_path / "link", ["en"])) == []


@pytest.mark.parametrize(("there", "asked"), [("cz", "cs"), ("cs", "cz"), ("cz", "cz"), ("cs", "cs")])
def test_czech_is_found_under_either_code_and_keeps_the_corpus_own(tmp_path: Path, there: str, asked: str) -> None:
    root = corpus(tmp_path, {f"{there}/a.txt": b"x"})
    assert resolve_language(root, asked) == there
    assert [file.lang for file in discover(root, [asked, there]).files] == [there]


def test_a_language_without_documents_is_an_error_that_names_those_found(tmp_path: Path) -> None:
    root = corpus(tmp_path, {"en/a.txt": b"x", "es/a.txt": b"x", "it/a.ann": b"x", ".git/a.txt": b"x"})
    (root / "nl").mkdir()
    assert languages(root) == ["en", "es"]
    for code in ["it", "nl", "sv", "../en", ".git"]:
        with pytest.raises(CorpusError, match="the corpus has: en, es"):
            discover(root, [code])


def test_a_folder_that_is_no_corpus_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no such folder"):
        discover(tmp_path / "absent", ["en"])
    with pytest.raises(CorpusError, match="no language"):
        discover(tmp_path, ["en"])


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
    really_read = Path.read_bytes

    def note_and_read(path: Path) -> bytes:
        opened.append(path.name)
        return really_read(path)

    monkeypatch.setattr(Path, "read_bytes", note_and_read)
    read = read_document(only_file(root), with_annotations=False)
    assert opened == ["a.txt"]
    assert (read.mentions, read.lines, read.problems) == ([], [], [])


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
