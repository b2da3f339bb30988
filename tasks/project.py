"""Project: every source mention of one shard into one language."""

from collections.abc import Iterator

import pyarrow as pa
from prefect import task

from data_contracts import PROJECTIONS
from pipeline_lib.alignment.views import typed_texts
from pipeline_lib.projection.decode import DecodeConfig
from pipeline_lib.projection.edges import edges_array
from pipeline_lib.projection.project import TargetShard, project_tables
from pipeline_lib.storage.fingerprint import ingredients
from pipeline_lib.storage.store import ArtifactRef, Store
from tasks.stage import STAGE, fingerprints
from tasks.texts import Texts, texts_fingerprints


@task(name="project", task_run_name="project {alignment.shard}", **STAGE)
def project(
    root: str,
    source: Texts,
    target: Texts,
    mentions: ArtifactRef,
    embeddings: ArtifactRef,
    edges: ArtifactRef,
    alignment: ArtifactRef,
    aligner: ArtifactRef,
    config: DecodeConfig,
) -> ArtifactRef:
    """PROJECTIONS of MENTIONS along the alignment: TRANSPORT_PLANS of the teachers, or ALIGNMENTS of the student."""
    store = Store(root)
    inputs = [*texts_fingerprints([source, target]), *fingerprints(mentions, embeddings, edges, alignment, aligner)]
    made_of = ingredients(PROJECTIONS.id, "pipeline_lib.projection.project", config, inputs)

    def make() -> Iterator[pa.Table]:
        shard = TargetShard(
            lang=target.units.shard.split("/")[0],
            texts=target.read(store),
            types=typed_texts(store.read(embeddings)),
            edges=edges_array(store.read(edges)),
            aligner=aligner.fingerprint,
        )
        yield from project_tables(store.read(mentions), source.read(store), shard, store.scan(alignment), config)

    return store.table(PROJECTIONS, alignment.shard, made_of, make)
