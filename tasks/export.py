"""Export: the outputs of one run, as files in one folder."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from prefect import task
from pydantic_core import to_json

from data_contracts import CARRIED_LINES, CORPUS_FILES, PROJECTIONS, REJECTS, SCORES, WARNINGS, Contract
from pipeline_lib.evaluation.report import ReportData, render_report
from pipeline_lib.evaluation.scale import NOTHING, Scale
from pipeline_lib.evaluation.summary import Counts, count, scores_json
from pipeline_lib.progress.stage_time import StageTime
from pipeline_lib.projection.export import projected_files, run_tsv, source_files, tsv_rows
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.fingerprint import code_hash, digest, library_versions
from pipeline_lib.storage.renew import unchanged_documents
from pipeline_lib.storage.rewrite import Rewrite, remove_drafts
from pipeline_lib.storage.store import Store
from pipeline_lib.storage.write import DRAFT, write_file
from tasks.ingest import Ingested
from tasks.out_folder import TABLES, UNFINISHED, Written
from tasks.project import Projected
from tasks.stage import STAGE

REST = ("scores.json", "config.toml")


@dataclass(frozen=True)
class Outputs:
    """What is exported, by reference. ``texts`` and ``projected`` go by language, shard by shard."""

    source: str
    targets: list[str]
    texts: dict[str, list[Ingested]]
    projected: dict[str, list[Projected]]
    scores: list[ArtifactRef]
    rejects: list[ArtifactRef]
    warnings: list[ArtifactRef]
    files: ArtifactRef


@dataclass(frozen=True)
class RunFacts:
    """What names and explains a run in its report and record."""

    run: str
    corpus: str
    profile: str
    aligner: str
    model: str
    config: str
    record: dict[str, object]
    stages: tuple[StageTime, ...]
    scale: Scale = NOTHING


Parts = tuple[tuple[ArtifactRef, ...], ...]  # of a shard: tables, those that were built together together, DOCUMENTS first


@task(name="export texts", task_run_name="export {lang}", **STAGE)
def export_language(root: str, out: str, lang: str, outputs: Outputs, earlier: Written) -> Written:
    """Write the texts and annotations of one language, and of a target its ``run.tsv``, into ``out``, which was opened.

    ``earlier`` is what ``Written.of_language`` gives of the export that lies there. Files that are there as they should be are not written
    again, and those of a document that is made of the same as then are not even rendered.
    """
    store, there = Store(root), Rewrite(Path(out), earlier.files, lang)
    if lang in outputs.targets:
        made_of = _write_target(store, there, earlier.made_of, outputs, lang)
    else:
        made_of = _write_source(store, there, earlier.made_of, outputs)
    there.seen.remember()
    return Written(there.files, made_of)


@task(name="export tables", **STAGE)
def export_tables(root: str, out: str, outputs: Outputs, earlier: Written) -> Written:
    """Write the tables of all languages into ``out``, which was opened, unless they lie there as they should.

    ``earlier`` is what ``Written.of_tables`` gives of the export that lies there.
    """
    store, there = Store(root), Rewrite(Path(out), earlier.files, "tables")
    made_of: dict[str, object] = {"tables": _tables_made_of(outputs)}
    if earlier.made_of != made_of or not there.keep(TABLES):
        _write_tables(store, there, outputs)
    there.seen.remember()
    return Written(there.files, made_of)


@task(name="export", **STAGE)
def export(root: str, out: str, outputs: Outputs, facts: RunFacts, earlier: Written, parts: Sequence[Written]) -> Counts:
    """Complete ``out``, in which languages and tables lie: scores, config, report, and last ``run.json``, which lists all files.

    The report, which tells how this run went, is always written, all else if it is not there as it should be. ``earlier`` is the export
    that lies there.
    """
    store, folder = Store(root), Path(out)
    there = Rewrite(folder, earlier.of(REST.__contains__).files, "rest")
    remove_drafts(folder)
    scores = pa.concat_tables([store.read(ref) for ref in outputs.scores]) if outputs.scores else SCORES.table([])
    there.write([("scores.json", json.dumps(scores_json(scores), indent=1) + "\n"), ("config.toml", facts.config)])
    files = {name: found for part in parts for name, found in part.files.items()} | there.files
    for stale in earlier.files.keys() - files.keys():
        (folder / stale).unlink(missing_ok=True)
    counts = _count(folder, outputs)
    write_file(folder / "report.html", render_report(_report(outputs, facts, scores, counts)))
    made_of = {key: found for part in parts for key, found in part.made_of.items()}
    ordered = json.loads(json.dumps({**facts.record, "made_of": made_of, "files": {}}, sort_keys=True))
    record = ordered | {"files": dict(sorted(files.items()))}  # half a million of them: too many for Python's own JSON with indents
    write_file(folder / "run.json", to_json(record, indent=1) + b"\n")
    (folder / UNFINISHED).unlink()
    return counts


def _tables_made_of(outputs: Outputs) -> str:
    """Hash of all that decides the tables of all languages."""
    projected = [ref for lang in outputs.targets for shard in outputs.projected[lang] for ref in (shard.projections, shard.carried)]
    refs = [*projected, *outputs.rejects, *outputs.warnings, outputs.files]
    return digest(json.dumps([code_hash(__name__), library_versions(), [ref.sha256 for ref in refs]], sort_keys=True))


def _part_made_of(*said: str) -> str:
    """Hash of all that decides some files of a language."""
    return digest(json.dumps([code_hash("pipeline_lib.projection.export"), library_versions(), said], sort_keys=True))


def _write_tables(store: Store, there: Rewrite, outputs: Outputs) -> None:
    """The tables of all languages."""
    made = [shard for lang in outputs.targets for shard in outputs.projected[lang]]
    for name, contract, refs in (
        ("projections.parquet", PROJECTIONS, [shard.projections for shard in made]),
        ("carried_lines.parquet", CARRIED_LINES, [shard.carried for shard in made]),
        ("rejects.parquet", REJECTS, outputs.rejects),
        ("warnings.parquet", WARNINGS, outputs.warnings),
        ("corpus_files.parquet", CORPUS_FILES, [outputs.files]),
    ):
        with _table(there.folder / name, contract) as add:
            for ref in refs:
                add(store.read(ref))
        there.add(name)


def _write_target(store: Store, there: Rewrite, before: Mapping[str, Any], outputs: Outputs, lang: str) -> dict[str, object]:
    """Texts and annotations of a target, and its ``run.tsv``. Returns what they are made of."""
    table, names = f"{lang}/run.tsv", _names(store, outputs, lang)
    shards = list(zip(outputs.texts[lang], outputs.projected[lang], strict=True))
    tables = [((shard.documents,), (made.projections, made.carried)) for shard, made in shards]
    made_of: dict[str, object] = {shard.documents.shard: _shard_made_of(parts) for (shard, _), parts in zip(shards, tables, strict=True)}
    for (shard, made), parts in zip(shards, tables, strict=True):
        if new := _not_there(store, there, before, lang, parts):
            files = projected_files(*(store.read(ref, documents=new) for ref in (shard.documents, made.projections, made.carried)))
            there.write(_below(lang, files))
    made_of[table] = _part_made_of(json.dumps([made_of, names], sort_keys=True))
    if before.get(table) != made_of[table] or not there.keep([table]):
        columns = [store.read(shard.documents, ["document", "text"]) for shard, _ in shards]
        rows = [tsv_rows(texts, store.read(made.projections), names) for texts, (_, made) in zip(columns, shards, strict=True)]
        there.write([(table, run_tsv(pl.concat(rows)))])
    return made_of


def _write_source(store: Store, there: Rewrite, before: Mapping[str, Any], outputs: Outputs) -> dict[str, object]:
    """Texts and annotations of the source. Returns what they are made of."""
    lang = outputs.source
    made_of: dict[str, object] = {}
    for shard in outputs.texts[lang]:
        parts = ((shard.documents, shard.mentions, shard.lines),)
        made_of[shard.documents.shard] = _shard_made_of(parts)
        if new := _not_there(store, there, before, lang, parts):
            there.write(_below(lang, source_files(*(store.read(ref, documents=new) for ref in parts[0]))))
    return made_of


def _shard_made_of(parts: Parts) -> dict[str, object]:
    """All that decides the files of a shard."""
    return {"recipe": _part_made_of(), "tables": [ref.fingerprint for built in parts for ref in built]}


def _not_there(store: Store, there: Rewrite, before: Mapping[str, Any], lang: str, parts: Parts) -> list[str]:
    """The documents of a shard whose files have to be written; those of all others are kept."""
    documents: list[str] = store.read(parts[0][0], ["document"])["document"].to_pylist()
    same = _made_as_before(store, before.get(parts[0][0].shard), documents, parts)
    return [name for name in documents if name not in same or not there.keep([f"{lang}/{name}.txt", f"{lang}/{name}.ann"])]


def _made_as_before(store: Store, before: Any, documents: Sequence[str], parts: Parts) -> Collection[str]:
    """The documents whose rows are those of the earlier export, as far as that can still be told."""
    now = _shard_made_of(parts)
    if not isinstance(before, dict) or before.keys() != now.keys() or before["recipe"] != now["recipe"]:
        return ()
    return set(documents) if before == now else unchanged_documents(store, documents, parts, before["tables"])


def _below(lang: str, files: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    return ((f"{lang}/{name}", content) for name, content in files)


def _names(store: Store, outputs: Outputs, lang: str) -> dict[str, str]:
    """What each document of a language is called in TSV files."""
    rows = store.read(outputs.files, ["lang", "document", "name"])
    rows = rows.filter(pc.equal(rows["lang"], lang))
    return dict(zip(rows["document"].to_pylist(), rows["name"].to_pylist(), strict=True))


@contextmanager
def _table(path: Path, contract: Contract) -> Iterator[Callable[[pa.Table], None]]:
    """Adds the shards' tables to one file, which is there whole or not at all."""
    temporary = path.with_name(f"{DRAFT}{path.name}")
    with pq.ParquetWriter(temporary, contract.schema, compression="zstd") as writer:
        yield lambda table: writer.write_table(table.cast(contract.schema))
    temporary.replace(path)


def _count(folder: Path, outputs: Outputs) -> Counts:
    """What the exported tables hold."""
    source = outputs.texts[outputs.source]
    documents, mentions = sum(shard.documents.rows for shard in source), sum(shard.mentions.rows for shard in source)
    projected, carried, rejects, warnings = (pl.scan_parquet(folder / name, glob=False) for name in TABLES[:4])
    return count(documents, mentions, projected, carried, rejects, warnings, outputs.targets)


def _report(outputs: Outputs, facts: RunFacts, scores: pa.Table, counts: Counts) -> ReportData:
    return ReportData(
        title=f"{facts.corpus}: {outputs.source} to {', '.join(outputs.targets)}",
        corpus=facts.corpus,
        source=outputs.source,
        targets=tuple(outputs.targets),
        profile=facts.profile,
        aligner=facts.aligner,
        run_id=facts.run,
        model=facts.model,
        scores=scores,
        documents=counts.documents,
        mentions=counts.mentions,
        projected=counts.projected,
        abstentions=counts.abstentions,
        carried=counts.carried,
        stayed=counts.stayed,
        rejects=counts.rejects,
        warnings=counts.warnings,
        stages=facts.stages,
        config=facts.config,
        scale=facts.scale,
    )
