"""Units: the grid of one shard of one language."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc
from prefect import task

from data_contracts import UNITS
from pipeline_lib.alignment.units import units_table
from pipeline_lib.encoding.pieces import pieces_of, read_tokenizer
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.fingerprint import ingredients
from pipeline_lib.storage.renew import AT_ONCE, Built, Work, hashes_of, joint_hashes, renewed_tables
from pipeline_lib.storage.store import Store
from tasks.stage import STAGE, fingerprints


@task(name="units", task_run_name="units {documents.shard}", **STAGE)
def make_units(root: str, documents: ArtifactRef, tokenizer: ArtifactRef | None = None) -> ArtifactRef:
    """UNITS of DOCUMENTS: words, or the pieces of a tokenizer."""
    store = Store(root)
    recipe = ingredients(UNITS.id, "pipeline_lib.encoding.pieces", None, fingerprints([tokenizer] if tokenizer else []))
    made_of = replace(recipe, inputs=(documents.fingerprint, *recipe.inputs))

    def begin() -> Work:
        def build(new: Sequence[str]) -> Iterator[Built]:
            cut = None
            if tokenizer:
                with store.local(tokenizer) as folder:
                    cut = pieces_of(read_tokenizer(folder))
            texts = store.read(documents, ["document", "lang", "text"], new)
            for start in range(0, len(new), AT_ONCE):
                some = new[start : start + AT_ONCE]
                yield Built(some, (units_table(texts.filter(pc.is_in(texts["document"], pa.array(some, pa.string()))), cut),))

        there = store.read(documents, ["document"])["document"].to_pylist()
        return Work(joint_hashes(there, [hashes_of(store, documents)]), build)

    return renewed_tables(store, [UNITS], documents.shard, made_of, recipe.fingerprint, begin)[0]
