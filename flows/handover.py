"""Last part of a run: its outputs, and the record by which a later run finds its model."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pyarrow as pa

from data_contracts import SCORES
from flows.collection import LastRun, collection_id, f1_scores, last_run, nested, plain_name, remember, tables_key
from flows.config import RunConfig
from flows.corpus import Cell, Corpus
from flows.encoders import encoders_record
from flows.events import alert
from flows.model import PairModel, model_record, run_id
from flows.refit import remember_model
from flows.support import NO_SUPPORT, Support
from flows.watch import Watch, references
from pipeline_lib.evaluation.scale import scale
from pipeline_lib.evaluation.summary import Counts
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.recall import remember_tables
from pipeline_lib.storage.store import Store
from tasks.export import Outputs, RunFacts, export, export_language, export_tables
from tasks.out_folder import Written, open_out
from tasks.project import Projected
from tasks.score import Scored
from tasks.stage import as_it_is


def hand_over(
    store: str,
    folder: str,
    out: str,
    corpus: Corpus,
    models: dict[str, PairModel],
    pinned: str | None,
    projected: dict[Cell, Projected],
    scores: dict[str, Scored],
    config: RunConfig,
    watch: Watch,
    support: Support = NO_SUPPORT,
) -> Counts:
    """Record the run in the store and export its outputs."""
    made = [*_refs(projected), *(scored.main for scored in scores.values())]
    record = {**_record(store, corpus, models, pinned, made, config, watch), **support.record()}
    run = str(record["run"])
    Store(store).write_record(f"runs/{run}.json", record)
    watch.know(run)
    if pinned is None:
        remember_model(store, collection_id(folder, corpus.source, corpus.targets, config.profile), run)
    stages, sizes = tuple(watch.stages), scale(watch.used.values())
    facts = RunFacts(run, Path(folder).name, config.profile, config.aligner, pinned or run, config.toml(), record, stages, sizes)
    with watch.alone("export", corpus.documents):
        outputs = _outputs(corpus, projected, scores, support)
        earlier = open_out(out)
        parts = _export_parts(store, out, outputs, earlier, config)
        counts: Counts = export(store, out, as_it_is(outputs), as_it_is(facts), as_it_is(earlier), as_it_is(parts))
    table = _scores(store, scores.values())
    _compare(store, folder, out, table, _figures(folder, corpus, record, table, counts, config), config, watch)
    return counts


def hand_over_model(store: str, folder: str, corpus: Corpus, models: dict[str, PairModel], config: RunConfig, watch: Watch) -> str:
    """Record a run that fitted a model and projected nothing; the collection's model is now this one. Its id."""
    record = _record(store, corpus, models, None, list(references(models)), config, watch)
    run = str(record["run"])
    Store(store).write_record(f"runs/{run}.json", record)
    watch.know(run)
    remember_model(store, collection_id(folder, corpus.source, corpus.targets, config.profile), run)
    watch.page.flush()
    return run


def _export_parts(store: str, out: str, outputs: Outputs, earlier: Written, config: RunConfig) -> list[Written]:
    """Tables and languages beside each other, but not on a Dask cluster, whose workers may not see the output folder."""
    given = as_it_is(outputs)
    tables = (store, out, given, as_it_is(earlier.of_tables()))
    languages = [(store, out, lang, given, as_it_is(earlier.of_language(lang))) for lang in outputs.texts]
    if config.task_runner == "dask":
        return [export_tables(*tables), *(export_language(*language) for language in languages)]
    beside = [export_tables.submit(*tables), *(export_language.submit(*language) for language in languages)]
    return [part.result() for part in beside]


def _record(
    store: str, corpus: Corpus, models: dict[str, PairModel], pinned: str | None, made: list[ArtifactRef], config: RunConfig, watch: Watch
) -> dict[str, object]:
    """What the store keeps of a run."""
    artifacts = [ref.key for ref in [corpus.scanned.files, *made]]
    run = run_id(artifacts, config.toml(), pinned)
    return {
        "run": run,
        "model": pinned or run,
        "source": corpus.source,
        "targets": corpus.targets,
        "shards": corpus.scanned.shards,
        "config": config.deciding(),
        "models": model_record(models),
        "gold_train": list(corpus.scanned.trained),
        "artifacts": artifacts,
        "documents": corpus.documents,
        **encoders_record(store, watch),
        "used": sorted({*watch.used, *(ref.key for ref in references(models))}),
    }


def _figures(folder: str, corpus: Corpus, record: Mapping[str, object], scores: pa.Table, counts: Counts, config: RunConfig) -> LastRun:
    """What the collection's next run is to know of this one."""
    return LastRun(
        run=str(record["run"]),
        model=str(record["model"]),
        manifest=corpus.scanned.files.fingerprint,
        corpus=plain_name(folder),
        source=corpus.source,
        targets=tuple(corpus.targets),
        profile=config.profile,
        documents=counts.documents,
        mentions=counts.mentions,
        shards=corpus.scanned.shards,
        rejects=nested(counts.rejects),
        abstentions=nested(counts.abstentions),
        scores=f1_scores(scores),
    )


def _compare(store: str, folder: str, out: str, scores: pa.Table, now: LastRun, config: RunConfig, watch: Watch) -> None:
    """Show the run beside the last one of its collection, alert if it is worse, and take its place. The outputs know nothing of this."""
    collection = collection_id(folder, now.source, now.targets, now.profile)
    last = last_run(Store(store), collection)
    watch.page.result(Path(out), scores, now, last)
    alert(collection, last, now, config.alerts)
    remember(Store(store), collection, now)
    remember_tables(Store(store), tables_key(collection), watch.used.values())


def _scores(store: str, scored: Iterable[Scored]) -> pa.Table:
    """SCORES of all languages."""
    return pa.concat_tables([SCORES.table([]), *(Store(store).read(made.main) for made in scored)])


def _refs(projected: dict[Cell, Projected]) -> list[ArtifactRef]:
    return [ref for made in projected.values() for ref in (made.projections, made.carried)]


def _outputs(corpus: Corpus, projected: dict[Cell, Projected], scores: dict[str, Scored], support: Support) -> Outputs:
    langs = dict.fromkeys([corpus.source, *corpus.targets])
    ingested, scored = [rows.rejects for rows in corpus.rows.values()], [ref for made in scores.values() for ref in made.rejects]
    rejects = [corpus.scanned.rejects, *ingested, *support.rejects, *scored]
    return Outputs(
        source=corpus.source,
        targets=corpus.targets,
        texts={lang: [corpus.rows[lang, shard] for shard in corpus.shards] for lang in langs},
        projected={lang: [projected[lang, shard] for shard in corpus.shards] for lang in corpus.targets},
        scores=[made.main for made in scores.values()],
        rejects=rejects,
        warnings=[rows.warnings for rows in corpus.rows.values()],
        files=corpus.scanned.files,
    )
