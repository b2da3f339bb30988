"""Encoders: the transformers of a run, taken into the store once, so that every worker reads the same bytes."""

from prefect import task

from pipeline_lib.encoding.model_files import ModelSource, copy_model, locate, model_hash
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.fingerprint import ingredients
from pipeline_lib.storage.store import Store
from tasks.stage import STAGE


@task(name="encoders", task_run_name="encoders {role}", **STAGE)
def take_encoder(root: str, role: str, source: ModelSource, setting: str, weights: bool = True) -> ArtifactRef:
    """One encoder's files, or those of its tokenizer alone, found in a folder or on the hub. ``setting``: the key that says where."""
    folder, origin = locate(source, setting, weights)
    made_of = ingredients("encoders@1", "pipeline_lib.encoding.model_files", None, [model_hash(folder, weights)])
    return Store(root).folder("encoders", role, made_of, lambda into: copy_model(folder, into, origin, weights))
