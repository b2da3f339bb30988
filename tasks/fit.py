"""Fit: the embedded teachers of one language pair, on all its documents."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from prefect import task

from pipeline_lib.alignment.fitted import FitConfig, PairTypes, Teachers, Vocabulary, fit_teachers
from pipeline_lib.alignment.segments import segment_pairs
from pipeline_lib.alignment.teacher_files import load_teachers, load_vocabulary, save_teachers
from pipeline_lib.alignment.threads import one_blas_thread
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.fingerprint import ingredients
from pipeline_lib.storage.store import Store
from tasks.stage import STAGE, fingerprints
from tasks.texts import Texts, texts_fingerprints


@task(name="fit", task_run_name="fit {pair}", **STAGE)
def fit(root: str, pair: str, source: list[Texts], target: list[Texts], segments: list[ArtifactRef], config: FitConfig) -> ArtifactRef:
    """The frozen teachers, a folder of arrays."""
    store = Store(root)
    inputs = [*texts_fingerprints([*source, *target]), *fingerprints(segments)]
    made_of = ingredients("teachers@3", "pipeline_lib.alignment.teacher_files", config, inputs)

    def make(folder: Path) -> None:
        one_blas_thread()
        teachers = fit_teachers(_pairs(store, source, target, segments), config)
        save_teachers(teachers, folder)

    return store.folder("teachers", pair, made_of, make)


def _pairs(store: Store, source: list[Texts], target: list[Texts], segments: list[ArtifactRef]) -> Iterator[PairTypes]:
    """Shard by shard: of a text only the types of its units are kept."""
    for ours, theirs, ref in zip(source, target, segments, strict=True):
        sources, targets = ours.read(store), theirs.read(store)
        for document, groups in segment_pairs(store.read(ref)).items():
            yield PairTypes(sources[document].types, targets[document].types, groups)


@contextmanager
def read_teachers(store: Store, ref: ArtifactRef) -> Iterator[Teachers]:
    """The teachers that ``fit`` stored, for as long as the context lasts."""
    with store.local(ref) as folder:
        yield load_teachers(folder)


def read_vocabulary(store: Store, ref: ArtifactRef, side: Literal["source", "target"]) -> Vocabulary:
    """The types that the teachers know of one side."""
    with store.local(ref) as folder:
        return load_vocabulary(folder, side)
