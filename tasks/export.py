"""Export: the outputs of one run, as files in one folder."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from prefect import task

from data_contracts import CARRIED_LINES, CORPUS_FILES, PROJECTIONS, REJECTS, SCORES, WARNINGS, Contract
from pipeline_lib.evaluation.report import ReportData, StageTime, render_report
from pipeline_lib.evaluation.summary import Counts, count, scores_json
from pipeline_lib.projection.export import projected_files, run_tsv, source_files, tsv_rows
from pipeline_lib.storage.store import ArtifactRef, Store
from pipeline_lib.storage.write import write_file
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


@task(name="export", **STAGE)
def export(root: str, out: str, outputs: Outputs, facts: RunFacts) -> Counts:
    """Write ``out``: languages, tables, scores, config, report, and last ``run.json``, which lists every file with its hash."""
    store, folder = Store(root), Path(out)
    before = check_out(folder)
    write_file(folder / UNFINISHED, "")
    written = _write_texts(store, folder, outputs)
    scores = pa.concat_tables([store.read(ref) for ref in outputs.scores]) if outputs.scores else SCORES.table([])
    counts = _write_tables(store, folder, outputs)
    write_file(folder / "scores.json", json.dumps(scores_json(scores), indent=1) + "\n")
    write_file(folder / "config.toml", facts.config)
    written += [*TABLES, "scores.json", "config.toml"]
    for stale in sorted(before - {*written, "report.html", "run.json"}):
        (folder / stale).unlink(missing_ok=True)
    write_file(folder / "report.html", render_report(_report(outputs, facts, scores, counts)))
    files = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in sorted(written)}
    write_file(folder / "run.json", json.dumps({**facts.record, "files": files}, indent=1, sort_keys=True) + "\n")
    (folder / UNFINISHED).unlink()
    return counts


def check_out(folder: Path) -> set[str]:
    """The files an earlier run left in ``folder``. Raises ``ExportError`` if it holds files but no record of ours."""
    listed = _listed_files(folder / "run.json")
    if listed is not None:
        return {name for name in listed if not Path(name).is_absolute() and ".." not in Path(name).parts}
    foreign = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    if foreign and not (folder / UNFINISHED).is_file():
        raise ExportError(f"{folder} is not empty and holds no run.json of an earlier run: choose another --out")
    return set()


def _listed_files(record: Path) -> list[str] | None:
    """The files that our record lists; None if it is not there or not ours."""
    try:
        found = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    ours = isinstance(found, dict) and isinstance(found.get("files"), dict) and str(found.get("run", "")).startswith("run-")
    return list(found["files"]) if ours else None


def _write_texts(store: Store, folder: Path, outputs: Outputs) -> list[str]:
    """One folder a language: texts, annotations and, for targets, run.tsv. Returns the files' names relative to ``folder``."""
    written = []
    names = _names(store, outputs)
    for lang in outputs.targets:
        rows = []
        for shard, made in zip(outputs.texts[lang], outputs.projected[lang], strict=True):
            documents, projections, carried = store.read(shard.documents), store.read(made.projections), store.read(made.carried)
            rows.append(tsv_rows(documents, projections, names[lang]))
            for name, content in projected_files(documents, projections, carried):
                write_file(folder / lang / name, content)
                written.append(f"{lang}/{name}")
        write_file(folder / lang / "run.tsv", run_tsv(pl.concat(rows)))
        written.append(f"{lang}/run.tsv")
    for shard in outputs.texts[outputs.source] if outputs.source not in outputs.targets else []:
        for name, content in source_files(store.read(shard.documents), store.read(shard.mentions), store.read(shard.lines)):
            write_file(folder / outputs.source / name, content)
            written.append(f"{outputs.source}/{name}")
    return written


def _names(store: Store, outputs: Outputs) -> dict[str, dict[str, str]]:
    """What each document is called in TSV files, by language."""
    names: dict[str, dict[str, str]] = {}
    for row in store.read(outputs.files, ["lang", "document", "name"]).to_pylist():
        names.setdefault(row["lang"], {})[row["document"]] = row["name"]
    return names


def _write_tables(store: Store, folder: Path, outputs: Outputs) -> Counts:
    folder.mkdir(parents=True, exist_ok=True)
    made = [shard for lang in outputs.targets for shard in outputs.projected[lang]]
    _write_table(store, folder / "projections.parquet", PROJECTIONS, [shard.projections for shard in made])
    _write_table(store, folder / "carried_lines.parquet", CARRIED_LINES, [shard.carried for shard in made])
    _write_table(store, folder / "rejects.parquet", REJECTS, outputs.rejects)
    _write_table(store, folder / "warnings.parquet", WARNINGS, outputs.warnings)
    _write_table(store, folder / "corpus_files.parquet", CORPUS_FILES, [outputs.files])
    source = outputs.texts[outputs.source]
    documents, mentions = sum(shard.documents.rows for shard in source), sum(shard.mentions.rows for shard in source)
    outcomes = ([shard.projections for shard in made], [shard.carried for shard in made])
    projected, carried = (pa.concat_tables([store.read(ref, ["target_lang", "reason"]) for ref in refs]) for refs in outcomes)
    rejects, warnings = (pa.concat_tables([store.read(ref) for ref in refs]) for refs in (outputs.rejects, outputs.warnings))
    return count(documents, mentions, projected, carried, rejects, warnings, outputs.targets)


def _write_table(store: Store, path: Path, contract: Contract, refs: list[ArtifactRef]) -> None:
    """The shards' tables as one file, whole or not at all."""
    temporary = path.with_name(f".writing-{path.name}")
    with pq.ParquetWriter(temporary, contract.schema, compression="zstd") as writer:
        for ref in refs:
            writer.write_table(store.read(ref).cast(contract.schema))
    temporary.replace(path)


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
    )
