"""Encode: what a transformer says of every unit of one shard of one language, once, whatever it will be compared with."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import torch
from prefect import task

from data_contracts import UNIT_VECTORS
from pipeline_lib.encoding.int8 import is_int8, load_int8
from pipeline_lib.encoding.model_files import ModelSource
from pipeline_lib.encoding.transformer import Encoder, load_encoder
from pipeline_lib.encoding.vectors import EncodeConfig, chosen_device, chosen_precision, vector_tables
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.fingerprint import Ingredients, ingredients
from pipeline_lib.storage.store import Store
from tasks.stage import STAGE, fingerprints
from tasks.texts import Texts, texts_fingerprints


@task(name="encode", task_run_name="encode {encoder.shard} {texts.units.shard}", **STAGE)
def encode(root: str, texts: Texts, encoder: ArtifactRef, source: ModelSource, config: EncodeConfig) -> ArtifactRef:
    """UNIT_VECTORS of one shard by one encoder."""
    store = Store(root)
    lang, shard = texts.units.shard.split("/")

    def make() -> Iterator[pa.Table]:
        # Shards run side by side; one thread each keeps the last bit and the cores.
        torch.set_num_threads(1)
        with store.local(encoder) as folder:
            yield from vector_tables(texts.read(store), lang, _load(folder, source, config, int(shard.partition("-")[0])))

    return store.table(UNIT_VECTORS, _shard(texts, encoder), _made_of(texts, encoder, source, config), make)


def _load(folder: Path, source: ModelSource, config: EncodeConfig, shard: int) -> Encoder:
    if is_int8(folder):
        return load_int8(folder, source, config.tokens)
    device = chosen_device(config.device, shard)
    return load_encoder(folder, source, device, chosen_precision(config.precision, device), config.tokens)


def has_encoded(root: str, texts: Texts, encoder: ArtifactRef, source: ModelSource, config: EncodeConfig) -> bool:
    """Whether the store holds what ``encode`` would build."""
    return Store(root).has(UNIT_VECTORS.name, _shard(texts, encoder), _made_of(texts, encoder, source, config))


def _shard(texts: Texts, encoder: ArtifactRef) -> str:
    return f"{encoder.shard}/{texts.units.shard}"


def _made_of(texts: Texts, encoder: ArtifactRef, source: ModelSource, config: EncodeConfig) -> Ingredients:
    taken = source.model_dump_json(include={"hidden_state", "window", "overlap"})
    inputs = [*texts_fingerprints([texts]), *fingerprints(encoder), taken, config.precision]
    return ingredients(UNIT_VECTORS.id, "pipeline_lib.encoding.vectors", None, inputs)
