"""Scan: which files a run reads, with the hash of each, and in which shard."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import polars as pl
import pyarrow as pa
from pydantic import BaseModel, Field

from data_contracts.corpus import CORPUS_FILES, REJECTS
from pipeline_lib.corpus.documents import annotations_hash, table_problems
from pipeline_lib.corpus.files import CorpusError, FileProblem, TextFile, printable, problem_row
from pipeline_lib.corpus.layouts import CorpusConfig, discover, resolve_languages
from pipeline_lib.corpus.scored import read_scored
from pipeline_lib.storage.seen import Seen

NO_COUNTERPART = "a document has a text in both the source and the target language"
UNKNOWN_SCORED = "a document that is listed as scored has a text in both languages"


FEW = 8  # shards that keep a handful of workers busy to the end


class ShardConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """How a collection is cut. The number of shards is a power of two, so that a few documents more seldom change it."""

    small: int = Field(8, ge=1, description="documents a shard of a small collection aims at")
    spread: int = Field(64, ge=1, description="shards that a growing collection is first spread over")
    large: int = Field(500, ge=1, description="documents a shard of a large collection holds at most, on average")

    def by_document(self) -> Self:
        """For runs whose stages renew single documents: small shards would spare them little, and each is a task to be kept account of."""
        return self.model_copy(update={"spread": min(self.spread, FEW), "large": 2 * self.large})

    def count(self, documents: int, before: int | None = None) -> int:
        """Shards for a collection of ``documents``. A number that was chosen ``before`` stays until its shards are twice too large."""
        if before is not None and documents <= 2 * before * self.large:
            return before
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
    own, *resolved = resolve_languages(root, [source, *targets], corpus)
    langs = list(dict.fromkeys(resolved))
    found = discover(root, [own, *langs], corpus)
    by_lang: dict[str, dict[str, TextFile]] = {lang: {} for lang in [own, *langs]}
    for file in found.files:
        by_lang[file.lang][file.document] = file
    for lang in langs:
        if not by_lang[own].keys() & by_lang[lang].keys():
            raise CorpusError(f"no document has a text in both {own} and {lang}: a document is the same file name in two languages")
    count = config.count(len(by_lang[own]), shards)
    kept = [file for file in found.files if file.document in by_lang[own]]
    scored = _listed(root, corpus)
    learnt = {file.document for file in kept if not trained.isdisjoint((file.document, file.name))}
    counts = [_is_scored(file, scored) and file.document not in learnt for file in kept]
    problems = [*found.problems, *strays(root, by_lang[own].values()), *_unpaired(by_lang, own, langs), *unknown_scored(root, corpus, kept)]
    files = _files_table(root, kept, own, counts, count)
    return Scan(own, langs, count, files, REJECTS.table([problem_row("scan", problem) for problem in problems]))


def by_shard(files: pa.Table) -> dict[tuple[str, int], pa.Table]:
    """The rows of each language and shard that has any, in one pass over CORPUS_FILES."""
    parts = pl.DataFrame(files).partition_by("lang", "shard", as_dict=True)
    return {(lang, shard): rows.to_arrow().cast(CORPUS_FILES.schema) for (lang, shard), rows in parts.items()}


def annotations_hashes(files: Sequence[TextFile], seen: Seen) -> list[str]:
    """``annotations_hash`` of each; standoff that lies there as when it was last read is not opened."""
    standoff = [file.annotations for file in files if file.annotations and file.annotations.endswith(".ann")]
    known = dict(zip(standoff, seen.hashes(standoff), strict=True))
    return [known[name] or "" if (name := file.annotations) in known else annotations_hash(file) for file in files]


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


def _files_table(root: Path, files: Sequence[TextFile], source: str, scored: Sequence[bool], shards: int) -> pa.Table:
    """CORPUS_FILES. Every text is opened, and what annotates those of the source, unless it lies there as when it was last read."""
    annotated = [file for file in files if file.lang == source and file.annotations]
    shard = {document: shard_of(document, shards) for document in {file.document for file in files}}
    seen = Seen(root, "what is projected")
    annotations = {file.document: found for file, found in zip(annotated, annotations_hashes(annotated, seen), strict=True)}
    columns = {
        "sha256": [found or "" for found in seen.hashes([file.file for file in files])],
        "annotations_sha256": [annotations.get(file.document) if file.lang == source else None for file in files],
        "scored": scored,
        "shard": [shard[file.document] for file in files],
    }
    seen.remember()
    told = {name: [getattr(file, name) for file in files] for name in CORPUS_FILES.schema.names if name not in columns}
    return pa.table(told | columns, schema=CORPUS_FILES.schema)


def _unpaired(by_lang: Mapping[str, Mapping[str, TextFile]], source: str, targets: Sequence[str]) -> Iterator[FileProblem]:
    for lang in targets:
        for document in sorted(by_lang[source].keys() ^ by_lang[lang].keys()):
            file = by_lang[lang].get(document) or by_lang[source][document]
            yield FileProblem(printable(file.file), document, lang, "no_counterpart", NO_COUNTERPART)
