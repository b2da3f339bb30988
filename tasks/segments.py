"""Segments: which pieces of two texts translate each other, for one shard of one language pair."""

from prefect import task

from data_contracts import SEGMENT_PAIRS
from pipeline_lib.alignment.segments import SegmentConfig, segment_pairs_table
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.fingerprint import ingredients
from pipeline_lib.storage.store import Store
from tasks.stage import STAGE
from tasks.texts import Texts, texts_fingerprints


@task(name="segments", task_run_name="segments {shard}", **STAGE)
def align_segments(root: str, shard: str, source: Texts, target: Texts, config: SegmentConfig) -> ArtifactRef:
    """SEGMENT_PAIRS of the documents that both sides hold."""
    store = Store(root)
    made_of = ingredients(SEGMENT_PAIRS.id, "pipeline_lib.alignment.segments", config, texts_fingerprints([source, target]))
    langs = (source.units.shard.split("/")[0], target.units.shard.split("/")[0])
    return store.table(SEGMENT_PAIRS, shard, made_of, lambda: [segment_pairs_table(source.read(store), target.read(store), langs, config)])
