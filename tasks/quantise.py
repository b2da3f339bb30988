"""Quantise: an encoder with int8 weights for ONNX Runtime, made once."""

from pathlib import Path

import torch
from prefect import task

from pipeline_lib.encoding.int8 import write_int8
from pipeline_lib.encoding.model_files import ModelSource
from pipeline_lib.encoding.transformer import load_encoder
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.fingerprint import ingredients
from pipeline_lib.storage.store import Store
from tasks.stage import STAGE, fingerprints


@task(name="quantise", task_run_name="quantise {encoder.shard}", **STAGE)
def quantise(root: str, encoder: ArtifactRef, source: ModelSource) -> ArtifactRef:
    """The folder of one encoder, its graph in place of its weights."""
    store = Store(root)
    taken = source.model_dump_json(include={"hidden_state", "window", "overlap"})
    made_of = ingredients("encoders@1", "pipeline_lib.encoding.int8", None, [*fingerprints(encoder), taken])

    def make(folder: Path) -> None:
        with store.local(encoder) as origin:
            write_int8(load_encoder(origin, source, "cpu", torch.float32, 1), origin, folder)

    return store.folder("int8_encoders", encoder.shard, made_of, make)
