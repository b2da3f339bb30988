"""Units: the grid of one shard of one language."""

from prefect import task

from data_contracts import UNITS
from pipeline_lib.alignment.units import units_table
from pipeline_lib.storage.fingerprint import ingredients
from pipeline_lib.storage.store import ArtifactRef, Store
from tasks.stage import STAGE, fingerprints


@task(name="units", task_run_name="units {documents.shard}", **STAGE)
def make_units(root: str, documents: ArtifactRef) -> ArtifactRef:
    """UNITS of DOCUMENTS."""
    store = Store(root)
    made_of = ingredients(UNITS.id, "pipeline_lib.alignment.units", None, fingerprints(documents))
    return store.table(UNITS, documents.shard, made_of, lambda: map(units_table, store.scan(documents)))
