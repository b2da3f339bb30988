"""Second part of a run: the model of each language pair, and the alignment target that it gives for every document."""

from dataclasses import dataclass

from flows.config import RunConfig
from flows.corpus import Cell, Corpus
from flows.encoders import see_texts, take_start
from flows.remote import DISTILL, EMBED, TUNE, Distillation, Embedding, Tuning, run_stage
from flows.watch import Watch
from pipeline_lib.alignment.features import SIDES
from pipeline_lib.storage.artifact import ArtifactRef
from tasks.cost import Costs, cost
from tasks.edges import count_edges
from tasks.fit import fit
from tasks.mcai import Chosen, bias, choose_student, map_gold
from tasks.segments import align_segments
from tasks.sharpen import sharpen
from tasks.tune import Pair

Refs = dict[str, ArtifactRef]  # by target language


@dataclass(frozen=True)
class Targets:
    """Of every (target language, shard): aligned segments, sharpened plans, the hidden Markov model's word, types of the target texts."""

    segments: dict[Cell, ArtifactRef]
    plans: dict[Cell, ArtifactRef]
    posteriors: dict[Cell, ArtifactRef]
    embeddings: dict[Cell, ArtifactRef]


def pair_segments(store: str, corpus: Corpus, config: RunConfig, watch: Watch) -> dict[Cell, ArtifactRef]:
    """Which pieces of two texts translate each other."""
    sources = {(lang, shard): corpus.texts[corpus.source, shard] for lang, shard in corpus.cells}
    return watch.stage(
        "segments",
        {
            cell: align_segments.submit(store, corpus.pair_shard(cell), sources[cell], corpus.texts[cell], config.segments)
            for cell in corpus.cells
        },
    )


def fit_teachers(store: str, corpus: Corpus, segments: dict[Cell, ArtifactRef], config: RunConfig, watch: Watch) -> tuple[Refs, Refs]:
    """Fit the embedded teachers on the run's own texts, and count how mentions begin and end."""
    source = corpus.whole(corpus.source)
    teachers = watch.stage(
        "fit",
        {
            lang: fit.submit(store, corpus.pair(lang), source, corpus.whole(lang), [segments[lang, s] for s in corpus.shards], config.fit)
            for lang in corpus.targets
        },
    )
    edges = watch.stage(
        "edges", {lang: count_edges.submit(store, source, corpus.mentions(), teachers[lang], config.edges) for lang in corpus.targets}
    )
    return teachers, edges


def build_targets(
    store: str,
    corpus: Corpus,
    segments: dict[Cell, ArtifactRef],
    teachers: Refs,
    config: RunConfig,
    watch: Watch,
    pinned: bool = False,
) -> Targets:
    """Embed every unit, cost every pair of units in the band, sharpen the costs into plans.

    What transformer teachers say stands in for the fitted ones' cost; with a ``pinned`` model whose student projects, nobody asks them.
    """
    calls = {
        (side, lang, shard): Embedding(corpus.texts[code, shard], teachers[lang], side)
        for lang, shard in corpus.cells
        for side, code in zip(SIDES, (corpus.source, lang), strict=True)
    }
    embedded = run_stage(EMBED, "embed", store, calls, config, watch)
    costs: dict[Cell, Costs] = watch.stage(
        "cost",
        {
            (lang, shard): cost.submit(
                store,
                corpus.pair_shard((lang, shard)),
                embedded["source", lang, shard],
                embedded["target", lang, shard],
                segments[lang, shard],
                teachers[lang],
                config.cost,
            )
            for lang, shard in corpus.cells
        },
    )
    told = {cell: made.main for cell, made in costs.items()}
    if config.teachers.kind == "transformers":
        told = {} if pinned and config.aligner == "student" else see_texts(store, corpus, segments, config, watch)
    plans = watch.stage("sharpen", {cell: sharpen.submit(store, told[cell], config.sharpen) for cell in told})
    posteriors = {cell: made.posteriors for cell, made in costs.items()}
    return Targets(segments, plans, posteriors, {cell: embedded["target", *cell] for cell in corpus.cells})


def train_students(store: str, folder: str, corpus: Corpus, teachers: Refs, targets: Targets, config: RunConfig, watch: Watch) -> Refs:
    """Distil each pair's plans into its student; where the student projects and gold is declared, it may learn from that too."""
    untaught = _distil(store, corpus, teachers, targets, {0.0: targets.plans}, "distill", config, watch)[0.0]
    if not corpus.scanned.trained or config.aligner == "target":
        return untaught
    return _teach_gold(store, folder, corpus, teachers, targets, untaught, config, watch)


def _distil(
    store: str,
    corpus: Corpus,
    teachers: Refs,
    targets: Targets,
    plans: dict[float, dict[Cell, ArtifactRef]],
    stage: str,
    config: RunConfig,
    watch: Watch,
) -> dict[float, Refs]:
    """The students that each set of plans teaches: one a language pair by fitted teachers, one for all languages by transformers."""
    if config.teachers.kind == "transformers":
        start = take_start(store, config, watch)
        orders = {scale: _tuning(corpus, targets, made, start, config) for scale, made in plans.items()}
        tuned = run_stage(TUNE, stage, store, orders, config, watch)
        return {scale: dict.fromkeys(corpus.targets, student.main) for scale, student in tuned.items()}
    pupils = {
        (scale, lang): _pupil(corpus, lang, teachers, targets, made, config) for scale, made in plans.items() for lang in corpus.targets
    }
    students = run_stage(DISTILL, stage, store, pupils, config, watch)
    return {scale: {lang: students[scale, lang].main for lang in corpus.targets} for scale in plans}


def _teach_gold(
    store: str, folder: str, corpus: Corpus, teachers: Refs, targets: Targets, untaught: Refs, config: RunConfig, watch: Watch
) -> Refs:
    """MCAI (paper): plans biased by the declared gold teach further students; the one that does best on gold it has not seen is taken."""
    both = {lang: (corpus.whole(corpus.source), corpus.whole(lang)) for lang in corpus.targets}
    plans, segments = ({lang: [made[lang, s] for s in corpus.shards] for lang in both} for made in (targets.plans, targets.segments))
    spans = watch.stage(
        "map",
        {
            lang: map_gold.submit(store, folder, corpus.scanned, both[lang], corpus.mentions(), plans[lang], config.corpus, config.mcai)
            for lang in both
        },
    )
    biased = watch.stage(
        "bias",
        {
            (scale, cell): bias.submit(store, targets.plans[cell], spans[cell[0]], scale, config.mcai)
            for scale in config.mcai.scales
            for cell in corpus.cells
        },
    )
    taught = _distil(
        store,
        corpus,
        teachers,
        targets,
        {scale: {cell: biased[scale, cell] for cell in corpus.cells} for scale in config.mcai.scales},
        "distill with gold",
        config,
        watch,
    )
    rivals = {lang: {0.0: untaught[lang]} | {scale: taught[scale][lang] for scale in config.mcai.scales} for lang in both}
    chosen: dict[str, Chosen] = watch.stage(
        "choose",
        {
            lang: choose_student.submit(
                store, both[lang], segments[lang], rivals[lang], spans[lang], config.align, config.mcai, config.tune.start, config.encode
            )
            for lang in both
        },
    )
    return {lang: choice.student for lang, choice in chosen.items()}


def _pupil(corpus: Corpus, lang: str, teachers: Refs, targets: Targets, plans: dict[Cell, ArtifactRef], config: RunConfig) -> Distillation:
    return Distillation(
        corpus.whole(corpus.source),
        corpus.whole(lang),
        [targets.segments[lang, shard] for shard in corpus.shards],
        [plans[lang, shard] for shard in corpus.shards],
        teachers[lang],
        config.cost,
        config.align,
        config.distill,
    )


def _tuning(corpus: Corpus, targets: Targets, plans: dict[Cell, ArtifactRef], start: ArtifactRef, config: RunConfig) -> Tuning:
    pairs = [
        Pair(corpus.whole(lang), [targets.segments[lang, s] for s in corpus.shards], [plans[lang, s] for s in corpus.shards])
        for lang in corpus.targets
    ]
    shard = f"{corpus.source}-{'+'.join(corpus.targets)}"
    return Tuning(shard, corpus.whole(corpus.source), pairs, start, config.align, config.encode, config.tune)
