"""Export: the outputs of one run, as files in one folder."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from prefect import task

from data_contracts import PROJECTIONS, REJECTS, SCORES
from pipeline_lib.evaluation.report import ReportData, StageTime, render_report
from pipeline_lib.evaluation.summary import Counts, count, scores_json
from pipeline_lib.projection.export import projected_files, run_tsv, source_files, tsv_rows, write_file
from pipeline_lib.storage.store import ArtifactRef, Store
from tasks.ingest import Ingested
from tasks.stage import STAGE

# Lies in the folder while it is being written: an interrupted export is ours, and Prefect's or the user's next try may go on.
UNFINISHED = ".unfinished"


class ExportError(ValueError):
    """The output folder holds something that no run of ours wrote."""


@dataclass(frozen=True)
class Outputs:
    """What is exported, by reference. ``texts`` and ``projections`` go by language."""

    source: str
    targets: list[str]
    texts: dict[str, list[Ingested]]
    projections: dict[str, list[ArtifactRef]]
    scores: list[ArtifactRef]
    rejects: list[ArtifactRef]


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
    rejects = pa.concat_tables([store.read(ref) for ref in outputs.rejects])
    counts = _write_tables(store, folder, outputs, rejects)
    write_file(folder / "scores.json", json.dumps(scores_json(scores), indent=1) + "\n")
    write_file(folder / "config.toml", facts.config)
    written += ["projections.parquet", "rejects.parquet", "scores.json", "config.toml"]
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
    for lang in outputs.targets:
        projections = pa.concat_tables([store.read(ref) for ref in outputs.projections[lang]])
        rows = []
        for shard in outputs.texts[lang]:
            documents = store.read(shard.documents)
            rows.append(tsv_rows(documents, projections))
            for name, content in projected_files(documents, projections):
                write_file(folder / lang / name, content)
                written.append(f"{lang}/{name}")
        write_file(folder / lang / "run.tsv", run_tsv(pl.concat(rows)))
        written.append(f"{lang}/run.tsv")
    for shard in outputs.texts[outputs.source] if outputs.source not in outputs.targets else []:
        for name, content in source_files(store.read(shard.documents), store.read(shard.mentions), store.read(shard.lines)):
            write_file(folder / outputs.source / name, content)
            written.append(f"{outputs.source}/{name}")
    return written


def _write_tables(store: Store, folder: Path, outputs: Outputs, rejects: pa.Table) -> Counts:
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / ".writing-projections.parquet"
    seen = []
    with pq.ParquetWriter(temporary, PROJECTIONS.schema, compression="zstd") as writer:
        for lang in outputs.targets:
            for ref in outputs.projections[lang]:
                table = store.read(ref)
                writer.write_table(table.cast(PROJECTIONS.schema))
                seen.append(table.select(["target_lang", "reason"]))
    temporary.replace(folder / "projections.parquet")
    sink = pa.BufferOutputStream()
    pq.write_table(rejects.cast(REJECTS.schema), sink, compression="zstd")
    write_file(folder / "rejects.parquet", sink.getvalue().to_pybytes())
    source = outputs.texts[outputs.source]
    documents, mentions = sum(shard.documents.rows for shard in source), sum(shard.mentions.rows for shard in source)
    return count(documents, mentions, pl.DataFrame(pa.concat_tables(seen)), rejects, outputs.targets)


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
        rejects=counts.rejects,
        stages=facts.stages,
        config=facts.config,
    )
