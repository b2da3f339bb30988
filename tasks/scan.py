"""Scan: list and hash the corpus, and decide its shards."""

from dataclasses import dataclass
from pathlib import Path

from prefect import task

from data_contracts import CORPUS_FILES, REJECTS
from pipeline_lib.corpus.layouts import CorpusConfig
from pipeline_lib.corpus.scan import ShardConfig, scan_corpus
from pipeline_lib.storage.fingerprint import ingredients, table_hash
from pipeline_lib.storage.store import ArtifactRef, Store
from tasks.stage import STAGE


@dataclass(frozen=True)
class Scanned:
    """A scanned corpus: languages as it spells them, its number of shards, those that hold documents, and its tables."""

    source: str
    targets: list[str]
    shards: int
    filled: list[int]
    files: ArtifactRef
    rejects: ArtifactRef

    @property
    def main(self) -> ArtifactRef:
        return self.files


@task(name="scan", **STAGE)
def scan(root: str, corpus: str, source: str, targets: list[str], layout: CorpusConfig, config: ShardConfig, shards: int | None) -> Scanned:
    """CORPUS_FILES and REJECTS of the corpus folder. Looks at the disk every time: this is how change is noticed."""
    found = scan_corpus(Path(corpus), source, targets, layout, config, shards)
    made_of = ingredients(CORPUS_FILES.id, "pipeline_lib.corpus.scan", None, [table_hash(found.files), table_hash(found.rejects)])
    files, rejects = Store(root).tables([CORPUS_FILES, REJECTS], "all", made_of, lambda: [(found.files, found.rejects)])
    return Scanned(found.source, found.targets, found.shards, sorted(set(found.files["shard"].to_pylist())), files, rejects)
