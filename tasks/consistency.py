"""Consistency: what the whole corpus says about the candidates of one language pair."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Lock

import pyarrow as pa
from prefect import task

from data_contracts import CORPUS_EDGES, MEMORY
from pipeline_lib.alignment.threads import one_blas_thread
from pipeline_lib.projection.consistency import ConsistencyConfig, corpus_tables
from pipeline_lib.projection.scoring import CorpusKnowledge, VoteConfig, corpus_knowledge
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.fingerprint import ingredients
from pipeline_lib.storage.store import Store
from tasks.fit import read_vocabulary
from tasks.stage import STAGE, fingerprints

_READING = Lock()
_READ: OrderedDict[str, CorpusKnowledge] = OrderedDict()
KEPT = 2  # language pairs whose counts a process keeps: shards come pair by pair, and a memory may take hundreds of megabytes


@dataclass(frozen=True)
class Counted:
    """CORPUS_EDGES and MEMORY of one language pair. ``main`` is what progress counts."""

    edges: ArtifactRef
    memory: ArtifactRef

    @property
    def main(self) -> ArtifactRef:
        return self.edges


@task(name="consistency", task_run_name="consistency {teachers.shard}", **STAGE)
def count_corpus(root: str, candidates: list[ArtifactRef], teachers: ArtifactRef, config: ConsistencyConfig) -> Counted:
    """Edges and translation memory, counted over all shards."""
    store = Store(root)
    made_of = ingredients(CORPUS_EDGES.id, "pipeline_lib.projection.consistency", config, fingerprints(candidates, teachers))

    def make() -> Iterator[tuple[pa.Table, pa.Table]]:
        one_blas_thread()
        parts = (part for ref in candidates for part in store.scan(ref))
        yield corpus_tables(parts, read_vocabulary(store, teachers, "target").counts, config)

    return Counted(*store.tables([CORPUS_EDGES, MEMORY], teachers.shard, made_of, make))


def read_knowledge(store: Store, corpus: Counted, votes: VoteConfig) -> CorpusKnowledge:
    """What ``count_corpus`` stored, counted with ``votes``; read once a process for all shards of a language pair, not once a shard."""
    key = f"{corpus.edges.sha256} {corpus.memory.sha256} {votes.model_dump_json()}"
    with _READING:
        if key not in _READ:
            _READ[key] = corpus_knowledge(store.read(corpus.edges), store.read(corpus.memory), votes)
        _READ.move_to_end(key)
        while len(_READ) > KEPT:
            _READ.popitem(last=False)
        return _READ[key]
