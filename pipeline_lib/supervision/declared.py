"""Declared documents: those whose target gold a run may learn from, and whose scores therefore say nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline_lib.corpus.documents import annotations_hash
from pipeline_lib.corpus.files import CorpusError, printable, text_file
from pipeline_lib.corpus.text import BOM, NotUtf8, decode
from pipeline_lib.evaluation.gold import Mention, gold_mentions

Row = dict[str, Any]


@dataclass(frozen=True)
class Declared:
    """Document ids as they were declared, with the line of each, and the file that declares them."""

    file: str
    lines: Mapping[str, int] = field(default_factory=dict)

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self.lines)


def read_declared(path: Path) -> Declared:
    """The ids of a file, one a line, without a final ``.txt``; blank lines are skipped.

    Raises:
        CorpusError: unreadable, several columns, or no id at all.
    """
    name = printable(str(path))
    try:
        text = decode(path.read_bytes()).removeprefix(BOM)
    except OSError as error:
        raise CorpusError(f"{name}: unreadable, {error.strerror}") from error
    except NotUtf8 as error:
        raise CorpusError(f"{name}: unreadable, {error}") from error
    lines: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if "\t" in line.strip():
            raise CorpusError(f"{name}: line {number} has several columns, where one document id is expected")
        if line.strip():
            lines.setdefault(line.strip().removesuffix(".txt"), number)
    if not lines:
        raise CorpusError(f"{name}: lists no document")
    return Declared(name, lines)


def check_declared(declared: Declared, root: Path, files: pa.Table, targets: Sequence[str], aliases: Mapping[str, str]) -> None:
    """Every declared document is there and is annotated in a target language, be it that it holds no mention; one at least holds some.

    Args:
        files: CORPUS_FILES.

    Raises:
        CorpusError: with the file and line that declare the first document that is not there or not annotated.
    """
    rows = files.to_pylist()
    known: dict[str, set[str]] = {}
    for row in rows:
        for name in (row["document"], row["name"]):
            known.setdefault(name, set()).add(row["document"])
    of_document: dict[str, list[Row]] = {}
    for row in rows:
        if row["lang"] in targets and row["annotations"] is not None:
            of_document.setdefault(row["document"], []).append(row)
    golds: list[Row] = []
    for name, line in declared.lines.items():
        where = f"{declared.file}: line {line}"
        if name not in known:
            raise CorpusError(f"{where}: the corpus has no document {printable(name)}")
        annotated = [row for document in known[name] for row in of_document.get(document, [])]
        if not annotated:
            raise CorpusError(f"{where}: document {printable(name)} has no gold in {', '.join(targets)}")
        golds += annotated
    if not any(gold_mentions(text_file(root, row), aliases).mentions for row in golds):
        raise CorpusError(f"{declared.file}: no document that it lists has a gold mention in {', '.join(targets)}")


def declared_documents(files: Sequence[Mapping[str, Any]], names: frozenset[str]) -> frozenset[str]:
    """The ids of the documents that one of ``names`` means, in any language.

    Args:
        files: rows of CORPUS_FILES, or what has ``document`` and ``name`` of them.
    """
    return frozenset(row["document"] for row in files if not names.isdisjoint((row["document"], row["name"])))


def declared_gold(root: Path, rows: Sequence[Row], aliases: Mapping[str, str]) -> dict[str, list[Mention]]:
    """Gold of the given rows of CORPUS_FILES, by document; no other document's is read. Documents without any are left out."""
    found = {row["document"]: gold_mentions(text_file(root, row), aliases).mentions for row in rows}
    return {document: mentions for document, mentions in found.items() if mentions}


def gold_hashes(root: Path, rows: Sequence[Row]) -> list[str]:
    """Hash of what annotates each of the given texts."""
    return [annotations_hash(text_file(root, row)) for row in rows]
