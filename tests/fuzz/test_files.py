"""Laws of files on disk, whatever they are called and whatever is in them."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from data_contracts.corpus import ANNOTATION_LINES, DOCUMENTS, MENTIONS, REJECTS, WARNINGS
from pipeline_lib.corpus.documents import read_document
from pipeline_lib.corpus.files import TextFile, is_safe, printable, problem_row
from pipeline_lib.corpus.layouts import discover, languages
from pipeline_lib.corpus.plain import discover_tree
from pipeline_lib.corpus.standoff_rows import from_rows
from pipeline_lib.storage.write import write_file
from tests.fuzz.strategies import CANARY, SHEETS, TEXTS, Sheet

PARTS = (
    "a",
    "case 01",
    "..",
    ".",
    "-",
    "\\",
    ":",
    "%2f",
    "\u2215",
    "\n",
    "\t",
    "\r",
    "\x7f",
    "\u202e",
    "\u2028",
    "e\u0301",
    "\U0001f48a",
    "\udcff",
    "\udce9",
)
STEMS = st.lists(st.sampled_from(PARTS), min_size=1, max_size=4).map("".join) | st.binary(max_size=12).map(os.fsdecode) | st.just("é" * 124)
SUFFIXES = st.sampled_from([".txt", ".txt", ".ann", ".ann", ".tsv", ".TXT", ""])
NAMES = st.builds("{}{}".format, STEMS, SUFFIXES).filter(
    lambda name: not {"/", "\0"} & set(name) and name not in ("", ".", "..") and len(os.fsencode(name)) <= 255
)
ALIASES = {"ENFERMEDAD": "DISEASE"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def fresh(folder: Path) -> Path:
    """An empty corpus of one language: the fixture is one for all examples."""
    shutil.rmtree(folder / "corpus", ignore_errors=True)
    (folder / "corpus" / "es").mkdir(parents=True)
    return folder / "corpus"


@pytest.mark.weight(2)
@given(names=st.sets(NAMES, max_size=5))
@example(names={".txt", ".ann", "..txt", "a.b.txt", "a..b.txt", ".a.txt", "-.ann", "\udcff.txt", "A.TXT", "a.Ann"})
def test_every_text_and_every_annotation_file_is_found_or_rejected_and_none_outside(folder: Path, names: set[str]) -> None:
    root = fresh(folder)
    for name in (*names, "anchor.txt"):
        (root / "es" / name).write_bytes(b"fever")
    assert languages(root) == ["es"]
    found = discover(root, ["es"])
    rejected = {problem.file for problem in found.problems}
    texts, annotations = ({f"es/{name}" for name in (*names, "anchor.txt") if name.lower().endswith(suffix)} for suffix in (".txt", ".ann"))
    assert {file.file for file in found.files} | {file for file in texts if printable(file) in rejected} == texts
    assert {file.annotations for file in found.files} - {None} | {
        file for file in annotations if printable(file) in rejected
    } == annotations
    assert len(found.files) + len(found.problems) == len(texts) + len(annotations) - sum(
        file.annotations is not None for file in found.files
    )
    for file in found.files:
        assert is_safe(file.document) and ".." not in file.document and file.path.parent == root / "es"
        write_file(folder / "out" / f"{file.document}.ann", "")
        assert (folder / "out" / f"{file.document}.ann").is_file()
    assert all(problem.file.isprintable() for problem in found.problems)


@pytest.mark.weight(2)
@given(names=st.sets(NAMES, max_size=5))
def test_a_tree_of_texts_gives_the_same_account(folder: Path, names: set[str]) -> None:
    root = fresh(folder)
    for name in names:
        (root / "es" / name).write_bytes(b"fever")
    found = discover_tree(root)
    told = {file.file for file in found.files} | {file.annotations for file in found.files} | {problem.file for problem in found.problems}
    wanted = [f"es/{name}" for name in names if name.lower().endswith((".txt", ".ann"))]
    assert all(name in told or printable(name) in told for name in wanted)


@pytest.mark.weight(4)
@given(SHEETS)
def test_a_document_is_rows_warnings_and_rejects_that_keep_their_contracts(folder: Path, sheet: Sheet) -> None:
    (folder / "d.txt").write_bytes(sheet.text.encode("utf-8"))
    (folder / "d.ann").write_bytes(sheet.data.encode("utf-8"))
    read = read_document(TextFile(folder, "d", "es", "d.txt", "d.ann"), with_annotations=True, aliases=ALIASES)
    rejects, warnings = ([problem_row("ingest", found) for found in rows] for rows in (read.problems, read.warnings))
    tables = ((DOCUMENTS, [read.document] if read.document else []), (MENTIONS, read.mentions), (ANNOTATION_LINES, read.lines))
    for contract, rows in (*tables, (REJECTS, rejects), (WARNINGS, warnings)):
        contract.check(contract.table(rows))
    assert CANARY not in repr((rejects, warnings))
    assert "ENFERMEDAD" not in {row["label"] for row in read.mentions}
    if read.document is None:
        assert [row["code"] for row in rejects] == ["empty_document"] and not read.mentions + read.lines
    else:
        assert from_rows(read.mentions, read.lines) == sheet.data


@pytest.mark.weight(2)
@given(
    st.binary(max_size=60) | TEXTS.map(lambda text: text.encode("utf-16")),
    st.binary(max_size=60) | SHEETS.map(lambda sheet: sheet.data.encode("utf-8")),
)
def test_any_bytes_are_a_document_or_one_reject(folder: Path, text: bytes, annotations: bytes) -> None:
    (folder / "d.txt").write_bytes(text)
    (folder / "d.ann").write_bytes(annotations)
    read = read_document(TextFile(folder, "d", "es", "d.txt", "d.ann"), with_annotations=True)
    refused = [(problem.file, problem.code) for problem in read.problems if problem.line is None]
    if read.document is None:
        assert [file for file, _ in refused] == ["d.txt"] and refused[0][1] in ("not_utf8", "empty_document")
        assert not read.mentions + read.lines + read.warnings
    elif refused:
        assert refused == [("d.ann", "not_utf8")] and not read.mentions + read.lines
    else:
        assert from_rows(read.mentions, read.lines).encode("utf-8") == annotations
