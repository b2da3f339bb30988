"""The list of documents whose gold may be learnt from."""

from pathlib import Path

import pytest

from pipeline_lib.corpus.files import CorpusError
from pipeline_lib.corpus.layouts import CorpusConfig
from pipeline_lib.corpus.scan import ShardConfig, scan_corpus
from pipeline_lib.supervision.declared import check_declared, declared_documents, declared_gold, gold_hashes, read_declared


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three documents; ``c`` has no gold, that of ``b`` holds no mention."""
    for lang in ("es", "en"):
        (tmp_path / lang).mkdir()
        for name in "abc":
            (tmp_path / lang / f"{name}.txt").write_text("fever and cough", "utf-8")
    for name, line in {"es/a": "T1\tD 0 5\tfever\n", "en/a": "T1\tD 0 5\tfever\n", "en/b": "#1\tnote\n"}.items():
        (tmp_path / f"{name}.ann").write_text(line, "utf-8")
    return tmp_path


def listed(folder: Path, text: str) -> Path:
    (folder / "train.txt").write_text(text, "utf-8")
    return folder / "train.txt"


def check(root: Path, text: str) -> None:
    files = scan_corpus(root, "es", ["en"], CorpusConfig(), ShardConfig()).files
    check_declared(read_declared(listed(root, text)), root, files, ["en"], {})


def test_ids_keep_their_lines_and_need_no_suffix(tmp_path: Path) -> None:
    declared = read_declared(listed(tmp_path, "\ufeffa\r\n\r\n b.txt \na\n"))
    assert declared.lines == {"a": 1, "b": 3}
    assert declared.names == {"a", "b"}


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "lists no document"), (" \n\n", "lists no document"), ("a\nb\tc\n", "line 2 has several columns")],
)
def test_a_list_that_is_none_is_refused_with_its_name(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CorpusError, match=rf"train\.txt: {message}"):
        read_declared(listed(tmp_path, text))


def test_a_list_that_cannot_be_read_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"train\.txt: unreadable"):
        read_declared(tmp_path / "train.txt")
    (tmp_path / "train.txt").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(CorpusError, match=r"train\.txt: unreadable"):
        read_declared(tmp_path / "train.txt")


def test_documents_with_gold_pass_even_if_one_holds_no_mention(root: Path) -> None:
    check(root, "a\n")
    check(root, "b\na\n")


def test_gold_without_any_mention_is_refused(root: Path) -> None:
    with pytest.raises(CorpusError, match=r"train\.txt: no document that it lists has a gold mention in en"):
        check(root, "b\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\n\nz\n", "line 3: the corpus has no document z"),
        ("a\nc\n", "line 2: document c has no gold in en"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused_with_file_and_line(root: Path, text: str, message: str) -> None:
    with pytest.raises(CorpusError, match=rf"train\.txt: {message}"):
        check(root, text)


def test_declared_documents_are_not_scored_and_others_are(root: Path) -> None:
    found = scan_corpus(root, "es", ["en"], CorpusConfig(), ShardConfig(), None, frozenset("a"))
    assert {(row["document"], row["scored"]) for row in found.files.to_pylist() if row["lang"] == "en"} == {
        ("a", False),
        ("b", True),
        ("c", False),
    }


def test_a_name_of_any_language_means_the_document() -> None:
    rows = [{"document": "1", "name": "es-1"}, {"document": "1", "name": "en-1"}, {"document": "2", "name": "en-2"}]
    assert declared_documents(rows, frozenset({"en-1"})) == {"1"}
    assert declared_documents(rows, frozenset({"2", "es-1"})) == {"1", "2"}


def test_gold_of_the_given_documents_alone_is_read(root: Path) -> None:
    (root / "en" / "b.ann").write_bytes(b"\xff")
    rows = [row for row in scan_corpus(root, "es", ["en"], CorpusConfig(), ShardConfig()).files.to_pylist() if row["lang"] == "en"]
    declared = [row for row in rows if row["document"] == "a"]
    assert declared_gold(root, declared, {"D": "E"}) == {"a": [("E", 0, 5)]}
    before = gold_hashes(root, declared)
    (root / "en" / "a.ann").write_text("T1\tD 0 9\tfever and\n", "utf-8")
    assert gold_hashes(root, declared) != before
