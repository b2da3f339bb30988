"""Ingest: the rows of the files that a scan found."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from data_contracts.corpus import ANNOTATION_LINES, DOCUMENTS, MENTIONS, REJECTS, WARNINGS
from pipeline_lib.corpus.documents import annotations_hash, hash_file, read_document
from pipeline_lib.corpus.files import CorpusError, TextFile, problem_row, text_file


def ingest(
    root: Path, files: pa.Table, source: str, aliases: Mapping[str, str], at_once: int = 16
) -> Iterator[tuple[pa.Table, pa.Table, pa.Table, pa.Table, pa.Table]]:
    """Parts of (DOCUMENTS, MENTIONS, ANNOTATION_LINES, REJECTS, WARNINGS) of the given CORPUS_FILES.

    Only files of language ``source`` have their annotations read. Raises ``CorpusError`` if a file changed since it was scanned.
    """
    for first in range(0, max(files.num_rows, 1), at_once):
        documents, mentions, lines, rejects, warnings = [], [], [], [], []
        for row in files.slice(first, at_once).to_pylist():
            file = text_file(root, row)
            read = read_document(file, with_annotations=row["lang"] == source, aliases=aliases)
            _refuse_change(file, row)
            if read.document is not None:
                documents.append(read.document)
            mentions += read.mentions
            lines += read.lines
            rejects += [problem_row("ingest", problem) for problem in read.problems]
            warnings += [problem_row("ingest", warning) for warning in read.warnings]
        tables = ((DOCUMENTS, documents), (MENTIONS, mentions), (ANNOTATION_LINES, lines), (REJECTS, rejects), (WARNINGS, warnings))
        yield tuple(contract.table(rows) for contract, rows in tables)


def _refuse_change(file: TextFile, row: Mapping[str, Any]) -> None:
    """Raise ``CorpusError`` if the text or its annotations are no longer what the scan hashed; what was read must be what is recorded."""
    changed = row["file"] if hash_file(file.path) != row["sha256"] else None
    if row["annotations_sha256"] is not None and annotations_hash(file) != row["annotations_sha256"]:
        changed = row["annotations"]
    if changed:
        raise CorpusError(f"{changed} changed while the run was reading the corpus; run again")
