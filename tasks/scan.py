"""Scan: list and hash the corpus, and decide its shards."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import pyarrow as pa
from prefect import task

from data_contracts import CORPUS_FILES, REJECTS
from pipeline_lib.corpus.layouts import CorpusConfig
from pipeline_lib.corpus.scan import ShardConfig, by_shard, scan_corpus
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.fingerprint import ingredients, table_hash
from pipeline_lib.storage.store import Store
from pipeline_lib.supervision.declared import check_declared, declared_documents, read_declared
from tasks.stage import STAGE

_LISTED: dict[tuple[str, str, str], dict[tuple[str, int], pa.Table]] = {}  # the last scan's files, by language and shard
_READING = Lock()


@dataclass(frozen=True)
class Scanned:
    """A scanned corpus: languages as it spells them, its number of shards, those that hold documents, and its tables.

    Attributes:
        trained: documents whose target gold the model of this run was or will be learnt from.
    """

    source: str
    targets: list[str]
    shards: int
    filled: list[int]
    files: ArtifactRef
    rejects: ArtifactRef
    trained: tuple[str, ...] = ()

    @property
    def main(self) -> ArtifactRef:
        return self.files


def listed(root: str, files: ArtifactRef, lang: str, shard: int) -> pa.Table:
    """CORPUS_FILES of one language and shard; the whole table is read once a process, not once a shard."""
    address = (root, files.key, files.sha256)
    with _READING:
        if address not in _LISTED:
            found = by_shard(Store(root).read(files))
            _LISTED.clear()
            _LISTED[address] = found
        return _LISTED[address].get((lang, shard), CORPUS_FILES.table([]))


@task(name="scan", **STAGE)
def scan(
    root: str,
    corpus: str,
    source: str,
    targets: list[str],
    layout: CorpusConfig,
    config: ShardConfig,
    shards: int | None,
    gold_train: str | None = None,
    trained: Sequence[str] = (),
) -> Scanned:
    """CORPUS_FILES and REJECTS of the corpus folder. Looks at the disk every time: this is how change is noticed.

    Args:
        gold_train: file that lists the documents whose target gold may be learnt from.
        trained: documents whose gold the pinned model was learnt from.
    """
    declared = read_declared(Path(gold_train)) if gold_train else None
    unscored = declared.names if declared else frozenset(trained)
    found = scan_corpus(Path(corpus), source, targets, layout, config, shards, unscored)
    if declared:
        check_declared(declared, Path(corpus), found.files, found.targets, layout.aliases)
    made_of = ingredients(CORPUS_FILES.id, "pipeline_lib.corpus.scan", None, [table_hash(found.files), table_hash(found.rejects)])
    files, rejects = Store(root).tables([CORPUS_FILES, REJECTS], "all", made_of, lambda: [(found.files, found.rejects)])
    learnt = sorted(declared_documents(found.files.to_pylist(), declared.names)) if declared else sorted(trained)
    filled = sorted(set(found.files["shard"].to_pylist()))
    return Scanned(found.source, found.targets, found.shards, filled, files, rejects, tuple(learnt))
