"""Project: every source mention of one shard, with what goes with it, into one language."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
from prefect import task

from data_contracts import CARRIED_LINES, PROJECTIONS
from pipeline_lib.projection.decode import DecodeConfig, place_fragments
from pipeline_lib.projection.project import TargetShard, project_tables
from pipeline_lib.projection.scoring import VoteConfig, corpus_knowledge
from pipeline_lib.storage.fingerprint import ingredients
from pipeline_lib.storage.store import ArtifactRef, Store
from tasks.consistency import Counted
from tasks.ingest import Ingested
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
) -> Projected:
    """The source's annotations, each at the candidate that its own evidence and the corpus make likeliest."""
    store = Store(root)
    inputs = [
        *texts_fingerprints([source, target]),
        *fingerprints(annotated.mentions, annotated.lines, candidates, corpus.edges, corpus.memory, aligner),
        votes.model_dump_json(),
    ]
    made_of = ingredients(PROJECTIONS.id, "pipeline_lib.projection.project", config, inputs)

    def make() -> Iterator[tuple[pa.Table, pa.Table]]:
        known = corpus_knowledge(store.read(corpus.edges), store.read(corpus.memory))
        placed = place_fragments(store.read(candidates), known, votes, config)
        shard = TargetShard(target.units.shard.split("/")[0], target.read(store), aligner.fingerprint)
        yield from project_tables(store.read(annotated.mentions), store.read(annotated.lines), source.read(store), shard, placed)

    return Projected(*store.tables([PROJECTIONS, CARRIED_LINES], candidates.shard, made_of, make))
