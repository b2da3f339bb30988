"""Export: what a run hands over, as files: per language a TSV in the official columns and BRAT beside the texts."""

from collections.abc import Iterator, Mapping

import polars as pl
import pyarrow as pa

from pipeline_lib.corpus.official import COLUMNS
from pipeline_lib.evaluation.gold import official_rows

HEADER = COLUMNS
_MENTION = ["document", "label", "starts", "ends", "surface"]


def tsv_rows(documents: pa.Table, projections: pa.Table, names: Mapping[str, str]) -> pl.DataFrame:
    """The mentions projected into ``documents`` in the official columns; ``names``: what a document is called there.

    ``text`` is all that lies between first start and last end, because that is what a checker of submissions compares it with: for a
    fragmented mention it is more than the surface.
    """
    texts = pl.DataFrame(documents.select(["document", "text"])).rename({"document": "filename"})
    held = official_rows(projections).join(texts, on="filename", maintain_order="left")
    text = pl.col("text").str.slice("start_span", pl.col("end_span") - pl.col("start_span"))
    return held.with_columns(text, pl.col("filename").replace_strict(names, return_dtype=pl.String))


def run_tsv(rows: pl.DataFrame) -> str:
    """``rows`` in the official columns as a file, sorted by file and offset; minimal quoting, as the official reader needs it."""
    ordered = rows.select(HEADER).sort("filename", "start_span", "end_span", "label", maintain_order=True)
    lines = ordered.select(line=pl.concat_str(*(_cell(name) for name in HEADER), separator="\t") + "\n")["line"]
    return "\t".join(HEADER) + "\n" + "".join(lines)


def projected_files(documents: pa.Table, projections: pa.Table, carried: pa.Table) -> Iterator[tuple[str, str]]:
    """(file name, content) of the ``.txt`` and ``.ann`` of every target document: its mentions, then what was carried with them."""
    found = pl.DataFrame(projections.select([*_MENTION, "target_mention", "reason"])).filter(pl.col("reason").is_null())
    lines = pl.DataFrame(carried.select(["document", "raw", "reason"])).filter(pl.col("reason").is_null())
    mentions = found.select("document", content=mention_lines(found, "target_mention") + "\n")
    return _files(documents, pl.concat([mentions, lines.select("document", content=pl.col("raw") + "\n")]))


def source_files(documents: pa.Table, mentions: pa.Table, lines: pa.Table) -> Iterator[tuple[str, str]]:
    """(file name, content) of the ``.txt`` and ``.ann`` of every source document, as they were read."""
    found = pl.DataFrame(mentions.select([*_MENTION, "mention", "line", "terminator", "raw"]))
    others = pl.DataFrame(lines.select(["document", "line", "raw", "terminator"]))
    as_read = pl.coalesce("raw", mention_lines(found, "mention")) + pl.col("terminator")
    pieces = [
        found.select("document", "line", content=as_read),
        others.select("document", "line", content=pl.col("raw") + pl.col("terminator")),
    ]
    return _files(documents, pl.concat(pieces).sort("line", maintain_order=True))


def mention_lines(mentions: pl.DataFrame, own_id: str) -> pl.Series:
    """The canonical line of each mention, as ``brat.format_mention`` writes it; ``own_id``: the column of its id."""
    fragments = mentions.select("starts", "ends").with_row_index().explode("starts", "ends")
    offsets = fragments.group_by("index", maintain_order=True).agg(pl.format("{} {}", "starts", "ends").str.join(";"))["starts"]
    surface = pl.col("surface").str.replace_all("[\r\n]", " ")
    return mentions.select(line=pl.format("{}\t{} {}\t{}", own_id, "label", offsets, surface))["line"]


def _files(documents: pa.Table, lines: pl.DataFrame) -> Iterator[tuple[str, str]]:
    """A text and its annotations for each document; ``lines``: document and content, in the order in which they are to be written."""
    texts = pl.DataFrame(documents.select(["document", "text"]))
    annotations = lines.group_by("document").agg(pl.col("content").str.join(""))
    for document, text, content in texts.join(annotations, on="document", how="left", maintain_order="left").iter_rows():
        yield f"{document}.txt", text
        yield f"{document}.ann", content or ""


def _cell(name: str) -> pl.Expr:
    """A column as cells of a TSV, null as an empty one. A reader stops at CR too, so that is quoted as LF is."""
    text = pl.col(name).cast(pl.String).fill_null("")
    quoted = pl.concat_str(pl.lit('"'), text.str.replace_all('"', '""', literal=True), pl.lit('"'))
    return pl.when(text.str.contains('[\t\r\n"]')).then(quoted).otherwise(text)
