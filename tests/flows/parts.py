"""One small flow that calls every part of a run in order, and everything that they returned."""

from dataclasses import dataclass
from pathlib import Path

from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from flows.config import RunConfig
from flows.corpus import Cell, Corpus, read_corpus
from flows.handover import hand_over
from flows.model import PairModel, pair_models
from flows.project import align_texts, count_corpus, find_candidates, project_mentions, score_projections
from flows.train import Refs, Targets, build_targets, fit_teachers, pair_segments, train_students
from flows.watch import LISTENER, Progress, Watch
from pipeline_lib.corpus.samples import documents, write_sample
from pipeline_lib.evaluation.summary import Counts
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.store import Store
from tasks.consistency import Counted
from tasks.project import Projected
from tasks.score import Scored
from tests.flows.tiny import quick

CONFIG = quick("fit.dimensions=16", "shards.small=2", "score.replicates=50")
NAMES = documents()[:4]


@dataclass(frozen=True)
class Parts:
    """A run from ``es`` into ``en`` and ``cs``, which the corpus spells ``cz``; two shards."""

    folder: Path
    corpus: Corpus
    segments: dict[Cell, ArtifactRef]
    teachers: Refs
    edges: Refs
    targets: Targets
    students: Refs
    candidates: dict[Cell, ArtifactRef]
    counted: dict[str, Counted]
    models: dict[str, PairModel]
    projected: dict[Cell, Projected]
    by_student: dict[Cell, Projected]
    scores: dict[str, Scored]
    counts: Counts
    watch: Watch
    student_watch: Watch
    events: list[Progress]

    @property
    def store(self) -> Store:
        return Store(str(self.folder / "store"))

    @property
    def out(self) -> Path:
        return self.folder / "out"


def run_parts(folder: Path) -> Parts:
    """Run every part on four documents of the sample."""
    write_sample(folder / "corpus", languages=("es", "en", "cz"), documents=NAMES)
    store, corpus, out = str(folder / "store"), str(folder / "corpus"), str(folder / "out")
    by_student = RunConfig.model_validate({**CONFIG.model_dump(), "aligner": "student"})
    events: list[Progress] = []

    @flow(name="parts", persist_result=False, task_runner=ThreadPoolTaskRunner(max_workers=2))
    def parts() -> Parts:
        watch, student_watch = Watch(), Watch()
        read = read_corpus(store, corpus, "es", ["en", "cs"], CONFIG, None, watch)
        segments = pair_segments(store, read, CONFIG, watch)
        teachers, edges = fit_teachers(store, read, segments, CONFIG, watch)
        targets = build_targets(store, read, segments, teachers, CONFIG, watch)
        students = train_students(store, corpus, read, teachers, targets, CONFIG, watch)
        aligned = align_texts(store, read, teachers, students, targets, CONFIG, watch)
        candidates = find_candidates(store, read, aligned, targets, edges, CONFIG, watch)
        counted = count_corpus(store, read, candidates, teachers, CONFIG, watch)
        projected = project_mentions(store, read, candidates, counted, aligned.aligners, CONFIG, watch)
        scores = score_projections(store, corpus, read, projected, CONFIG, watch)
        models = pair_models(teachers, edges, students, counted)
        counts = hand_over(store, corpus, out, read, models, None, projected, scores, CONFIG, watch)
        others = align_texts(store, read, teachers, students, targets, by_student, student_watch)
        of_student = find_candidates(store, read, others, targets, edges, by_student, student_watch)
        again = project_mentions(store, read, of_student, counted, others.aligners, by_student, student_watch)
        learnt = (segments, teachers, edges, targets, students, candidates, counted, models)
        return Parts(folder, read, *learnt, projected, again, scores, counts, watch, student_watch, events)

    token = LISTENER.set(events.append)
    try:
        return parts()
    finally:
        LISTENER.reset(token)
