"""Sharpen: costs of one shard become transport plans."""

from prefect import task

from data_contracts import TRANSPORT_PLANS
from pipeline_lib.alignment.sinkhorn import SharpenConfig, sharpen_table
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.fingerprint import ingredients
from pipeline_lib.storage.store import Store
from tasks.stage import STAGE, fingerprints


@task(name="sharpen", task_run_name="sharpen {costs.shard}", **STAGE)
def sharpen(root: str, costs: ArtifactRef, config: SharpenConfig) -> ArtifactRef:
    """TRANSPORT_PLANS of COST_MATRICES."""
    store = Store(root)
    made_of = ingredients(TRANSPORT_PLANS.id, "pipeline_lib.alignment.sinkhorn", config, fingerprints(costs))
    return store.table(TRANSPORT_PLANS, costs.shard, made_of, lambda: (sharpen_table(part, config) for part in store.scan(costs)))
