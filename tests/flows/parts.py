"""One small flow that calls every part of a run in order, and everything that they returned."""

from dataclasses import dataclass
from pathlib import Path

from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from flows.config import RunConfig
from flows.corpus import Cell, Corpus, read_corpus
from flows.handover import hand_over
from flows.model import PairModel
from flows.project import project_mentions, score_projections
from flows.train import Refs, Targets, build_targets, fit_teachers, pair_models, train_students
from flows.watch import LISTENER, Progress, Watch
from pipeline_lib.corpus.samples import documents, write_sample
from pipeline_lib.evaluation.summary import Counts
from pipeline_lib.storage.store import Store
from tasks.project import Projected
from tasks.score import Scored
from tests.flows.tiny import quick

CONFIG = quick("fit.dimensions=16", "shards.small=2", "distill.threads=1", "score.replicates=50")
NAMES = documents()[:4]


@dataclass(frozen=True)
class Parts:
    """A run from ``es`` into ``en`` and ``cs``, which the corpus spells ``cz``; two shards."""

    folder: Path
    corpus: Corpus
    teachers: Refs
    edges: Refs
    targets: Targets
    students: Refs
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
        teachers, edges = fit_teachers(store, read, CONFIG, watch)
        targets = build_targets(store, read, teachers, CONFIG, watch)
        students = train_students(store, read, teachers, targets, CONFIG, watch)
        models = pair_models(teachers, edges, students)
        projected = project_mentions(store, read, models, targets, CONFIG, watch)
        others = project_mentions(store, read, models, targets, by_student, student_watch)
        scores = score_projections(store, corpus, read, projected, CONFIG, watch)
        counts = hand_over(store, corpus, out, read, models, None, projected, scores, CONFIG, watch)
        return Parts(
            folder, read, teachers, edges, targets, students, models, projected, others, scores, counts, watch, student_watch, events
        )

    token = LISTENER.set(events.append)
    try:
        return parts()
    finally:
        LISTENER.reset(token)
