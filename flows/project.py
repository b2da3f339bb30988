"""Third part of a run: mentions are carried over, and only then, where there is gold, scored against it."""

from flows.config import RunConfig
from flows.corpus import Cell, Corpus
from flows.model import PairModel
from flows.train import Targets
from flows.watch import Watch
from tasks.align import align
from tasks.project import Projected, project
from tasks.score import Scored, score


def project_mentions(
    store: str, corpus: Corpus, models: dict[str, PairModel], targets: Targets, config: RunConfig, watch: Watch
) -> dict[Cell, Projected]:
    """Project along the sharpened plans, or along the alignments of the student (``config.aligner``)."""
    sources = {(lang, shard): (corpus.source, shard) for lang, shard in corpus.cells}
    if config.aligner == "student":
        alignments = watch.stage(
            "align",
            {
                cell: align.submit(
                    store, corpus.pair_shard(cell), corpus.texts[sources[cell]], corpus.texts[cell], models[cell[0]].student, config.align
                )
                for cell in corpus.cells
            },
        )
        aligners = {lang: model.student for lang, model in models.items()}
    else:
        alignments = targets.plans
        aligners = {lang: model.teachers for lang, model in models.items()}
    return watch.stage(
        "project",
        {
            cell: project.submit(
                store,
                corpus.texts[sources[cell]],
                corpus.texts[cell],
                corpus.rows[sources[cell]],
                targets.embeddings[cell],
                models[cell[0]].edges,
                alignments[cell],
                aligners[cell[0]],
                config.decode,
            )
            for cell in corpus.cells
        },
    )


def score_projections(
    store: str, folder: str, corpus: Corpus, projected: dict[Cell, Projected], config: RunConfig, watch: Watch
) -> dict[str, Scored]:
    """Open the targets' annotations for the first time."""
    into = {lang: [projected[lang, shard].projections for shard in corpus.shards] for lang in corpus.targets}
    return watch.stage(
        "score",
        {lang: score.submit(store, folder, corpus.scanned, lang, into[lang], config.corpus, config.score) for lang in corpus.targets},
    )
