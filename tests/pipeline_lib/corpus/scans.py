"""A corpus scanned and ingested, its tables checked."""

from pathlib import Path

import pyarrow as pa

from data_contracts.corpus import ANNOTATION_LINES, CORPUS_FILES, DOCUMENTS, MENTIONS, REJECTS, WARNINGS
from pipeline_lib.corpus.ingest import ingest
from pipeline_lib.corpus.layouts import CorpusConfig
from pipeline_lib.corpus.scan import Scan, ShardConfig, scan_corpus

Tables = tuple[pa.Table, pa.Table, pa.Table, pa.Table]
CONTRACTS = (DOCUMENTS, MENTIONS, ANNOTATION_LINES, REJECTS, WARNINGS)


def read(root: Path, scan: Scan, at_once: int = 16) -> Tables:
    parts = list(ingest(root, scan.files, scan.source, {}, at_once))
    for part in parts:
        for contract, table in zip(CONTRACTS, part, strict=True):
            contract.check(table)
    documents, mentions, lines, rejects, _ = (pa.concat_tables(tables) for tables in zip(*parts, strict=True))
    return documents, mentions, lines, rejects


def scanned(root: Path, source: str = "es", targets: tuple[str, ...] = ("en",), shards: int | None = None) -> Scan:
    found = scan_corpus(root, source, targets, CorpusConfig(), ShardConfig(), shards)
    CORPUS_FILES.check(found.files)
    REJECTS.check(found.rejects)
    return found


def files_below(root: Path, suffix: str) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob(f"*{suffix}")}


def column(table: pa.Table, name: str) -> list[str]:
    values: list[str] = table[name].to_pylist()
    return values
