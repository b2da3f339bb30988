"""Contracts of what is read from a corpus: texts, mentions, other annotation lines, rejects, units."""

import polars as pl
import pyarrow as pa

from data_contracts.contract import Contract, Rule, column

OFFSETS = "Unicode code points of the document's text under its reading, 0-based, half-open"

CORPUS_FILES = Contract(
    name="corpus_files",
    version=2,
    doc="The files a run reads, with the hash of each; what ingest is keyed by. Gold of target languages is not opened for it.",
    schema=pa.schema(
        [
            column("document", pa.string(), "document id, the same in every language"),
            column("lang", pa.string(), "language code as the corpus spells it"),
            column("name", pa.string(), "what the corpus's own TSV files and submissions call it in this language, without `.txt`"),
            column("file", pa.string(), "path of the text relative to the corpus root, `/` separated"),
            column("sha256", pa.string(), "hash of the text file's bytes, empty if unreadable"),
            column(
                "annotations", pa.string(), "path of its `.ann`, or of a TSV of many documents; null where there is none", nullable=True
            ),
            column("annotations_sha256", pa.string(), "hash of what annotates a source text, null for targets", nullable=True),
            column(
                "scored",
                pa.bool_(),
                "whether its annotations count, as gold of a target: it has some, is listed where documents are listed as scored, "
                "and did not train the model",
            ),
            column("split", pa.string(), "such as `train` or `test`, where the layout tells", nullable=True),
            column("entity", pa.string(), "entity type whose collection the text belongs to, where the layout tells", nullable=True),
            column("shard", pa.int32(), "shard of the document, from 0"),
        ]
    ),
    key=("document", "lang"),
)

DOCUMENTS = Contract(
    name="documents",
    version=1,
    doc="One text in one language.",
    schema=pa.schema(
        [
            column("document", pa.string(), "document id, the same in every language"),
            column("lang", pa.string(), "language code as the corpus spells it (`cz` stays `cz`)"),
            column("file", pa.string(), "path relative to the corpus root, `/` separated"),
            column("text", pa.large_string(), "the text under `reading`, never normalised"),
            column("reading", pa.string(), "how bytes became text: `raw`, `lf` (CRLF as one), `nobom`, `lf-nobom`"),
            column("sha256", pa.string(), "hash of the file's bytes"),
            column("characters", pa.int32(), "length of `text`, code points"),
        ]
    ),
    key=("document", "lang"),
    rules=(
        Rule("text_not_empty", "a document has at least one character", pl.col("text").str.len_chars() > 0),
        Rule("characters_is_length", "`characters` is the length of `text`", pl.col("text").str.len_chars() == pl.col("characters")),
        Rule("reading_known", "`reading` is one of the four", pl.col("reading").is_in(["raw", "lf", "nobom", "lf-nobom"])),
    ),
)

MENTIONS = Contract(
    name="mentions",
    version=1,
    doc="One text-bound annotation (BRAT `T` line). Gold of target languages is a table of its own, read by the score stage only.",
    schema=pa.schema(
        [
            column("document", pa.string(), "document id"),
            column("lang", pa.string(), "language of the annotated text"),
            column("mention", pa.string(), "BRAT id, such as T1; unique in its file"),
            column("label", pa.string(), "annotation label, after aliases"),
            column("starts", pa.list_(pa.int32()), f"first code point of each fragment; {OFFSETS}"),
            column("ends", pa.list_(pa.int32()), "end of each fragment, exclusive"),
            column("surface", pa.string(), "slices of the fragments joined by one space"),
            column("file", pa.string(), "path of the `.ann` or TSV relative to the corpus root"),
            column("line", pa.int32(), "line number in the file, from 1"),
            column("terminator", pa.string(), "line ending as read: LF, CRLF or nothing"),
            column(
                "raw",
                pa.string(),
                "the line (all lines of a broken one) verbatim where it differs from the canonical form, else null",
                nullable=True,
            ),
        ]
    ),
    key=("document", "lang", "mention"),
    rules=(
        Rule("has_fragments", "at least one fragment", pl.col("starts").list.len() > 0),
        Rule("paired_offsets", "as many ends as starts", pl.col("starts").list.len() == pl.col("ends").list.len()),
        Rule("positive_extent", "the envelope has a positive length", pl.col("ends").list.max() > pl.col("starts").list.min()),
        Rule("surface_not_empty", "the surface has at least one character", pl.col("surface").str.len_chars() > 0),
    ),
)

ANNOTATION_LINES = Contract(
    name="annotation_lines",
    version=1,
    doc="Every line of an `.ann` file that is not an accepted mention, verbatim, so that the file can be written back byte for byte.",
    schema=pa.schema(
        [
            column("document", pa.string(), "document id"),
            column("lang", pa.string(), "language of the annotated text"),
            column("line", pa.int32(), "line number in the file, from 1"),
            column(
                "kind",
                pa.string(),
                "what the line looks like by its first character (R E A M N # * or T for a rejected mention), `?` for anything else",
            ),
            column("raw", pa.string(), "the line verbatim, without its terminator"),
            column("terminator", pa.string(), "line ending as read"),
        ]
    ),
    key=("document", "lang", "line"),
)

_CODE_RULE = Rule("code_is_snake_case", "codes are snake_case", pl.col("code").str.contains(r"^[a-z][a-z0-9_]*$"))
_WHERE = (
    column("stage", pa.string(), "stage that found it"),
    column("file", pa.string(), "path relative to the corpus root (unsafe characters escaped)"),
    column("document", pa.string(), "document id, null if the name gives none", nullable=True),
    column("lang", pa.string(), "language, null if unknown", nullable=True),
    column("line", pa.int32(), "line number from 1, null for a whole file", nullable=True),
    column("start", pa.int64(), f"where it starts, as the line says it, or in the text; {OFFSETS}; null if it has no place", nullable=True),
    column("end", pa.int64(), "where it ends, exclusive; null if it has no place", nullable=True),
    column("code", pa.string(), "reason code, snake_case"),
    column("rule", pa.string(), "the rule that was broken, in one sentence"),
)

REJECTS = Contract(
    name="rejects",
    version=2,
    doc="What was not taken, and by which rule. Holds ids, line numbers, offsets and codes, never text.",
    schema=pa.schema(_WHERE),
    key=(),
    rules=(_CODE_RULE,),
)

WARNINGS = Contract(
    name="warnings",
    version=1,
    doc="What was taken although it is irregular: where, and why somebody should look at it. Holds no text.",
    schema=pa.schema([*_WHERE, column("count", pa.int32(), "times it is so in this place; `start` and `end` are of the first")]),
    key=(),
    rules=(_CODE_RULE, Rule("counted", "an irregularity occurs at least once", pl.col("count") >= 1)),
)

# Between neighbouring units; of as many as have both offsets, so that lists of unequal length break a rule and not the check.
_GAPS = pl.max_horizontal(pl.min_horizontal(pl.col("starts").list.len(), pl.col("ends").list.len()).cast(pl.Int64) - 1, 0)

UNITS = Contract(
    name="units",
    version=1,
    doc="The grid that every later stage speaks: the units (words, numbers, single other characters) of one text.",
    schema=pa.schema(
        [
            column("document", pa.string(), "document id"),
            column("lang", pa.string(), "language"),
            column("starts", pa.list_(pa.int32()), f"start of each unit; {OFFSETS}"),
            column("ends", pa.list_(pa.int32()), "end of each unit, exclusive"),
            column("breaks", pa.list_(pa.int32()), "index of the first unit of each segment (sentence-like piece), ascending, first is 0"),
        ]
    ),
    key=("document", "lang"),
    rules=(
        Rule("has_units", "at least one unit", pl.col("starts").list.len() > 0),
        Rule("paired_offsets", "as many ends as starts", pl.col("starts").list.len() == pl.col("ends").list.len()),
        Rule(
            "ordered",
            "units do not overlap and ascend",
            (pl.col("starts").list.slice(1, _GAPS) - pl.col("ends").list.slice(0, _GAPS)).list.min().fill_null(0) >= 0,
        ),
        Rule("first_break_is_zero", "the first segment starts at unit 0", pl.col("breaks").list.first() == 0),
    ),
)
