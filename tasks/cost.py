"""Cost: views and positional prior of one shard of one language pair."""

from collections.abc import Iterator

import pyarrow as pa
from prefect import task
from threadpoolctl import threadpool_limits

from data_contracts import COST_MATRICES
from pipeline_lib.alignment.cost import CostConfig, cost_tables
from pipeline_lib.storage.fingerprint import ingredients
from pipeline_lib.storage.store import ArtifactRef, Store
from tasks.fit import read_teachers
from tasks.stage import STAGE, fingerprints


@task(name="cost", task_run_name="cost {shard}", **STAGE)
def cost(root: str, shard: str, source: ArtifactRef, target: ArtifactRef, teachers: ArtifactRef, config: CostConfig) -> ArtifactRef:
    """COST_MATRICES of the documents that both sides hold."""
    store = Store(root)
    made_of = ingredients(COST_MATRICES.id, "pipeline_lib.alignment.cost", config, fingerprints(source, target, teachers))

    def make() -> Iterator[pa.Table]:
        with threadpool_limits(1):
            yield from cost_tables(store.read(source), store.read(target), read_teachers(store, teachers), config)

    return store.table(COST_MATRICES, shard, made_of, make)
