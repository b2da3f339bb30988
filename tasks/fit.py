"""Fit: the embedded teachers of one language pair, on all its documents."""

from collections.abc import Iterator
from pathlib import Path

from prefect import task

from pipeline_lib.alignment.fitted import FitConfig, PairTypes, Teachers, fit_teachers, load_teachers, save_teachers
from pipeline_lib.alignment.segments import segment_pairs
from pipeline_lib.alignment.threads import single_threaded
from pipeline_lib.storage.fingerprint import ingredients
from pipeline_lib.storage.store import ArtifactRef, Store
from tasks.stage import STAGE, fingerprints
from tasks.texts import Texts, texts_fingerprints

TEACHERS = "teachers.safetensors"


@task(name="fit", task_run_name="fit {pair}", **STAGE)
def fit(root: str, pair: str, source: list[Texts], target: list[Texts], segments: list[ArtifactRef], config: FitConfig) -> ArtifactRef:
    """The frozen teachers, one safetensors file."""
    store = Store(root)
    inputs = [*texts_fingerprints([*source, *target]), *fingerprints(segments)]
    made_of = ingredients("teachers@2", "pipeline_lib.alignment.fitted", config, inputs)

    def make(folder: Path) -> None:
        with single_threaded():
            teachers = fit_teachers(list(_pairs(store, source, target, segments)), config)
        save_teachers(teachers, folder / TEACHERS)

    return store.folder("teachers", pair, made_of, make)


def _pairs(store: Store, source: list[Texts], target: list[Texts], segments: list[ArtifactRef]) -> Iterator[PairTypes]:
    """Shard by shard: of a text only the types of its units are kept."""
    for ours, theirs, ref in zip(source, target, segments, strict=True):
        sources, targets = ours.read(store), theirs.read(store)
        for document, groups in segment_pairs(store.read(ref)).items():
            yield PairTypes(sources[document].types, targets[document].types, groups)


def read_teachers(store: Store, ref: ArtifactRef) -> Teachers:
    """The teachers that ``fit`` stored."""
    with store.local(ref) as folder:
        return load_teachers(folder / TEACHERS)
