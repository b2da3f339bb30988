"""Ingest: one shard of one language, from files to rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from prefect import task

from data_contracts import ANNOTATION_LINES, DOCUMENTS, MENTIONS, REJECTS, WARNINGS
from pipeline_lib.corpus.ingest import ingest
from pipeline_lib.corpus.layouts import CorpusConfig
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.fingerprint import ingredients, table_hash
from pipeline_lib.storage.renew import AT_ONCE, Built, Work, document_hashes, renewed_tables
from pipeline_lib.storage.store import Store
from tasks.scan import Scanned, listed
from tasks.stage import STAGE, shard_name


@dataclass(frozen=True)
class Ingested:
    """The tables of one shard of one language. ``main`` is what progress counts."""

    documents: ArtifactRef
    mentions: ArtifactRef
    lines: ArtifactRef
    rejects: ArtifactRef
    warnings: ArtifactRef

    @property
    def main(self) -> ArtifactRef:
        return self.documents


@task(name="ingest", task_run_name="ingest {lang} {shard}", **STAGE)
def ingest_shard(root: str, corpus: str, scanned: Scanned, lang: str, shard: int, config: CorpusConfig) -> Ingested:
    """DOCUMENTS, MENTIONS, ANNOTATION_LINES, REJECTS, WARNINGS; annotations are opened for the source language only."""
    store = Store(root)
    files = listed(root, scanned.files, lang, shard)
    annotated = lang == scanned.source
    # What gold a target has, and what of it counts, is the scorer's business.
    read = files.drop_columns(["scored"] if annotated else ["scored", "annotations"])
    settings = CorpusConfig(aliases=config.aliases) if annotated else None
    made_of = ingredients(DOCUMENTS.id, "pipeline_lib.corpus.ingest", settings, [scanned.source, table_hash(read)])
    recipe = replace(made_of, inputs=(scanned.source,))

    def build(new: Sequence[str]) -> Iterator[Built]:
        wanted = files.filter(pc.is_in(files["document"], pa.array(new, pa.string())))
        parts = ingest(Path(corpus), wanted, scanned.source, config.aliases, AT_ONCE)
        return (Built(new[number * AT_ONCE : (number + 1) * AT_ONCE], part) for number, part in enumerate(parts))

    contracts = (DOCUMENTS, MENTIONS, ANNOTATION_LINES, REJECTS, WARNINGS)
    name = shard_name(lang, shard, scanned.shards)
    work = Work(document_hashes(files["document"].to_pylist(), [read]), build)
    return Ingested(*renewed_tables(store, contracts, name, made_of, recipe.fingerprint, lambda: work))
