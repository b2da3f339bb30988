"""The whole run, from a folder of annotated texts to projected and scored ones. Read it from top to bottom."""

from pathlib import Path
from typing import Any

from prefect import flow, runtime

from flows.config import RunConfig
from flows.corpus import read_corpus
from flows.encoders import take_tokenizer
from flows.handover import hand_over, hand_over_model
from flows.model import pair_models
from flows.project import (
    align_texts,
    count_corpus,
    find_candidates,
    project_at_once,
    project_mentions,
    score_projections,
    train_rerankers,
)
from flows.refit import choose_model, chosen_shards, collection, fixed_model, outgrown
from flows.support import read_support
from flows.train import build_targets, fit_teachers, pair_segments, train_students
from flows.watch import Watch
from flows.workplace import at_work
from pipeline_lib.evaluation.summary import Counts
from tasks.out_folder import check_out


def run_name() -> str:
    """What Prefect calls a run: corpus, languages and profile."""
    given: dict[str, Any] = runtime.flow_run.parameters
    profile = RunConfig.model_validate(given["config"]).profile
    return f"{Path(given['corpus']).name} {given['source']}-{'+'.join(given['targets'])} {profile}"


@flow(name="spanferry", flow_run_name=run_name, persist_result=False)
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
        model: run whose model is used as it is; without one ``config.refit`` says whether what depends on the corpus is fitted.
        gold_train: file that lists documents, one id a line, whose gold in the targets may be learnt from. They are not scored.
        support: folder of mentions that a tagger predicts in the target texts, as evidence.

    Raises:
        CorpusError, ModelError, ExportError, StoreError: with the reason in one sentence.
    """
    check_out(Path(out))
    watch = Watch()
    with at_work(store, run_name(), collection(corpus, source, targets, config), config, watch, out):
        pinned = choose_model(store, corpus, source, targets, config, model, gold_train)
        shards = chosen_shards(store, collection(corpus, source, targets, config), pinned) if pinned else None
        trained = pinned.trained if pinned else ()
        tokenizer = take_tokenizer(store, config, watch)
        texts = read_corpus(store, corpus, source, targets, config, shards, watch, gold_train, trained, tokenizer)
        if pinned and model is None and outgrown(config.refit, pinned.documents, texts.documents):
            pinned, texts = None, read_corpus(store, corpus, source, targets, config, None, watch, tokenizer=tokenizer)

        segments = pair_segments(store, texts, config, watch)
        teachers, edges = (pinned.teachers, pinned.edges) if pinned else fit_teachers(store, texts, segments, config, watch)
        plans = build_targets(store, texts, segments, teachers, config, watch, bool(pinned))
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


@flow(name="spanferry-train", flow_run_name=run_name, persist_result=False)
def train(config: RunConfig, corpus: str, source: str, targets: list[str], store: str, gold_train: str | None = None) -> str:
    """Fit the model of a collection, for ``project`` to use, and project nothing. Returns the run's id; see ``pipeline``."""
    watch = Watch()
    with at_work(store, run_name(), collection(corpus, source, targets, config), config, watch):
        texts = read_corpus(store, corpus, source, targets, config, None, watch, gold_train, tokenizer=take_tokenizer(store, config, watch))
        segments = pair_segments(store, texts, config, watch)
        teachers, edges = fit_teachers(store, texts, segments, config, watch)
        plans = build_targets(store, texts, segments, teachers, config, watch)
        students = train_students(store, corpus, texts, teachers, plans, config, watch)

        aligned = align_texts(store, texts, teachers, students, plans, config, watch)
        candidates = find_candidates(store, texts, aligned, plans, edges, config, watch)
        counted = count_corpus(store, texts, candidates, teachers, config, watch)
        rerankers = train_rerankers(store, corpus, texts, candidates, counted, config, watch)
        return hand_over_model(store, corpus, texts, pair_models(teachers, edges, students, counted, rerankers), config, watch)


@flow(name="spanferry-project", flow_run_name=run_name, persist_result=False)
def project(
    config: RunConfig,
    corpus: str,
    source: str,
    targets: list[str],
    store: str,
    out: str,
    model: str | None = None,
    support: str | None = None,
) -> Counts:
    """Project with a model as it is: the given run's, else the collection's last. Fits nothing, and keeps no alignment and no candidate.

    What comes out is what ``pipeline`` gives with the same ``model``. Raises as it does.
    """
    check_out(Path(out))
    watch = Watch()
    config = config.model_copy(update={"shards": config.shards.by_document()})
    with at_work(store, run_name(), collection(corpus, source, targets, config), config, watch, out):
        pinned = fixed_model(store, corpus, source, targets, config, model)
        shards = chosen_shards(store, collection(corpus, source, targets, config), pinned)
        texts = read_corpus(
            store, corpus, source, targets, config, shards, watch, trained=pinned.trained, tokenizer=take_tokenizer(store, config, watch)
        )
        tagged = read_support(store, corpus, support, texts, config, watch)
        projected = project_at_once(store, texts, pinned, config, watch, tagged)
        scores = score_projections(store, corpus, texts, projected, config, watch)
        return hand_over(store, corpus, out, texts, pinned.pairs, pinned.run, projected, scores, config, watch, tagged)


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
    """Run the flow in this process."""
    counts: Counts = pipeline(config, corpus, source, targets, store, out, model, gold_train, support)
    return counts
