"""The shared task's submission: ``{LANG}/{entity}/run.tsv`` in the official columns, and a README."""

from itertools import groupby

import polars as pl

from pipeline_lib.corpus.files import is_safe, printable
from pipeline_lib.projection.export import run_tsv
from pipeline_lib.submission.finished import Selection, SubmissionError
from pipeline_lib.submission.folder import ARCHIVE, Count, Draft, Written

_OFFICIAL = ["filename", "label", "start_span", "end_span"]


def write_multiclin(selection: Selection, draft: Draft) -> Written:
    """A table for every language and entity, also where nothing was projected, and ``README.md``.

    Rows that are alike in file, label and offsets are written once: the official scorer counts them once.
    """
    counts, repeated = [], 0
    entities = entity_folders(selection)
    for lang in selection.languages:
        documents, mentions = selection.of(lang), _official(selection, lang)
        for entity in entities:
            part = mentions.filter(pl.col("entity") == entity)
            rows = part.unique(_OFFICIAL, keep="first", maintain_order=True)
            draft.write(f"{lang.upper()}/{entity}/run.tsv", run_tsv(_with_text(selection, lang, rows)))
            searched = documents.filter(pl.col("entity").fill_null(entity) == entity)
            counts.append(Count(lang, entity, searched.height, rows.height))
            repeated += part.height - rows.height
    draft.write("README.md", _readme(selection, counts, repeated))
    return Written(counts, {"repeated_rows_left_out": repeated})


def entity_folders(selection: Selection) -> list[str]:
    """What the layout calls its entities; where it names none, the labels in lower case. Raises ``SubmissionError``."""
    named = set(selection.documents["entity"].drop_nulls())
    labels = selection.found_labels() if selection.documents["entity"].null_count() else []
    folders = pl.Series(labels, dtype=pl.String).str.to_lowercase().to_list()
    for label, folder in zip(labels, folders, strict=True):
        if not is_safe(folder):
            raise SubmissionError(f"the label {printable(label)!r} cannot name a folder: choose others with --label")
    return sorted({*named, *folders})


def _official(selection: Selection, lang: str) -> pl.DataFrame:
    """What was projected, sorted by file: the official columns without text, document and entity folder."""
    joined = selection.projections(lang).join(selection.of(lang), on="document", maintain_order="left")
    return joined.select(
        "document",
        pl.coalesce("entity", pl.col("label").str.to_lowercase()).alias("entity"),
        (pl.col("name") + selection.suffix).alias("filename"),
        "label",
        pl.col("starts").list.min().cast(pl.Int64).alias("start_span"),
        pl.col("ends").list.max().cast(pl.Int64).alias("end_span"),
    ).sort("filename", maintain_order=True)


def _with_text(selection: Selection, lang: str, rows: pl.DataFrame) -> pl.DataFrame:
    """``rows`` with what lies between their offsets as ``text``; one text is in memory at a time."""
    found: list[str] = []
    spans = rows.select("document", "start_span", "end_span").iter_rows()
    for document, here in groupby(spans, key=lambda row: row[0]):
        text = selection.run.text(lang, document)
        found += [text[start:end] for _, start, end in here]
    return rows.with_columns(pl.Series("text", found, dtype=pl.String))


def _readme(selection: Selection, counts: list[Count], repeated: int) -> str:
    record = selection.run.record
    table = "\n".join(f"| {count.lang} | {count.entity} | {count.documents} | {count.mentions} |" for count in counts)
    documents = f"documents of split {selection.split}" if selection.split else "all documents"
    return f"""# Submission

Written by `spanferry export --format multiclin` from the run `{record.run}` (model `{record.model}`): mentions annotated in
`{record.source}`, carried into {", ".join(f"`{lang}`" for lang in selection.languages)}; {documents}.

`{{LANG}}/{{entity}}/run.tsv`: tab-separated, UTF-8, columns filename, label, start_span, end_span, text. Offsets are Unicode code points of
the document's text, half-open; `text` is what lies between them. A mention in several pieces is given from its first start to its last end.
Fields are quoted where they hold a tab, a line break or a double quote.

| language | entity | documents | mentions |
|---|---|---|---|
{table}

{repeated} rows that repeat file, label and offsets of another were left out. `config.json` holds all settings and the hash of every file.

To check it: `spanferry validate {ARCHIVE} --corpus CORPUS`.
"""
