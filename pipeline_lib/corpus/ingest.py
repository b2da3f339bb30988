"""Ingest: which files a run reads, in which shard, and their rows."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
from pydantic import BaseModel, Field

from data_contracts.corpus import ANNOTATION_LINES, CORPUS_FILES, DOCUMENTS, MENTIONS, REJECTS
from pipeline_lib.corpus.layouts import CorpusError, Discovery, FileProblem, TextFile, discover, read_document, resolve_language

NO_COUNTERPART = "a document has a text in both the source and the target language"


class ShardConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """How a collection is cut. The number of shards is a power of two, so that a few documents more seldom change it."""

    small: int = Field(8, ge=1, description="documents a shard of a small collection aims at")
    spread: int = Field(64, ge=1, description="shards that a growing collection is first spread over")
    large: int = Field(500, ge=1, description="documents a shard of a large collection holds at most, on average")

    def count(self, documents: int) -> int:
        """Shards for a collection of ``documents``."""
        wanted = max(min(-(-documents // self.small), self.spread), -(-documents // self.large))
        return 1 << max(wanted - 1, 0).bit_length()


@dataclass(frozen=True)
class Scan:
    """What a run will read: CORPUS_FILES, what it will not: REJECTS; the languages as the corpus spells them."""

    source: str
    targets: list[str]
    shards: int
    files: pa.Table
    rejects: pa.Table


def shard_of(document: str, shards: int) -> int:
    """The document's shard, by its id alone."""
    return int(hashlib.sha256(document.encode("utf-8")).hexdigest()[:8], 16) % shards


def scan_corpus(root: Path, source: str, targets: Sequence[str], config: ShardConfig, shards: int | None = None) -> Scan:
    """List and hash what the run reads. Raises ``CorpusError`` where there is nothing to do.

    Args:
        shards: the collection's number of shards, if an earlier run chose it.
    """
    own = resolve_language(root, source)
    langs = list(dict.fromkeys(resolve_language(root, lang) for lang in targets))
    found = discover(root, [own, *langs])
    by_lang = {lang: {file.document: file for file in found.files if file.lang == lang} for lang in [own, *langs]}
    for lang in langs:
        if not by_lang[own].keys() & by_lang[lang].keys():
            raise CorpusError(f"no document has a text in both {own} and {lang}: a document is the same file name in two languages")
    count = shards or config.count(len(by_lang[own]))
    kept = [file for file in found.files if file.document in by_lang[own]]
    files = [_file_row(file, file.lang == own, shard_of(file.document, count)) for file in kept]
    return Scan(own, langs, count, CORPUS_FILES.table(files), _scan_rejects(found, by_lang, own, langs))


def ingest(root: Path, files: pa.Table, source: str, at_once: int = 16) -> Iterator[tuple[pa.Table, pa.Table, pa.Table, pa.Table]]:
    """Parts of (DOCUMENTS, MENTIONS, ANNOTATION_LINES, REJECTS) of the given CORPUS_FILES.

    Only files of language ``source`` have their annotations read. Raises ``CorpusError`` if a file changed since it was scanned.
    """
    for first in range(0, max(files.num_rows, 1), at_once):
        documents, mentions, lines, rejects = [], [], [], []
        for row in files.slice(first, at_once).to_pylist():
            file = text_file(root, row)
            read = read_document(file, with_annotations=row["lang"] == source)
            _refuse_change(file, row)
            if read.document is not None:
                documents.append(read.document)
            mentions += read.mentions
            lines += read.lines
            rejects += [reject_row("ingest", problem) for problem in read.problems]
        yield DOCUMENTS.table(documents), MENTIONS.table(mentions), ANNOTATION_LINES.table(lines), REJECTS.table(rejects)


def reject_row(stage: str, problem: FileProblem) -> dict[str, object]:
    return {"stage": stage, **asdict(problem)}


def files_of(files: pa.Table, lang: str, shard: int) -> pa.Table:
    """The rows of one language and shard."""
    return pl.DataFrame(files).filter((pl.col("lang") == lang) & (pl.col("shard") == shard)).to_arrow().cast(CORPUS_FILES.schema)


def text_file(root: Path, row: dict[str, Any]) -> TextFile:
    """The file of one row of CORPUS_FILES."""
    path = root / row["file"]
    return TextFile(row["document"], row["lang"], path, row["file"], path.with_suffix(".ann") if row["annotated"] else None)


def _file_row(file: TextFile, is_source: bool, shard: int) -> dict[str, object]:
    return {
        "document": file.document,
        "lang": file.lang,
        "file": file.file,
        "sha256": hash_file(file.path),
        "annotated": file.ann is not None,
        "ann_sha256": hash_file(file.ann) if is_source and file.ann is not None else None,
        "shard": shard,
    }


def hash_file(path: Path) -> str:
    """SHA-256 of a file, empty where it cannot be read: ingest will reject it by its rule."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
    except OSError:
        return ""


def _refuse_change(file: TextFile, row: dict[str, Any]) -> None:
    """Raise ``CorpusError`` if the text or its annotations are no longer what the scan hashed; what was read must be what is recorded."""
    for path, sha256 in ((file.path, row["sha256"]), (file.ann, row["ann_sha256"])):
        if path is not None and sha256 is not None and hash_file(path) != sha256:
            changed = Path(row["file"]).with_suffix(path.suffix).as_posix()
            raise CorpusError(f"{changed} changed while the run was reading the corpus; run again")


def _scan_rejects(found: Discovery, by_lang: dict[str, dict[str, TextFile]], source: str, targets: list[str]) -> pa.Table:
    rows = [reject_row("scan", problem) for problem in found.problems]
    for lang in targets:
        for document in sorted(by_lang[source].keys() ^ by_lang[lang].keys()):
            file = by_lang[lang].get(document) or by_lang[source][document]
            rows.append(reject_row("scan", FileProblem(file.file, document, lang, "no_counterpart", NO_COUNTERPART)))
    return REJECTS.table(rows)
