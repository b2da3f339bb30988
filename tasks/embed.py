"""Embed: the teachers' view of every unit of one shard."""

import pyarrow as pa
from prefect import task

from data_contracts import EMBEDDINGS
from pipeline_lib.alignment.features import Side
from pipeline_lib.alignment.views import embeddings_table
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.fingerprint import Ingredients, ingredients
from pipeline_lib.storage.store import Store
from tasks.fit import read_vocabulary
from tasks.stage import STAGE, fingerprints
from tasks.texts import Texts, texts_fingerprints


@task(name="embed", task_run_name="embed {teachers.shard} {side} {texts.units.shard}", **STAGE)
def embed(root: str, texts: Texts, teachers: ArtifactRef, side: Side) -> ArtifactRef:
    """EMBEDDINGS of one shard on one side of a language pair."""
    store = Store(root)
    lang = texts.units.shard.split("/")[0]

    def make() -> list[pa.Table]:
        return [embeddings_table(texts.read(store), lang, read_vocabulary(store, teachers, side))]

    return store.table(EMBEDDINGS, _shard(texts, teachers, side), _made_of(texts, teachers, side), make)


def has_embedded(root: str, texts: Texts, teachers: ArtifactRef, side: Side) -> bool:
    """Whether the store holds what ``embed`` would build."""
    return Store(root).has(EMBEDDINGS.name, _shard(texts, teachers, side), _made_of(texts, teachers, side))


def _shard(texts: Texts, teachers: ArtifactRef, side: Side) -> str:
    return f"{teachers.shard}/{side}/{texts.units.shard.split('/')[1]}"


def _made_of(texts: Texts, teachers: ArtifactRef, side: Side) -> Ingredients:
    inputs = [side, *texts_fingerprints([texts]), *fingerprints(teachers)]
    return ingredients(EMBEDDINGS.id, "pipeline_lib.alignment.views", None, inputs)
