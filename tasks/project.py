"""Project: every source mention of one shard, with what goes with it, into one language."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
from prefect import task

from data_contracts import CARRIED_LINES, PROJECTIONS
from pipeline_lib.alignment.threads import one_blas_thread
from pipeline_lib.projection.decode import PLACED_BY, DecodeConfig, place_fragments, unsupervised
from pipeline_lib.projection.project import TargetShard, project_tables
from pipeline_lib.projection.scoring import VoteConfig
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.fingerprint import code_hash, ingredients
from pipeline_lib.storage.store import Store
from pipeline_lib.supervision import features
from pipeline_lib.supervision.learn import judge
from tasks.consistency import Counted, read_knowledge
from tasks.ingest import Ingested
from tasks.rerank import read_reranker
from tasks.stage import STAGE, fingerprints
from tasks.texts import Texts, texts_fingerprints


@dataclass(frozen=True)
class Projected:
    """PROJECTIONS and CARRIED_LINES of one shard into one language. ``main`` is what progress counts."""

    projections: ArtifactRef
    carried: ArtifactRef

    @property
    def main(self) -> ArtifactRef:
        return self.projections


@task(name="project", task_run_name="project {candidates.shard}", **STAGE)
def project(
    root: str,
    source: Texts,
    target: Texts,
    annotated: Ingested,
    candidates: ArtifactRef,
    corpus: Counted,
    aligner: ArtifactRef,
    votes: VoteConfig,
    config: DecodeConfig,
    reranker: ArtifactRef | None = None,
) -> Projected:
    """The source's annotations, each at the candidate that its own evidence, the corpus and, if there is one, the re-ranker choose."""
    store = Store(root)
    inputs = [
        *texts_fingerprints([source, target]),
        *fingerprints(annotated.mentions, annotated.lines, candidates, corpus.edges, corpus.memory, aligner),
        votes.model_dump_json(),
        *fingerprints([reranker] if reranker else []),
    ]
    # What judges is part of the code only where there is a judge: without one, a change to it rebuilds nothing.
    inputs += [code_hash("pipeline_lib.supervision.learn")] if reranker else []
    made_of = ingredients(PROJECTIONS.id, "pipeline_lib.projection.project", config, inputs)

    def make() -> Iterator[tuple[pa.Table, pa.Table]]:
        one_blas_thread()
        known = read_knowledge(store, corpus, votes)
        texts, into = source.read(store), target.read(store)
        decides = judge(read_reranker(store, reranker), features.Texts(texts, into)) if reranker else unsupervised
        found = store.read(candidates, None if reranker else PLACED_BY)
        placed = place_fragments(found, known, config, decides)
        shard = TargetShard(target.units.shard.split("/")[0], into, aligner.fingerprint)
        yield from project_tables(store.read(annotated.mentions), store.read(annotated.lines), texts, shard, placed)

    return Projected(*store.tables([PROJECTIONS, CARRIED_LINES], candidates.shard, made_of, make))
