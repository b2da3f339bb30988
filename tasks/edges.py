"""Edges: the corpus statistics of mention edges, carried to the target language."""

from prefect import task

from data_contracts import EDGE_STATISTICS
from pipeline_lib.projection.edges import EdgeConfig, edge_log_odds, edges_table, source_edges
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.fingerprint import ingredients
from pipeline_lib.storage.store import Store
from tasks.fit import read_teachers
from tasks.stage import STAGE, fingerprints
from tasks.texts import Texts, texts_fingerprints


@task(name="edges", task_run_name="edges {teachers.shard}", **STAGE)
def count_edges(root: str, source: list[Texts], mentions: list[ArtifactRef], teachers: ArtifactRef, config: EdgeConfig) -> ArtifactRef:
    """EDGE_STATISTICS of one language pair."""
    store = Store(root)
    inputs = [*texts_fingerprints(source), *fingerprints(mentions, teachers)]
    made_of = ingredients(EDGE_STATISTICS.id, "pipeline_lib.projection.edges", config, inputs)

    def make() -> list[object]:
        with read_teachers(store, teachers) as fitted:
            counted = (
                document
                for shard, rows in zip(source, mentions, strict=True)
                for document in source_edges(shard.read(store), store.read(rows), fitted.source)
            )
            return [edges_table(edge_log_odds(counted, fitted.lexical, fitted.target.counts, config))]

    return store.table(EDGE_STATISTICS, teachers.shard, made_of, make)
