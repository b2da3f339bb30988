"""Embed: the teachers' view of every unit of one shard."""

from typing import Literal

from prefect import task

from data_contracts import EMBEDDINGS
from pipeline_lib.alignment.views import embeddings_table
from pipeline_lib.storage.fingerprint import ingredients
from pipeline_lib.storage.store import ArtifactRef, Store
from tasks.fit import read_vocabulary
from tasks.stage import STAGE, fingerprints
from tasks.texts import Texts, texts_fingerprints


@task(name="embed", task_run_name="embed {teachers.shard} {side} {texts.units.shard}", **STAGE)
def embed(root: str, texts: Texts, teachers: ArtifactRef, side: Literal["source", "target"]) -> ArtifactRef:
    """EMBEDDINGS of one shard on one side of a language pair."""
    store = Store(root)
    lang, shard = texts.units.shard.split("/")
    made_of = ingredients(
        EMBEDDINGS.id, "pipeline_lib.alignment.views", None, [side, *texts_fingerprints([texts]), *fingerprints(teachers)]
    )

    def make() -> list[object]:
        return [embeddings_table(texts.read(store), lang, read_vocabulary(store, teachers, side))]

    return store.table(EMBEDDINGS, f"{teachers.shard}/{side}/{shard}", made_of, make)
