"""Fit: the embedded teachers of one language pair, on all its documents."""

from pathlib import Path

from prefect import task
from threadpoolctl import threadpool_limits

from pipeline_lib.alignment.fitted import FitConfig, Teachers, fit_teachers, load_teachers, pair_types, save_teachers
from pipeline_lib.storage.fingerprint import ingredients
from pipeline_lib.storage.store import ArtifactRef, Store
from tasks.stage import STAGE
from tasks.texts import Texts, read_all, texts_fingerprints

TEACHERS = "teachers.safetensors"


@task(name="fit", task_run_name="fit {pair}", **STAGE)
def fit(root: str, pair: str, source: list[Texts], target: list[Texts], config: FitConfig) -> ArtifactRef:
    """The frozen teachers, one safetensors file."""
    store = Store(root)
    made_of = ingredients("teachers@1", "pipeline_lib.alignment.fitted", config, texts_fingerprints([*source, *target]))

    def make(folder: Path) -> None:
        sources, targets = read_all(store, source), read_all(store, target)
        # One BLAS thread: a product's last bit may depend on the number of threads.
        with threadpool_limits(1):
            teachers = fit_teachers([pair_types(sources[name], targets[name]) for name in sources if name in targets], config)
        save_teachers(teachers, folder / TEACHERS)

    return store.folder("teachers", pair, made_of, make)


def read_teachers(store: Store, ref: ArtifactRef) -> Teachers:
    """The teachers that ``fit`` stored."""
    with store.local(ref) as folder:
        return load_teachers(folder / TEACHERS)
