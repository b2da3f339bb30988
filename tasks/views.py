"""Views: what the transformer teachers say of one shard of one language pair, as a cost."""

from collections.abc import Iterator, Mapping

import pyarrow as pa
from prefect import task

from data_contracts import COST_MATRICES
from pipeline_lib.alignment.segments import segment_pairs
from pipeline_lib.alignment.threads import one_blas_thread
from pipeline_lib.encoding.vectors import InOrder
from pipeline_lib.encoding.views import Role, ViewsConfig, view_rows
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.fingerprint import ingredients
from pipeline_lib.storage.store import Store
from tasks.stage import STAGE, fingerprints

Encodings = Mapping[Role, ArtifactRef]  # UNIT_VECTORS of one shard of one language, by role


@task(name="views", task_run_name="views {shard}", **STAGE)
def see(root: str, shard: str, source: Encodings, target: Encodings, segments: ArtifactRef, config: ViewsConfig) -> ArtifactRef:
    """COST_MATRICES of the documents that both sides hold."""
    store = Store(root)
    roles = list(config.weights)
    inputs = [*roles, *fingerprints([source[role] for role in roles], [target[role] for role in roles], segments)]
    made_of = ingredients(COST_MATRICES.id, "pipeline_lib.encoding.views", config, inputs)
    langs = (source[roles[0]].shard.split("/")[1], target[roles[0]].shard.split("/")[1])

    def make() -> Iterator[pa.Table]:
        one_blas_thread()
        ours, theirs = ({role: InOrder(store.scan(side[role])) for role in roles} for side in (source, target))
        return COST_MATRICES.parts(view_rows(segment_pairs(store.read(segments)), ours, theirs, langs, config), 16)

    return store.table(COST_MATRICES, shard, made_of, make)
