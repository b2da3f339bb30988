"""Align: the student's alignment of one shard of one language pair, from the texts or from vectors that were encoded before."""

from collections.abc import Iterator

import pyarrow as pa
import torch
from prefect import task

from data_contracts import ALIGNMENTS
from pipeline_lib.alignment.align import AlignConfig, align_tables, align_vectors, alignment_rows
from pipeline_lib.alignment.segments import segment_pairs
from pipeline_lib.alignment.student import load_student
from pipeline_lib.alignment.threads import one_blas_thread
from pipeline_lib.encoding.vectors import InOrder
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.fingerprint import Ingredients, ingredients
from pipeline_lib.storage.store import Store
from tasks.stage import STAGE, fingerprints
from tasks.texts import Texts, texts_fingerprints


@task(name="align", task_run_name="align {shard}", **STAGE)
def align(
    root: str, shard: str, source: Texts, target: Texts, segments: ArtifactRef, student: ArtifactRef, config: AlignConfig
) -> ArtifactRef:
    """ALIGNMENTS of the documents that both sides hold."""
    store = Store(root)

    def make() -> Iterator[pa.Table]:
        # Shards run side by side; one thread each keeps the last bit and the cores.
        torch.set_num_threads(1)
        langs = (source.units.shard.split("/")[0], target.units.shard.split("/")[0])
        with store.local(student) as folder:
            groups = segment_pairs(store.read(segments))
            yield from align_tables(source.read(store), target.read(store), langs, groups, load_student(folder), config)

    return store.table(ALIGNMENTS, shard, _made_of(source, target, segments, student, config), make)


@task(name="align", task_run_name="align {shard}", **STAGE)
def align_encoded(
    root: str, shard: str, source: ArtifactRef, target: ArtifactRef, segments: ArtifactRef, config: AlignConfig
) -> ArtifactRef:
    """ALIGNMENTS of the documents that both UNIT_VECTORS hold."""
    store = Store(root)
    made_of = ingredients(ALIGNMENTS.id, "pipeline_lib.encoding.vectors", config, fingerprints(source, target, segments))
    langs = (source.shard.split("/")[1], target.shard.split("/")[1])

    def make() -> Iterator[pa.Table]:
        one_blas_thread()
        ours, theirs = InOrder(store.scan(source)), InOrder(store.scan(target))
        groups = segment_pairs(store.read(segments))
        found = ((name, align_vectors(ours.of(name), theirs.of(name), config, group)) for name, group in groups.items())
        return ALIGNMENTS.parts(alignment_rows(found, langs), 16)

    return store.table(ALIGNMENTS, shard, made_of, make)


def has_aligned(
    root: str, shard: str, source: Texts, target: Texts, segments: ArtifactRef, student: ArtifactRef, config: AlignConfig
) -> bool:
    """Whether the store holds what ``align`` would build."""
    return Store(root).has(ALIGNMENTS.name, shard, _made_of(source, target, segments, student, config))


def _made_of(source: Texts, target: Texts, segments: ArtifactRef, student: ArtifactRef, config: AlignConfig) -> Ingredients:
    inputs = [*texts_fingerprints([source, target]), *fingerprints(segments, student)]
    return ingredients(ALIGNMENTS.id, "pipeline_lib.alignment.align", config, inputs)
