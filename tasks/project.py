"""Project: every source mention of one shard, with what goes with it, into one language."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
from prefect import task

from data_contracts import CARRIED_LINES, PROJECTIONS
from pipeline_lib.alignment.views import typed_texts
from pipeline_lib.projection.decode import DecodeConfig
from pipeline_lib.projection.edges import edges_array
from pipeline_lib.projection.project import TargetShard, project_tables
from pipeline_lib.storage.fingerprint import ingredients
from pipeline_lib.storage.store import ArtifactRef, Store
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


@task(name="project", task_run_name="project {alignment.shard}", **STAGE)
def project(
    root: str,
    source: Texts,
    target: Texts,
    annotated: Ingested,
    embeddings: ArtifactRef,
    edges: ArtifactRef,
    alignment: ArtifactRef,
    aligner: ArtifactRef,
    config: DecodeConfig,
) -> Projected:
    """The source's annotations along the alignment: TRANSPORT_PLANS of the teachers, or ALIGNMENTS of the student."""
    store = Store(root)
    inputs = [
        *texts_fingerprints([source, target]),
        *fingerprints(annotated.mentions, annotated.lines, embeddings, edges, alignment, aligner),
    ]
    made_of = ingredients(PROJECTIONS.id, "pipeline_lib.projection.project", config, inputs)

    def make() -> Iterator[tuple[pa.Table, pa.Table]]:
        shard = TargetShard(
            lang=target.units.shard.split("/")[0],
            texts=target.read(store),
            types=typed_texts(store.read(embeddings)),
            edges=edges_array(store.read(edges)),
            aligner=aligner.fingerprint,
        )
        mentions, lines = store.read(annotated.mentions), store.read(annotated.lines)
        yield from project_tables(mentions, lines, source.read(store), shard, store.scan(alignment), config)

    return Projected(*store.tables([PROJECTIONS, CARRIED_LINES], alignment.shard, made_of, make))
