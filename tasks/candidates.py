"""Candidates: the spans that the mentions of one shard may have become, and what speaks for each."""

from collections.abc import Iterator

import pyarrow as pa
from prefect import task

from data_contracts import CANDIDATES
from pipeline_lib.alignment.views import typed_texts
from pipeline_lib.projection.candidates import CandidateConfig
from pipeline_lib.projection.edges import edges_array
from pipeline_lib.projection.gather import PairTexts, candidate_tables
from pipeline_lib.projection.support import support_arrays
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.fingerprint import ingredients
from pipeline_lib.storage.store import Store
from tasks.stage import STAGE, fingerprints
from tasks.texts import Texts, texts_fingerprints


@task(name="candidates", task_run_name="candidates {alignment.shard}", **STAGE)
def find_candidates(
    root: str,
    source: Texts,
    target: Texts,
    mentions: ArtifactRef,
    embeddings: ArtifactRef,
    edges: ArtifactRef,
    alignment: ArtifactRef,
    posteriors: ArtifactRef,
    config: CandidateConfig,
    support: ArtifactRef | None = None,
) -> ArtifactRef:
    """CANDIDATES along an alignment: TRANSPORT_PLANS of the teachers, or ALIGNMENTS of the student; with SUPPORT where there is some."""
    store = Store(root)
    inputs = [*texts_fingerprints([source, target]), *fingerprints(mentions, embeddings, edges, alignment, posteriors)]
    inputs += fingerprints(support) if support else []
    made_of = ingredients(CANDIDATES.id, "pipeline_lib.projection.gather", config, inputs)

    def make() -> Iterator[pa.Table]:
        texts = PairTexts(
            (source.units.shard.split("/")[0], target.units.shard.split("/")[0]),
            source.read(store),
            target.read(store),
            typed_texts(store.read(embeddings)),
            edges_array(store.read(edges)),
        )
        tagged = support_arrays(store.read(support), texts.target) if support else {}
        yield from candidate_tables(store.read(mentions), texts, store.scan(alignment), store.read(posteriors), tagged, config)

    return store.table(CANDIDATES, alignment.shard, made_of, make)
