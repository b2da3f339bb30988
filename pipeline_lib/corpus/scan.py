"""Scan: which files a run reads, with the hash of each, and in which shard."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
from pydantic import BaseModel, Field

from data_contracts.corpus import CORPUS_FILES, REJECTS
from pipeline_lib.corpus.documents import annotations_hash, hash_file, table_problems
from pipeline_lib.corpus.files import CorpusError, FileProblem, TextFile, printable, problem_row
from pipeline_lib.corpus.layouts import CorpusConfig, discover, resolve_language
from pipeline_lib.corpus.scored import read_scored

NO_COUNTERPART = "a document has a text in both the source and the target language"
UNKNOWN_SCORED = "a document that is listed as scored has a text in both languages"


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


def scan_corpus(
    root: Path,
    source: str,
    targets: Sequence[str],
    corpus: CorpusConfig,
    config: ShardConfig,
    shards: int | None = None,
    trained: frozenset[str] = frozenset(),
) -> Scan:
    """List and hash what the run reads. Raises ``CorpusError`` where there is nothing to do.

    Args:
        shards: the collection's number of shards, if an earlier run chose it.
        trained: ids or names of documents whose gold is learnt from: it is not scored in any language.
    """
    own = resolve_language(root, source, corpus)
    langs = list(dict.fromkeys(resolve_language(root, lang, corpus) for lang in targets))
    found = discover(root, [own, *langs], corpus)
    by_lang = {lang: {file.document: file for file in found.files if file.lang == lang} for lang in [own, *langs]}
    for lang in langs:
        if not by_lang[own].keys() & by_lang[lang].keys():
            raise CorpusError(f"no document has a text in both {own} and {lang}: a document is the same file name in two languages")
    count = shards or config.count(len(by_lang[own]))
    kept = [file for file in found.files if file.document in by_lang[own]]
    scored = _listed(root, corpus)
    learnt = {file.document for file in kept if not trained.isdisjoint((file.document, file.name))}
    files = [
        _file_row(file, file.lang == own, _is_scored(file, scored) and file.document not in learnt, shard_of(file.document, count))
        for file in kept
    ]
    problems = [*found.problems, *strays(root, by_lang[own].values()), *_unpaired(by_lang, own, langs), *unknown_scored(root, corpus, kept)]
    return Scan(own, langs, count, CORPUS_FILES.table(files), REJECTS.table([problem_row("scan", problem) for problem in problems]))


def files_of(files: pa.Table, lang: str, shard: int) -> pa.Table:
    """The rows of one language and shard."""
    return pl.DataFrame(files).filter((pl.col("lang") == lang) & (pl.col("shard") == shard)).to_arrow().cast(CORPUS_FILES.schema)


def text_file(root: Path, row: Mapping[str, Any]) -> TextFile:
    """The file of one row of CORPUS_FILES."""
    return TextFile(root, row["document"], row["lang"], row["file"], row["annotations"], row["split"], row["entity"], row["name"])


def strays(root: Path, files: Iterable[TextFile]) -> Iterator[FileProblem]:
    """What the TSV files of these texts hold that belongs to none of them."""
    names: dict[tuple[str, str], set[str]] = {}
    for file in files:
        if file.annotations and file.annotations.endswith(".tsv"):
            names.setdefault((file.annotations, file.lang), set()).add(file.name)
    for (table, lang), known in sorted(names.items()):
        yield from table_problems(root, table, lang, known)


def unknown_scored(root: Path, corpus: CorpusConfig, files: Iterable[TextFile]) -> list[FileProblem]:
    """One problem for every document that is listed as scored and not among ``files``. Raises ``CorpusError``."""
    missing = (_listed(root, corpus) or frozenset()) - {name for file in files for name in (file.document, file.name)}
    return [FileProblem(printable(corpus.scored), None, None, "unknown_scored", UNKNOWN_SCORED)] * len(missing)


def _listed(root: Path, corpus: CorpusConfig) -> frozenset[str] | None:
    return read_scored(root / corpus.scored) if corpus.scored else None


def _is_scored(file: TextFile, scored: frozenset[str] | None) -> bool:
    """Whether this text has gold that counts: annotations and, where there is a list, its document's id or its own name on it."""
    return file.annotations is not None and (scored is None or not scored.isdisjoint((file.document, file.name)))


def _file_row(file: TextFile, is_source: bool, scored: bool, shard: int) -> dict[str, object]:
    return {
        "document": file.document,
        "lang": file.lang,
        "name": file.name,
        "file": file.file,
        "sha256": hash_file(file.path),
        "annotations": file.annotations,
        "annotations_sha256": annotations_hash(file) if is_source and file.annotations else None,
        "scored": scored,
        "split": file.split,
        "entity": file.entity,
        "shard": shard,
    }


def _unpaired(by_lang: Mapping[str, Mapping[str, TextFile]], source: str, targets: Sequence[str]) -> Iterator[FileProblem]:
    for lang in targets:
        for document in sorted(by_lang[source].keys() ^ by_lang[lang].keys()):
            file = by_lang[lang].get(document) or by_lang[source][document]
            yield FileProblem(printable(file.file), document, lang, "no_counterpart", NO_COUNTERPART)
