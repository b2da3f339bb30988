"""Contracts of what the pipeline is for: every source mention, and every line that goes with one, in every target language, or why not."""

import polars as pl
import pyarrow as pa

from data_contracts.contract import Contract, Rule, column
from data_contracts.corpus import OFFSETS

EDGES = ("opens", "precedes", "closes", "follows")


def _unique(id_column: str) -> pl.Expr:
    """Whether the id, if there is one, is unique in its target document."""
    return pl.col(id_column).is_null() | ~pl.struct("document", "target_lang", id_column).is_duplicated()


FEATURES = {
    "share": "sum of the geometric means of the plan's row and column shares",
    "forward": "sum of the posteriors that the span's units come from the mention",
    "backward": "sum of the posteriors that the mention comes from the span's units",
    "owned": "sum of the shares of the span's units that the mention owns",
    "length": "target units",
    "edge_share": "log of `share` at the first unit plus that at the last",
    "edge_owned": "log of `owned` at the first unit plus that at the last",
    "hyphens": "ends that cut a hyphenated word",
    "brackets": "brackets without partner",
    "commas": "difference to the mention's number of commas",
    "numbers": "1 where the numbers are not the mention's",
    "length_ratio": "absolute log of the ratio of the lengths in characters",
    "carried_inner": "log-odds, over the corpus's own, that such units open and close a mention; carried from the source",
    "carried_outer": "the same for the units before and after",
    "support": "units inside a mention of an outside tagger, less half the length; 0 without tagger",
    "kept": "share of the mention's own mass that lies in the span",
}

CANDIDATES = Contract(
    name="candidates",
    version=1,
    doc="The target spans that each mention, or fragment of one, may have become, and what speaks for each.",
    schema=pa.schema(
        [
            column("document", pa.string(), "document id"),
            column("source_lang", pa.string(), "language the mention was annotated in"),
            column("target_lang", pa.string(), "language it is projected into"),
            column("mention", pa.string(), "BRAT id of the source mention"),
            column("fragment", pa.int32(), "number of the fragment, from 0"),
            column("label", pa.string(), "label"),
            column("source_first", pa.int32(), "first source unit of the fragment"),
            column("source_key", pa.string(), "folded types of the fragment's units, joined by a space"),
            column("first", pa.list_(pa.int32()), "first target unit of each candidate, shape (candidates,)"),
            column("last", pa.list_(pa.int32()), "last target unit, inclusive"),
            column("keys", pa.list_(pa.string()), "folded types of each candidate's units, joined by a space"),
            column("types", pa.list_(pa.int32()), "types that open, precede, close and follow each candidate, -1 outside; 4 a candidate"),
            *(column(name, pa.list_(pa.float32()), f"{doc}; shape (candidates,)") for name, doc in FEATURES.items()),
            column("paper_first", pa.int32(), "first unit of the paper's span, null if there is none", nullable=True),
            column("paper_last", pa.int32(), "last unit of the paper's span, inclusive", nullable=True),
        ]
    ),
    key=("document", "target_lang", "mention", "fragment"),
    rules=(
        Rule(
            "candidates_are_complete",
            "every candidate has two ends, a key and all features",
            pl.all_horizontal(pl.col(name).list.len() == pl.col("first").list.len() for name in ("last", "keys", *FEATURES)),
        ),
        Rule("four_types", "four types a candidate", pl.col("types").list.len() == 4 * pl.col("first").list.len()),
        Rule(
            "features_are_numbers",
            "features are finite",
            pl.all_horizontal(pl.col(name).list.sum().is_finite() for name in FEATURES),
        ),
    ),
)

CORPUS_EDGES = Contract(
    name="corpus_edges",
    version=1,
    doc="How readily a target type stands at a mention's edges, counted on the corpus's own likely spans.",
    schema=pa.schema(
        [
            column("type", pa.int32(), "type id in the teachers' target vocabulary; its size stands for every unseen type"),
            *(column(place, pa.float64(), f"log-odds, over the corpus's own, that it {place} a mention") for place in EDGES),
        ]
    ),
    key=("type",),
)

MEMORY = Contract(
    name="memory",
    version=1,
    doc="Translation memory of mentions: how often a source surface became a target surface in the whole corpus, softly counted.",
    schema=pa.schema(
        [
            column("source_key", pa.string(), "folded types of a source mention, joined by a space"),
            column("target_key", pa.string(), "folded types of a target span, joined by a space"),
            column("votes", pa.float64(), "sum of the spans' probabilities"),
        ]
    ),
    key=("source_key", "target_key"),
    rules=(Rule("votes_count", "votes are positive", pl.col("votes") > 0),),
)

PROJECTIONS = Contract(
    name="projections",
    version=2,
    doc="One row a source mention and target language: projected, or abstained with a reason.",
    schema=pa.schema(
        [
            column("document", pa.string(), "document id"),
            column("source_lang", pa.string(), "language the mention was annotated in"),
            column("target_lang", pa.string(), "language it was projected into"),
            column("mention", pa.string(), "BRAT id of the source mention"),
            column("target_mention", pa.string(), "BRAT id in the target's file: T1, T2, ...; null where abstained", nullable=True),
            column("label", pa.string(), "label"),
            column("source_starts", pa.list_(pa.int32()), f"fragments of the source mention; {OFFSETS}"),
            column("source_ends", pa.list_(pa.int32()), "ends, exclusive"),
            column("source_surface", pa.string(), "source slices joined by one space"),
            column("starts", pa.list_(pa.int32()), "fragments in the target text; empty where abstained"),
            column("ends", pa.list_(pa.int32()), "ends, exclusive"),
            column("surface", pa.string(), "target slices joined by one space; empty where abstained"),
            column("confidence", pa.float64(), "probability of the span among the mention's candidates, in [0, 1]; 0 where abstained"),
            column("reason", pa.string(), "why nothing was projected, null where something was", nullable=True),
            column("aligner", pa.string(), "fingerprint of the teachers or student whose alignment was read, empty if there was none"),
        ]
    ),
    key=("document", "target_lang", "mention"),
    rules=(
        Rule(
            "projected_or_reason",
            "a row has a span or a reason, never both",
            (pl.col("starts").list.len() > 0) == pl.col("reason").is_null(),
        ),
        Rule(
            "id_where_projected",
            "a row has a target id exactly where it has a span",
            pl.col("target_mention").is_not_null() == (pl.col("starts").list.len() > 0),
        ),
        Rule("target_ids_unique", "no two mentions of a target document share an id", _unique("target_mention")),
        Rule("paired_offsets", "as many ends as starts", pl.col("starts").list.len() == pl.col("ends").list.len()),
        Rule(
            "positive_extent",
            "spans have a positive length",
            (pl.col("ends").list.max() > pl.col("starts").list.min()) | (pl.col("starts").list.len() == 0),
        ),
        Rule("confidence_in_range", "confidence lies in [0, 1]", pl.col("confidence").is_between(0, 1)),
    ),
)

NOT_CARRIED = ("mention_not_projected", "line_not_carried", "dangling_reference", "malformed_line")

CARRIED_LINES = Contract(
    name="carried_lines",
    version=1,
    doc="One row a target language and source line of kind R E A M N # *: as it goes into the target's `.ann`, or why it does not.",
    schema=pa.schema(
        [
            column("document", pa.string(), "document id"),
            column("source_lang", pa.string(), "language of the annotated text"),
            column("target_lang", pa.string(), "language it was carried into"),
            column("line", pa.int32(), "line number in the source's `.ann`, from 1"),
            column("kind", pa.string(), "first character of the line"),
            column("source_id", pa.string(), "BRAT id in the source's file, null where it has none", nullable=True),
            column("target_id", pa.string(), "BRAT id in the target's file, null for `*` and where not carried", nullable=True),
            column(
                "raw", pa.string(), "the line with the ids of the target's file, without terminator; null where not carried", nullable=True
            ),
            column("reason", pa.string(), f"why it was not carried, null where it was: {', '.join(NOT_CARRIED)}", nullable=True),
        ]
    ),
    key=("document", "target_lang", "line"),
    rules=(
        Rule("carried_or_reason", "a row has a line or a reason, never both", pl.col("raw").is_null() != pl.col("reason").is_null()),
        Rule("kind_known", "`kind` is one of R E A M N # *", pl.col("kind").is_in(list("REAMN#*"))),
        Rule("reason_known", "`reason` is one of the four", pl.col("reason").is_null() | pl.col("reason").is_in(NOT_CARRIED)),
        Rule(
            "id_where_carried",
            "a row has a target id exactly where it is carried and not `*`",
            pl.col("target_id").is_not_null() == (pl.col("raw").is_not_null() & (pl.col("kind") != "*")),
        ),
        Rule("target_ids_unique", "no two lines of a target document share an id", _unique("target_id")),
        Rule(
            "line_has_its_id",
            "a carried line is one line and starts with its id and a tab",
            pl.col("raw").is_null()
            | (
                pl.col("raw").str.starts_with(pl.concat_str(pl.col("target_id").fill_null("*"), pl.lit("\t")))
                & ~pl.col("raw").str.contains("\n", literal=True)
            ),
        ),
    ),
)
