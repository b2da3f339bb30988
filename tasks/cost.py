"""Cost: views, positional prior and posteriors of one shard of one language pair."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
from prefect import task

from data_contracts import COST_MATRICES, POSTERIORS
from pipeline_lib.alignment.cost import CostConfig, cost_tables
from pipeline_lib.alignment.threads import one_blas_thread
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.fingerprint import ingredients
from pipeline_lib.storage.store import Store
from tasks.fit import read_teachers
from tasks.stage import STAGE, fingerprints


@dataclass(frozen=True)
class Costs:
    """COST_MATRICES of one shard, and POSTERIORS of the same documents."""

    main: ArtifactRef
    posteriors: ArtifactRef


@task(name="cost", task_run_name="cost {shard}", **STAGE)
def cost(
    root: str, shard: str, source: ArtifactRef, target: ArtifactRef, segments: ArtifactRef, teachers: ArtifactRef, config: CostConfig
) -> Costs:
    """What the teachers say of the documents that both sides hold."""
    store = Store(root)
    made_of = ingredients(COST_MATRICES.id, "pipeline_lib.alignment.cost", config, fingerprints(source, target, segments, teachers))

    def make() -> Iterator[tuple[pa.Table, pa.Table]]:
        one_blas_thread()
        with read_teachers(store, teachers) as fitted:
            yield from cost_tables(store.read(source), store.read(target), store.read(segments), fitted, config)

    return Costs(*store.tables([COST_MATRICES, POSTERIORS], shard, made_of, make))
