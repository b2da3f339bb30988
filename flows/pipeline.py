"""The whole run, from a folder of annotated texts to projected and scored ones. Read it from top to bottom."""

from pathlib import Path
from typing import Any

from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from flows.config import RunConfig
from flows.corpus import read_corpus
from flows.handover import hand_over
from flows.model import Model, ModelError, load_model, pair_models
from flows.project import align_texts, count_corpus, find_candidates, project_mentions, score_projections, train_rerankers
from flows.support import read_support
from flows.train import build_targets, fit_teachers, pair_segments, train_students
from flows.watch import Watch
from pipeline_lib.corpus.layouts import resolve_language
from pipeline_lib.evaluation.summary import Counts
from pipeline_lib.storage.store import Store
from tasks.export import check_out


@flow(name="spanferry", persist_result=False)
def pipeline(
    config: RunConfig,
    corpus: str,
    source: str,
    targets: list[str],
    store: str,
    out: str,
    model: str | None = None,
    gold_train: str | None = None,
    support: str | None = None,
) -> Counts:
    """Carry the annotations of ``source`` into ``targets``.

    Args:
        corpus: folder in the layout that ``config.corpus`` tells, such as ``{lang}/{document}.txt`` with ``.ann`` beside it.
        store: folder or fsspec URL of the artifacts; out: folder of the outputs.
        model: run whose model is used as it is; without one, what depends on the corpus is fitted.
        gold_train: file that lists documents, one id a line, whose gold in the targets may be learnt from. They are not scored.
        support: folder of mentions that a tagger predicts in the target texts, as evidence.

    Raises:
        CorpusError, ModelError, ExportError, StoreError: with the reason in one sentence.
    """
    check_out(Path(out))
    pinned = _pinned(store, corpus, source, targets, config, model, gold_train)
    watch = Watch()

    shards, trained = (pinned.shards, pinned.trained) if pinned else (None, ())
    texts = read_corpus(store, corpus, source, targets, config, shards, watch, gold_train, trained)
    segments = pair_segments(store, texts, config, watch)
    teachers, edges = (pinned.teachers, pinned.edges) if pinned else fit_teachers(store, texts, segments, config, watch)
    plans = build_targets(store, texts, segments, teachers, config, watch)
    students = pinned.students if pinned else train_students(store, corpus, texts, teachers, plans, config, watch)

    aligned = align_texts(store, texts, teachers, students, plans, config, watch)
    tagged = read_support(store, corpus, support, texts, config, watch)
    candidates = find_candidates(store, texts, aligned, plans, edges, config, watch, tagged)
    counted = pinned.counted if pinned else count_corpus(store, texts, candidates, teachers, config, watch)
    rerankers = pinned.rerankers if pinned else train_rerankers(store, corpus, texts, candidates, counted, config, watch)
    projected = project_mentions(store, texts, candidates, counted, aligned.aligners, config, watch, rerankers)
    scores = score_projections(store, corpus, texts, projected, config, watch)
    models = pair_models(teachers, edges, students, counted, rerankers)
    return hand_over(store, corpus, out, texts, models, pinned.run if pinned else None, projected, scores, config, watch, tagged)


def run_pipeline(
    config: RunConfig,
    corpus: str,
    source: str,
    targets: list[str],
    store: str,
    out: str,
    model: str | None = None,
    gold_train: str | None = None,
    support: str | None = None,
) -> Counts:
    """Run the flow in this process, ``config.workers`` shards at a time."""
    name = f"{Path(corpus).name} {source}-{'+'.join(targets)} {config.profile}"
    runner: Any = ThreadPoolTaskRunner(max_workers=config.workers)  # Any: its future type is narrower than with_options asks for
    named = pipeline.with_options(task_runner=runner, flow_run_name=name)
    counts: Counts = named(config, corpus, source, targets, store, out, model, gold_train, support)
    return counts


def _pinned(
    store: str, corpus: str, source: str, targets: list[str], config: RunConfig, model: str | None, gold_train: str | None
) -> Model | None:
    if model is None:
        return None
    if gold_train is not None:
        raise ModelError("the model of --model is used as it is and learns nothing: leave out --model or --gold-train")
    own = [resolve_language(Path(corpus), lang, config.corpus) for lang in [source, *targets]]
    return load_model(Store(store), model, own[0], own[1:])
