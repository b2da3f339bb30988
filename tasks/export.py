"""Export: the outputs of one run, as files in one folder."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from prefect import task

from data_contracts import CARRIED_LINES, CORPUS_FILES, PROJECTIONS, REJECTS, SCORES, WARNINGS, Contract
from pipeline_lib.evaluation.report import ReportData, render_report
from pipeline_lib.evaluation.scale import NOTHING, Scale
from pipeline_lib.evaluation.summary import Counts, count, scores_json
from pipeline_lib.progress.stage_time import StageTime
from pipeline_lib.projection.export import projected_files, run_tsv, source_files, tsv_rows
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.fingerprint import code_hash, digest, library_versions
from pipeline_lib.storage.rewrite import Rewrite, remove_drafts
from pipeline_lib.storage.store import Store
from pipeline_lib.storage.write import DRAFT, write_file
from tasks.ingest import Ingested
from tasks.project import Projected
from tasks.stage import STAGE

# Lies in the folder while it is being written: an interrupted export is ours, and Prefect's or the user's next try may go on.
UNFINISHED = ".unfinished"
TABLES = ("projections.parquet", "carried_lines.parquet", "rejects.parquet", "warnings.parquet", "corpus_files.parquet")


class ExportError(ValueError):
    """The output folder holds something that no run of ours wrote."""


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


@task(name="export", **STAGE)
def export(root: str, out: str, outputs: Outputs, facts: RunFacts) -> Counts:
    """Write ``out``: languages, tables, scores, config, report, and last ``run.json``, which lists every file with its hash.

    Files that lie there as they should are not written again, and texts and annotations of a shard that is made of the same as in the
    earlier export are not even rendered; the report, which tells how this run went, is always written.
    """
    store, folder = Store(root), Path(out)
    before, earlier, made_of = check_out(folder), _our_record(folder / "run.json") or {}, _made_of(outputs, facts)
    there = Rewrite(folder, {name: wanted for name, wanted in earlier.get("files", {}).items() if name in before})
    interrupted = (folder / UNFINISHED).exists()
    same = earlier.get("export") == made_of and len(there.intact) == len(earlier["files"]) and not interrupted
    shards: dict[str, str] = earlier.get("made_of", {})
    write_file(folder / UNFINISHED, "")
    if interrupted:
        remove_drafts(folder)
    scores = pa.concat_tables([store.read(ref) for ref in outputs.scores]) if outputs.scores else SCORES.table([])
    if same:
        there.keep(list(there.intact))
    else:
        shards = _write_files(store, there, shards, outputs, facts, scores)
        for stale in sorted(before - {*there.files, "report.html", "run.json"}):
            (folder / stale).unlink(missing_ok=True)
    counts = _count(folder, outputs)
    write_file(folder / "report.html", render_report(_report(outputs, facts, scores, counts)))
    record = {**facts.record, "export": made_of, "made_of": shards, "files": there.files}
    write_file(folder / "run.json", json.dumps(record, indent=1, sort_keys=True) + "\n")
    (folder / UNFINISHED).unlink()
    return counts


def _made_of(outputs: Outputs, facts: RunFacts) -> str:
    """Hash of all that decides the files: what is exported, what is said of the run, code and libraries."""
    texts = [ref for shards in outputs.texts.values() for shard in shards for ref in (shard.documents, shard.mentions, shard.lines)]
    projected = [ref for shards in outputs.projected.values() for shard in shards for ref in (shard.projections, shard.carried)]
    refs = [outputs.files, *texts, *projected, *outputs.scores, *outputs.rejects, *outputs.warnings]
    said = [outputs.source, outputs.targets, facts.config, facts.record]
    return digest(json.dumps([code_hash(__name__), library_versions(), said, [ref.sha256 for ref in refs]], sort_keys=True))


def _shard_made_of(*refs: ArtifactRef) -> str:
    """Hash of all that decides the texts and annotations of one shard."""
    return digest(
        json.dumps([code_hash("pipeline_lib.projection.export"), library_versions(), [ref.sha256 for ref in refs]], sort_keys=True)
    )


def check_out(folder: Path) -> set[str]:
    """The files an earlier run left in ``folder``. Raises ``ExportError`` if it holds files but no record of ours."""
    record = _our_record(folder / "run.json")
    if record is not None:
        return {name for name in record["files"] if not Path(name).is_absolute() and ".." not in Path(name).parts}
    foreign = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    if foreign and not (folder / UNFINISHED).is_file():
        raise ExportError(f"{folder} is not empty and holds no run.json of an earlier run: choose another --out")
    return set()


def _our_record(file: Path) -> dict[str, Any] | None:
    """The record of a run's outputs; None if it is not there or not ours."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    ours = isinstance(found, dict) and isinstance(found.get("files"), dict) and str(found.get("run", "")).startswith("run-")
    return found if ours else None


def _write_files(
    store: Store, there: Rewrite, before: Mapping[str, str], outputs: Outputs, facts: RunFacts, scores: pa.Table
) -> dict[str, str]:
    """Everything but report and record. Returns, as ``before`` has it of the earlier export, what each language's shard is made of."""
    folder = there.folder
    folder.mkdir(parents=True, exist_ok=True)
    made_of = _write_sources(store, there, before, outputs) | _write_targets(store, there, before, outputs)
    for name, contract, refs in (
        ("rejects.parquet", REJECTS, outputs.rejects),
        ("warnings.parquet", WARNINGS, outputs.warnings),
        ("corpus_files.parquet", CORPUS_FILES, [outputs.files]),
    ):
        with _table(folder / name, contract) as add:
            for ref in refs:
                add(store.read(ref))
    for name in TABLES:
        there.add(name)
    there.write([("scores.json", json.dumps(scores_json(scores), indent=1) + "\n"), ("config.toml", facts.config)])
    return made_of


def _write_targets(store: Store, there: Rewrite, before: Mapping[str, str], outputs: Outputs) -> dict[str, str]:
    """A folder a language with texts, annotations and run.tsv, and the two tables of all languages. Returns what its shards are made of."""
    made_of: dict[str, str] = {}
    names = _names(store, outputs)
    projections_file, carried_file = there.folder / "projections.parquet", there.folder / "carried_lines.parquet"
    with _table(projections_file, PROJECTIONS) as add_projections, _table(carried_file, CARRIED_LINES) as add_carried:
        for lang in outputs.targets:
            rows = []
            for shard, made in zip(outputs.texts[lang], outputs.projected[lang], strict=True):
                documents, projections, carried = store.read(shard.documents), store.read(made.projections), store.read(made.carried)
                add_projections(projections)
                add_carried(carried)
                rows.append(tsv_rows(documents, projections, names[lang]))
                key, files = shard.documents.shard, _names_of(lang, documents)
                made_of[key] = _shard_made_of(shard.documents, made.projections, made.carried)
                if before.get(key) != made_of[key] or not there.keep(files):
                    there.write(_below(lang, projected_files(documents, projections, carried)))
            there.write([(f"{lang}/run.tsv", run_tsv(pl.concat(rows)))])
    return made_of


def _write_sources(store: Store, there: Rewrite, before: Mapping[str, str], outputs: Outputs) -> dict[str, str]:
    """The source's folder of texts and annotations, unless it is a target too. Returns what its shards are made of."""
    made_of: dict[str, str] = {}
    lang = outputs.source
    for shard in outputs.texts[lang] if lang not in outputs.targets else []:
        key = shard.documents.shard
        made_of[key] = _shard_made_of(shard.documents, shard.mentions, shard.lines)
        if before.get(key) != made_of[key] or not there.keep(_names_of(lang, store.read(shard.documents, ["document"]))):
            files = source_files(store.read(shard.documents), store.read(shard.mentions), store.read(shard.lines))
            there.write(_below(lang, files))
    return made_of


def _names_of(lang: str, documents: pa.Table) -> list[str]:
    """The files of these documents."""
    return [f"{lang}/{document}.{end}" for document in documents["document"].to_pylist() for end in ("txt", "ann")]


def _below(lang: str, files: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    return ((f"{lang}/{name}", content) for name, content in files)


def _names(store: Store, outputs: Outputs) -> dict[str, dict[str, str]]:
    """What each document is called in TSV files, by language."""
    rows = store.read(outputs.files, ["lang", "document", "name"])
    names: dict[str, dict[str, str]] = {}
    for lang, document, name in zip(*(rows[column].to_pylist() for column in ("lang", "document", "name")), strict=True):
        names.setdefault(lang, {})[document] = name
    return names


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
