"""Third part of a run: mentions are carried over, and only then, where there is gold, scored against it."""

from collections.abc import Mapping
from dataclasses import dataclass

from flows.config import RunConfig
from flows.corpus import Cell, Corpus
from flows.encoders import align_by_student
from flows.model import Model
from flows.remote import ALIGN, Alignment, run_stage
from flows.support import NO_SUPPORT, Support
from flows.train import Refs, Targets, build_targets, pair_segments
from flows.watch import Watch
from pipeline_lib.projection.one_pass import OnePassConfig
from pipeline_lib.storage.artifact import ArtifactRef
from tasks.candidates import find_candidates as gather
from tasks.consistency import Counted
from tasks.consistency import count_corpus as count
from tasks.match import Matched, match_gold
from tasks.one_pass import project_at_once as one_pass
from tasks.project import Projected, project
from tasks.rerank import train_reranker
from tasks.score import Scored, score

Rerankers = Mapping[str, ArtifactRef | None]  # by target language


@dataclass(frozen=True)
class Aligned:
    """The alignments of every (target language, shard), and what made them, by language."""

    alignments: dict[Cell, ArtifactRef]
    aligners: Refs


def find_candidates(
    store: str,
    corpus: Corpus,
    aligned: Aligned,
    targets: Targets,
    edges: Refs,
    config: RunConfig,
    watch: Watch,
    support: Support = NO_SUPPORT,
) -> dict[Cell, ArtifactRef]:
    """The spans that every mention may have become."""
    return watch.stage(
        "candidates",
        {
            (lang, shard): gather.submit(
                store,
                corpus.texts[corpus.source, shard],
                corpus.texts[lang, shard],
                corpus.rows[corpus.source, shard].mentions,
                targets.embeddings[lang, shard],
                edges[lang],
                aligned.alignments[lang, shard],
                targets.posteriors[lang, shard],
                config.candidates,
                support.of((lang, shard)),
            )
            for lang, shard in corpus.cells
        },
    )


def count_corpus(
    store: str, corpus: Corpus, candidates: dict[Cell, ArtifactRef], teachers: Refs, config: RunConfig, watch: Watch
) -> dict[str, Counted]:
    """What the whole corpus says of the candidates: part of the model."""
    return watch.stage(
        "consistency",
        {
            lang: count.submit(store, [candidates[lang, shard] for shard in corpus.shards], teachers[lang], config.consistency)
            for lang in corpus.targets
        },
    )


def train_rerankers(
    store: str,
    folder: str,
    corpus: Corpus,
    candidates: dict[Cell, ArtifactRef],
    counted: dict[str, Counted],
    config: RunConfig,
    watch: Watch,
) -> Rerankers:
    """Learn from the gold of the declared documents, if there are any, and of no other."""
    if not corpus.scanned.trained:
        return {}
    return watch.stage(
        "rerank",
        {
            lang: train_reranker.submit(
                store,
                folder,
                corpus.scanned,
                lang,
                (corpus.whole(corpus.source), corpus.whole(lang)),
                corpus.mentions(),
                [candidates[lang, shard] for shard in corpus.shards],
                counted[lang],
                config.corpus,
                config.consistency.votes,
                config.decode,
                config.rerank,
            )
            for lang in corpus.targets
        },
    )


def project_at_once(
    store: str, corpus: Corpus, model: Model, config: RunConfig, watch: Watch, support: Support = NO_SUPPORT
) -> dict[Cell, Projected]:
    """Every mention where a fixed model projects it, in one pass over each document pair; no alignment and no candidate is kept.

    Transformers read whole shards, on a GPU if there is one: with those the stages come one after the other.
    """
    if config.teachers.kind == "transformers":
        segments = pair_segments(store, corpus, config, watch)
        targets = build_targets(store, corpus, segments, model.teachers, config, watch, pinned=True)
        aligned = align_texts(store, corpus, model.teachers, model.students, targets, config, watch)
        candidates = find_candidates(store, corpus, aligned, targets, model.edges, config, watch, support)
        return project_mentions(store, corpus, candidates, model.counted, aligned.aligners, config, watch, model.rerankers)
    own = {name: getattr(config, name) for name in OnePassConfig.model_fields if name != "votes"}
    settings = OnePassConfig(**own, votes=config.consistency.votes)
    return watch.stage(
        "project",
        {
            (lang, shard): one_pass.submit(
                store,
                corpus.pair_shard((lang, shard)),
                corpus.texts[corpus.source, shard],
                corpus.texts[lang, shard],
                corpus.rows[corpus.source, shard],
                model.teachers[lang],
                model.edges[lang],
                model.counted[lang],
                model.students[lang] if config.aligner == "student" else None,
                model.rerankers[lang],
                settings,
                support.of((lang, shard)),
            )
            for lang, shard in corpus.cells
        },
    )


def align_texts(
    store: str,
    corpus: Corpus,
    teachers: Refs,
    students: Refs,
    targets: Targets,
    config: RunConfig,
    watch: Watch,
) -> Aligned:
    """What projects: the sharpened plans of the teachers, or the alignments of the student (``config.aligner``)."""
    if config.aligner == "target":
        return Aligned(targets.plans, teachers)
    if config.teachers.kind == "transformers":
        return Aligned(align_by_student(store, corpus, students, targets.segments, config, watch), students)
    calls = {
        (lang, shard): Alignment(
            corpus.pair_shard((lang, shard)),
            corpus.texts[corpus.source, shard],
            corpus.texts[lang, shard],
            targets.segments[lang, shard],
            students[lang],
            config.align,
        )
        for lang, shard in corpus.cells
    }
    alignments = run_stage(ALIGN, "align", store, calls, config, watch)
    return Aligned(alignments, students)


def project_mentions(
    store: str,
    corpus: Corpus,
    candidates: dict[Cell, ArtifactRef],
    counted: dict[str, Counted],
    aligners: Refs,
    config: RunConfig,
    watch: Watch,
    rerankers: Rerankers | None = None,
) -> dict[Cell, Projected]:
    """Every mention at its likeliest candidate."""
    judges = rerankers or {}
    return watch.stage(
        "project",
        {
            (lang, shard): project.submit(
                store,
                corpus.texts[corpus.source, shard],
                corpus.texts[lang, shard],
                corpus.rows[corpus.source, shard],
                candidates[lang, shard],
                counted[lang],
                aligners[lang],
                config.consistency.votes,
                config.decode,
                judges.get(lang),
            )
            for lang, shard in corpus.cells
        },
    )


def score_projections(
    store: str, folder: str, corpus: Corpus, projected: dict[Cell, Projected], config: RunConfig, watch: Watch
) -> dict[str, Scored]:
    """Open the targets' annotations for the first time, but for the documents that were declared for training, which are not scored."""
    matched: dict[Cell, Matched] = watch.stage(
        "match",
        {
            (lang, shard): match_gold.submit(store, folder, corpus.scanned, lang, shard, projected[lang, shard].projections, config.corpus)
            for lang, shard in corpus.cells
        },
    )
    return watch.stage(
        "score",
        {
            lang: score.submit(store, folder, corpus.scanned, lang, [matched[lang, shard] for shard in corpus.shards], config.score)
            for lang in corpus.targets
        },
    )
