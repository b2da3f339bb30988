"""The whole run, from a folder of annotated texts to projected and scored ones. Read it from top to bottom."""

from pathlib import Path

from prefect import flow
from prefect.task_runners import ThreadPoolTaskRunner

from flows.config import RunConfig
from flows.model import Model, PairModel, load_model, model_record, run_id
from flows.watch import Watch
from pipeline_lib.corpus.layouts import resolve_language
from pipeline_lib.evaluation.summary import Counts
from pipeline_lib.storage.store import Store
from tasks.align import align
from tasks.cost import cost
from tasks.distill import distill_student
from tasks.edges import count_edges
from tasks.embed import embed
from tasks.export import Outputs, RunFacts, check_out, export
from tasks.fit import fit
from tasks.ingest import ingest_shard
from tasks.project import project
from tasks.scan import scan
from tasks.score import score
from tasks.sharpen import sharpen
from tasks.stage import shard_name
from tasks.texts import Texts
from tasks.units import make_units


def run_pipeline(
    config: RunConfig, corpus: str, source: str, targets: list[str], store: str, out: str, model: str | None = None
) -> Counts:
    """Run the flow in this process, ``config.workers`` shards at a time."""
    name = f"{Path(corpus).name} {source}-{'+'.join(targets)} {config.profile}"
    runner = ThreadPoolTaskRunner(max_workers=config.workers)
    counts: Counts = pipeline.with_options(task_runner=runner, flow_run_name=name)(config, corpus, source, targets, store, out, model)
    return counts


@flow(name="spanferry", persist_result=False)
def pipeline(
    config: RunConfig, corpus: str, source: str, targets: list[str], store: str, out: str, model: str | None = None
) -> Counts:
    """Carry the annotations of ``source`` into ``targets``.

    Args:
        corpus: folder in the plain layout, ``{lang}/{document}.txt`` with ``.ann`` beside it.
        store: folder or fsspec URL of the artifacts; out: folder of the outputs.
        model: run whose model is used as it is; without one, what depends on the corpus is fitted.

    Raises:
        CorpusError, ModelError, ExportError, StoreError: with the reason in one sentence.
    """
    check_out(Path(out))
    watch = Watch()
    pinned = _pinned(store, corpus, source, targets, model)

    # The corpus: its files, their rows, and the grid of units that every later stage speaks.
    found = watch.stage("scan", {0: scan.submit(store, corpus, source, targets, config.shards, pinned and pinned.shards)})[0]
    langs, shards = list(dict.fromkeys([found.source, *found.targets])), found.filled
    read = watch.stage("ingest", {(lang, k): ingest_shard.submit(store, corpus, found, lang, k) for lang in langs for k in shards})
    units = watch.stage("units", {key: make_units.submit(store, rows.documents) for key, rows in read.items()})
    texts = {key: Texts(read[key].documents, units[key]) for key in units}
    whole = {lang: [texts[lang, k] for k in shards] for lang in langs}
    mentions = [read[found.source, k].mentions for k in shards]
    pairs = {lang: f"{found.source}-{lang}" for lang in found.targets}
    cells = [(lang, k) for lang in found.targets for k in shards]

    # The teachers, fitted on the run's own texts and then frozen; and how mentions begin and end.
    if pinned:
        teachers, edges = ({lang: getattr(pinned.pairs[lang], part) for lang in pairs} for part in ("teachers", "edges"))
    else:
        teachers = watch.stage("fit", {lang: fit.submit(store, pairs[lang], whole[found.source], whole[lang], config.fit) for lang in pairs})
        edges = watch.stage("edges", {t: count_edges.submit(store, whole[found.source], mentions, teachers[t], config.edges) for t in pairs})

    # The alignment target: what the teachers say of every unit, the cost of every pair in the band, the sharpened plan.
    sources = watch.stage("embed source", {(t, k): embed.submit(store, texts[found.source, k], teachers[t], "source") for t, k in cells})
    embedded = watch.stage("embed target", {(t, k): embed.submit(store, texts[t, k], teachers[t], "target") for t, k in cells})
    named = {(t, k): shard_name(pairs[t], k, found.shards) for t, k in cells}
    costs = watch.stage("cost", {c: cost.submit(store, named[c], sources[c], embedded[c], teachers[c[0]], config.cost) for c in cells})
    plans = watch.stage("sharpen", {c: sharpen.submit(store, costs[c], config.sharpen) for c in cells})

    # The student, distilled from the plans.
    if pinned:
        students = {lang: pinned.pairs[lang].student for lang in pairs}
    else:
        trained = watch.stage(
            "distill",
            {
                t: distill_student.submit(store, whole[found.source], whole[t], [plans[t, k] for k in shards], teachers[t], config.distill)
                for t in pairs
            },
        )
        students = {lang: distilled.main for lang, distilled in trained.items()}

    # Projection along the plan or the student's alignment; then, for the first time, the gold.
    if config.aligner == "student":
        aligned = watch.stage(
            "align", {(t, k): align.submit(store, named[t, k], texts[found.source, k], texts[t, k], students[t], config.align) for t, k in cells}
        )
    else:
        aligned = plans
    projected = watch.stage(
        "project",
        {
            (t, k): project.submit(
                store, texts[found.source, k], texts[t, k], read[found.source, k].mentions, embedded[t, k], edges[t], aligned[t, k], config.decode
            )
            for t, k in cells
        },
    )
    into = {lang: [projected[lang, k] for k in shards] for lang in found.targets}
    scored = watch.stage("score", {lang: score.submit(store, corpus, found, lang, into[lang], config.score) for lang in found.targets})

    # The outputs, and the record by which a later run finds this one's model.
    fingerprints = [found.files.fingerprint, *(ref.fingerprint for refs in into.values() for ref in refs)]
    fingerprints += [result.main.fingerprint for result in scored.values()]
    run = run_id(fingerprints, config.toml())
    models = {lang: PairModel(teachers[lang], edges[lang], students[lang]) for lang in pairs}
    record: dict[str, object] = {
        "run": run,
        "model": pinned.run if pinned else run,
        "source": found.source,
        "targets": found.targets,
        "shards": found.shards,
        "config": config.model_dump(mode="json"),
        "models": model_record(models),
        "artifacts": fingerprints,
    }
    Store(store).write_record(f"runs/{run}.json", record)
    outputs = Outputs(
        found.source,
        found.targets,
        {lang: [read[lang, k] for k in shards] for lang in langs},
        into,
        [result.main for result in scored.values()],
        [found.rejects, *(rows.rejects for rows in read.values()), *(result.rejects for result in scored.values())],
    )
    facts = RunFacts(
        run, Path(corpus).name, config.profile, config.aligner, pinned.run if pinned else run, config.toml(), record, tuple(watch.stages)
    )
    counts: Counts = export(store, out, outputs, facts)
    return counts


def _pinned(store: str, corpus: str, source: str, targets: list[str], model: str | None) -> Model | None:
    if model is None:
        return None
    own = [resolve_language(Path(corpus), lang) for lang in [source, *targets]]
    return load_model(Store(store), model, own[0], own[1:])
