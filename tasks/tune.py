"""Tune: the student of transformer teachers, one for all languages, trained on the transport plans of all pairs."""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from prefect import task

from data_contracts import TRAINING_LOG
from pipeline_lib.alignment.align import AlignConfig
from pipeline_lib.alignment.lessons import Lesson, plan_lessons, split_documents
from pipeline_lib.alignment.segments import segment_pairs
from pipeline_lib.alignment.training import planned
from pipeline_lib.alignment.units import GridText
from pipeline_lib.encoding.transformer import load_encoder
from pipeline_lib.encoding.tuned import TuneConfig, TunedStudent, save_tuned, tune
from pipeline_lib.encoding.vectors import EncodeConfig, chosen_device
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.checkpoints import Checkpoints
from pipeline_lib.storage.fingerprint import Ingredients, digest, ingredients
from pipeline_lib.storage.store import Store
from tasks.distill import LOG, Distilled, read_log
from tasks.stage import STAGE, fingerprints
from tasks.texts import Texts, read_all, texts_fingerprints


@dataclass(frozen=True)
class Pair:
    """One language pair: texts of the target language, aligned segments and plans, shard by shard."""

    target: list[Texts]
    segments: list[ArtifactRef]
    plans: list[ArtifactRef]


@task(name="tune", task_run_name="tune {shard}", **STAGE)
def tune_student(
    root: str,
    shard: str,
    source: list[Texts],
    pairs: list[Pair],
    start: ArtifactRef,
    align: AlignConfig,
    encode: EncodeConfig,
    config: TuneConfig,
) -> Distilled:
    """Train on the documents that have a plan. A killed training goes on from where it wrote itself down last."""
    store = Store(root)
    made_of = _made_of(source, pairs, start, align, config)

    def make(folder: Path) -> None:
        torch.set_num_threads(config.threads)
        device = chosen_device(encode.device)
        with store.local(start) as begun:
            student = TunedStudent(load_encoder(begun, config.start, device, torch.float32, encode.tokens))
        train, held_out = _lessons(store, source, pairs, align, config)
        checkpoints = Checkpoints(store, shard, made_of, math.prod(planned(len(train), config)), config.keep_every)
        log = tune(student, train, held_out, config, align, checkpoints)
        checkpoints.clear()
        save_tuned(student, folder)
        (folder / LOG).write_text(json.dumps([asdict(epoch) for epoch in log]), encoding="utf-8")

    student = store.folder("student", shard, made_of, make)
    logged = ingredients(TRAINING_LOG.id, "pipeline_lib.alignment.distill", None, fingerprints(student))
    return Distilled(student, store.table(TRAINING_LOG, shard, logged, lambda: [read_log(store, student)]))


def has_tuned(
    root: str,
    shard: str,
    source: list[Texts],
    pairs: list[Pair],
    start: ArtifactRef,
    align: AlignConfig,
    encode: EncodeConfig,
    config: TuneConfig,
) -> bool:
    """Whether the store holds what ``tune_student`` would build."""
    return Store(root).has("student", shard, _made_of(source, pairs, start, align, config))


def _made_of(source: list[Texts], pairs: list[Pair], start: ArtifactRef, align: AlignConfig, config: TuneConfig) -> Ingredients:
    inputs = [*texts_fingerprints(source), *fingerprints(start), digest(align.model_dump_json())]
    for pair in pairs:
        inputs += [*texts_fingerprints(pair.target), *fingerprints(pair.segments, pair.plans)]
    decides = config.model_copy(update={"start": config.start.model_copy(update={"model": "", "revision": ""}), "keep_every": 1})
    return ingredients("student@2", "pipeline_lib.encoding.tuned", decides, inputs)


def _lessons(
    store: Store, source: list[Texts], pairs: list[Pair], align: AlignConfig, config: TuneConfig
) -> tuple[list[Lesson[GridText]], list[Lesson[GridText]]]:
    """Training and held-out lessons of all pairs; a document that is held out is so in every language."""
    taught: list[Lesson[GridText]] = []
    judging: list[Lesson[GridText]] = []
    for pair in pairs:
        names = [name for ref in pair.plans for name in store.read(ref, ["document"])["document"].to_pylist()]
        train, held_out = split_documents(names, max(2, config.documents // len(pairs)), config.held_out)
        wanted = {*train, *held_out}
        groups = {name: found for ref in pair.segments for name, found in segment_pairs(store.read(ref)).items() if name in wanted}
        texts, into = read_all(store, source, wanted), read_all(store, pair.target, wanted)
        parts = (part for ref in pair.plans for part in store.scan(ref))
        lessons = plan_lessons(parts, texts, into, groups, wanted, config.crop, align)
        taught += [lesson for name in train for lesson in lessons[name]]
        judging += [lesson for name in held_out for lesson in lessons[name]]
    return taught, judging
