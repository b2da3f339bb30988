"""Units: the grid of one shard of one language."""

from collections.abc import Iterator

import pyarrow as pa
from prefect import task

from data_contracts import UNITS
from pipeline_lib.alignment.units import units_table
from pipeline_lib.encoding.pieces import pieces_of, read_tokenizer
from pipeline_lib.storage.fingerprint import ingredients
from pipeline_lib.storage.store import ArtifactRef, Store
from tasks.stage import STAGE, fingerprints


@task(name="units", task_run_name="units {documents.shard}", **STAGE)
def make_units(root: str, documents: ArtifactRef, tokenizer: ArtifactRef | None = None) -> ArtifactRef:
    """UNITS of DOCUMENTS: words, or the pieces of a tokenizer."""
    store = Store(root)
    made_of = ingredients(UNITS.id, "pipeline_lib.encoding.pieces", None, fingerprints(documents, [tokenizer] if tokenizer else []))

    def make() -> Iterator[pa.Table]:
        cut = None
        if tokenizer:
            with store.local(tokenizer) as folder:
                cut = pieces_of(read_tokenizer(folder))
        return (units_table(part, cut) for part in store.scan(documents))

    return store.table(UNITS, documents.shard, made_of, make)
