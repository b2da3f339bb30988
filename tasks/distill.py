"""Distill: the student of one language pair, trained on its transport plans."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import torch
from prefect import task

from data_contracts import TRAINING_LOG
from pipeline_lib.alignment.align import AlignConfig
from pipeline_lib.alignment.cost import CostConfig
from pipeline_lib.alignment.distill import DistillConfig, distill, training_log
from pipeline_lib.alignment.features import SIDES, Side
from pipeline_lib.alignment.lessons import plan_lessons, split_documents
from pipeline_lib.alignment.segments import segment_pairs
from pipeline_lib.alignment.student import Student, excerpt, new_student, save_student, save_weights
from pipeline_lib.alignment.training import Epoch
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.fingerprint import Ingredients, digest, ingredients
from pipeline_lib.storage.store import Store
from tasks.fit import read_teachers
from tasks.stage import STAGE, fingerprints
from tasks.texts import Texts, read_all, texts_fingerprints

LOG = "training_log.json"


@dataclass(frozen=True)
class Distilled:
    """The student's folder in Hugging Face layout, and the log of its training."""

    main: ArtifactRef
    log: ArtifactRef


@task(name="distill", task_run_name="distill {teachers.shard}", **STAGE)
def distill_student(
    root: str,
    source: list[Texts],
    target: list[Texts],
    segments: list[ArtifactRef],
    plans: list[ArtifactRef],
    teachers: ArtifactRef,
    cost: CostConfig,
    align: AlignConfig,
    config: DistillConfig,
) -> Distilled:
    """Train on the documents that have a plan; a student whose ingredients are unchanged is taken as it is.

    ``cost`` is what the student starts from, ``align`` how it will be used.
    """
    store = Store(root)
    made_of = _made_of(source, target, segments, plans, teachers, cost, align, config)

    def make(folder: Path) -> None:
        torch.set_num_threads(config.threads)
        names = [name for ref in plans for name in store.read(ref, ["document"])["document"].to_pylist()]
        train, held_out = split_documents(names, config.documents, config.held_out)
        parts = (part for ref in plans for part in store.scan(ref))
        wanted = {*train, *held_out}
        groups = {name: found for ref in segments for name, found in segment_pairs(store.read(ref)).items() if name in wanted}
        texts, into = ({name: text.types for name, text in read_all(store, side, wanted).items()} for side in (source, target))
        lessons = plan_lessons(parts, texts, into, groups, wanted, config.crop, align)
        met = {side: {kind for types in of_side.values() for kind in types} for side, of_side in zip(SIDES, (texts, into), strict=True)}
        with read_teachers(store, teachers) as fitted:
            pupil = _begin(new_student(fitted, config.student, cost), met, folder)
        pupil, log = distill(
            pupil,
            [lesson for name in train for lesson in lessons[name]],
            [lesson for name in held_out for lesson in lessons[name]],
            config,
            align,
        )
        save_weights(pupil, folder)
        (folder / LOG).write_text(json.dumps([asdict(epoch) for epoch in log]), encoding="utf-8")

    student = store.folder("student", teachers.shard, made_of, make)
    logged = ingredients(TRAINING_LOG.id, "pipeline_lib.alignment.distill", None, fingerprints(student))
    return Distilled(student, store.table(TRAINING_LOG, student.shard, logged, lambda: [read_log(store, student)]))


def has_distilled(
    root: str,
    source: list[Texts],
    target: list[Texts],
    segments: list[ArtifactRef],
    plans: list[ArtifactRef],
    teachers: ArtifactRef,
    cost: CostConfig,
    align: AlignConfig,
    config: DistillConfig,
) -> bool:
    """Whether the store holds what ``distill_student`` would build."""
    return Store(root).has("student", teachers.shard, _made_of(source, target, segments, plans, teachers, cost, align, config))


def _made_of(
    source: list[Texts],
    target: list[Texts],
    segments: list[ArtifactRef],
    plans: list[ArtifactRef],
    teachers: ArtifactRef,
    cost: CostConfig,
    align: AlignConfig,
    config: DistillConfig,
) -> Ingredients:
    around = [digest(settings.model_dump_json()) for settings in (cost, align)]
    inputs = [*texts_fingerprints([*source, *target]), *fingerprints(segments, plans, teachers), *around]
    return ingredients("student@2", "pipeline_lib.alignment.distill", config, inputs)


def _begin(student: Student, met: Mapping[Side, set[str]], folder: Path) -> Student:
    """What training needs of an untrained student; all that it will not change is in ``folder`` already, and out of memory."""
    save_student(student, folder)
    return excerpt(student, met)


def read_log(store: Store, student: ArtifactRef) -> pa.Table:
    """TRAINING_LOG of a student."""
    with store.local(student) as folder:
        return training_log(Epoch(**row) for row in json.loads((folder / LOG).read_text(encoding="utf-8")))
