"""Contracts of the alignment stages: what the teachers say, the cost, the sharpened plan, the student's training."""

import polars as pl
import pyarrow as pa

from data_contracts.contract import Contract, Rule, column

_PAIR = [
    column("document", pa.string(), "document id"),
    column("source_lang", pa.string(), "language of the rows"),
    column("target_lang", pa.string(), "language of the columns"),
]
_BAND = [
    column("rows", pa.int32(), "n, source units"),
    column("columns", pa.int32(), "m, target units"),
    column("low", pa.list_(pa.int32()), "first target unit of each row's band, shape (n,)"),
    column("high", pa.list_(pa.int32()), "end of each row's band, exclusive, shape (n,)"),
]
_BAND_RULES = (
    Rule("band_has_rows", "one interval a source unit", pl.col("low").list.len() == pl.col("rows")),
    Rule("band_is_paired", "as many ends as starts", pl.col("low").list.len() == pl.col("high").list.len()),
    Rule("band_inside", "intervals end within the columns", pl.col("high").list.max() <= pl.col("columns")),
)
_CELLS = "row after row of the band, shape (sum of high - low,)"


def _as_many_values_as_cells(values: str) -> Rule:
    cells = pl.col("high").list.sum().cast(pl.Int64) - pl.col("low").list.sum().cast(pl.Int64)
    return Rule("cells_are_complete", f"`{values}` has one value a cell", pl.col(values).list.len() == cells)


EMBEDDINGS = Contract(
    name="embeddings",
    version=1,
    doc="The teachers' view of every unit. Fitted vectors depend on the type alone, so a unit is an id into the teachers' tables.",
    schema=pa.schema(
        [
            column("document", pa.string(), "document id"),
            column("lang", pa.string(), "language"),
            column("ids", pa.list_(pa.int32()), "type of each unit, shape (units,); from the vocabulary's size on: `unseen`"),
            column("unseen", pa.list_(pa.string()), "types the teachers have never met, in order of their ids"),
        ]
    ),
    key=("document", "lang"),
    rules=(Rule("has_units", "at least one unit", pl.col("ids").list.len() > 0),),
)

UNIT_VECTORS = Contract(
    name="unit_vectors",
    version=1,
    doc="What a transformer encoder says of every unit of a text, whatever it will be compared with.",
    schema=pa.schema(
        [
            column("document", pa.string(), "document id"),
            column("lang", pa.string(), "language"),
            column("units", pa.int32(), "units of the text"),
            column("width", pa.int32(), "dimensions of a vector"),
            column("vectors", pa.large_list(pa.float16()), "unit-length, row after row, shape (units x width,); 0: no piece met it"),
            column("tokens", pa.int32(), "pieces that were read, those in two windows twice"),
            column("windows", pa.int32(), "passes that the text took"),
            column("precision", pa.string(), "number format of the encoder: float32 or bfloat16"),
        ]
    ),
    key=("document", "lang"),
    rules=(
        Rule(
            "vectors_are_complete",
            "one vector a unit",
            pl.col("vectors").list.len() == pl.col("units").cast(pl.Int64) * pl.col("width").cast(pl.Int64),
        ),
        # A sum of so many float16 could overflow, and a minimum passes over NaN.
        Rule(
            "vectors_are_finite",
            "no vector holds NaN or infinity",
            pl.col("vectors").list.eval(pl.element().is_finite().all()).list.first(),
        ),
    ),
)

_GROUPS = ("source_starts", "source_ends", "target_starts", "target_ends")

SEGMENT_PAIRS = Contract(
    name="segment_pairs",
    version=1,
    doc="Which sentence-like pieces of two texts translate each other, in order; a group with an empty side has no counterpart.",
    schema=pa.schema(
        [
            *_PAIR,
            column("source_starts", pa.list_(pa.int32()), "first source unit of each group, shape (groups,)"),
            column("source_ends", pa.list_(pa.int32()), "end of each group's source units, exclusive"),
            column("target_starts", pa.list_(pa.int32()), "first target unit of each group"),
            column("target_ends", pa.list_(pa.int32()), "end of each group's target units, exclusive"),
            column("sliced", pa.bool_(), "whether proportional slices stand in, which overlap in the target"),
        ]
    ),
    key=("document", "target_lang"),
    rules=(
        Rule("has_groups", "at least one group", pl.col("source_starts").list.len() > 0),
        Rule(
            "groups_are_complete",
            "every group has four edges",
            pl.all_horizontal(pl.col(name).list.len() == pl.col("source_starts").list.len() for name in _GROUPS),
        ),
    ),
)

COST_MATRICES = Contract(
    name="cost_matrices",
    version=1,
    doc="Cost of aligning each source unit with each target unit of its band.",
    schema=pa.schema([*_PAIR, *_BAND, column("cost", pa.large_list(pa.float32()), f"in [0, 1], {_CELLS}")]),
    key=("document", "target_lang"),
    rules=(
        *_BAND_RULES,
        _as_many_values_as_cells("cost"),
        # A minimum passes over NaN, a sum does not.
        Rule(
            "cost_in_range",
            "costs lie in [0, 1]",
            (pl.col("cost").list.min() >= 0) & (pl.col("cost").list.max() <= 1) & pl.col("cost").list.sum().is_finite(),
        ),
    ),
)

POSTERIORS = Contract(
    name="posteriors",
    version=1,
    doc="What the hidden Markov model says of pairs of units in aligned segments, both directions; pairs below a floor are left out.",
    schema=pa.schema(
        [
            *_PAIR,
            column("rows", pa.list_(pa.int32()), "source unit of each pair, ascending, shape (pairs,)"),
            column("columns", pa.list_(pa.int32()), "target unit of each pair"),
            column("forward", pa.list_(pa.float32()), "probability that the target unit comes from the source unit"),
            column("backward", pa.list_(pa.float32()), "probability that the source unit comes from the target unit"),
        ]
    ),
    key=("document", "target_lang"),
    rules=(
        Rule(
            "pairs_are_complete",
            "every pair has two units and two probabilities",
            pl.all_horizontal(pl.col(name).list.len() == pl.col("rows").list.len() for name in ("columns", "forward", "backward")),
        ),
        # A minimum passes over NaN, a sum does not.
        Rule(
            "probabilities",
            "probabilities lie in [0, 1]",
            pl.all_horizontal(
                (pl.col(name).list.min().fill_null(0) >= 0)
                & (pl.col(name).list.max().fill_null(0) <= 1.0001)
                & pl.col(name).list.sum().is_finite()
                for name in ("forward", "backward")
            ),
        ),
    ),
)

_PLAN = [
    column("plan", pa.large_list(pa.float32()), f"n P, so that rows sum to 1 where balanced; {_CELLS}"),
    column("row_residual", pa.float64(), "largest relative error of a row's mass"),
    column("column_residual", pa.float64(), "largest relative error of a column's mass"),
    column("empty_rows", pa.list_(pa.int32()), "source units with no cell in the band, taken out before"),
    column("empty_columns", pa.list_(pa.int32()), "target units with no cell in the band, taken out before"),
]
_PLAN_RULES = (
    *_BAND_RULES,
    _as_many_values_as_cells("plan"),
    Rule("plan_not_negative", "mass is finite, never negative", (pl.col("plan").list.min() >= 0) & pl.col("plan").list.sum().is_finite()),
)

TRANSPORT_PLANS = Contract(
    name="transport_plans",
    version=1,
    doc="The sharpened alignment target of one document pair.",
    schema=pa.schema([*_PAIR, *_BAND, *_PLAN]),
    key=("document", "target_lang"),
    rules=_PLAN_RULES,
)

ALIGNMENTS = Contract(
    name="alignments",
    version=1,
    doc="The student's alignment of one document pair, in the shape of a plan.",
    schema=pa.schema([*_PAIR, *_BAND, *_PLAN]),
    key=("document", "target_lang"),
    rules=_PLAN_RULES,
)

MAPPED_SPANS = Contract(
    name="mapped_spans",
    version=1,
    doc="Which gold span of a declared training document each source mention became, by the plan's mass between them.",
    schema=pa.schema(
        [
            *_PAIR,
            column("mention", pa.string(), "id of the source mention"),
            column("source_units", pa.list_(pa.int32()), "units of the mention, ascending"),
            column("target_units", pa.list_(pa.int32()), "units of its gold span, ascending"),
        ]
    ),
    key=("document", "target_lang", "mention"),
    rules=(
        Rule(
            "has_units",
            "at least one unit on either side",
            (pl.col("source_units").list.len() > 0) & (pl.col("target_units").list.len() > 0),
        ),
    ),
)

MCAI_SCALES = Contract(
    name="mcai_scales",
    version=1,
    doc="How well the student trained with each bias sees the gold spans of declared documents that were not biased.",
    schema=pa.schema(
        [
            column("scale", pa.float64(), "bias in units of log-odds; 0 is the student that no gold has taught"),
            column("overlap", pa.float64(), "mean Dice of mentions and their gold spans, in shares of its alignment"),
            column("chosen", pa.bool_(), "whether this student projects"),
        ]
    ),
    key=("scale",),
    rules=(Rule("overlap_is_a_share", "overlaps lie in [0, 1]", pl.col("overlap").is_between(0, 1.0001)),),
)

EDGE_STATISTICS = Contract(
    name="edge_statistics",
    version=1,
    doc="How readily a target type stands at a mention's edges: counted on the source, carried through the lexical table.",
    schema=pa.schema(
        [
            column("type", pa.int32(), "type id in the teachers' target vocabulary; its size stands for every unseen type"),
            column("opens", pa.float64(), "log-odds of being a mention's first unit"),
            column("precedes", pa.float64(), "log-odds of standing right before one"),
            column("closes", pa.float64(), "log-odds of being a mention's last unit"),
            column("follows", pa.float64(), "log-odds of standing right after one"),
        ]
    ),
    key=("type",),
)

TRAINING_LOG = Contract(
    name="training_log",
    version=1,
    doc="The student's training, one row an epoch; epoch 0 is the untrained student.",
    schema=pa.schema(
        [
            column("epoch", pa.int32(), "passes over the training documents"),
            column("step", pa.int64(), "optimiser steps so far"),
            column("train_loss", pa.float64(), "mean loss over the epoch's steps, in [0, 4] (null at epoch 0)", nullable=True),
            column("held_out_loss", pa.float64(), "mean loss on held-out documents, in [0, 4]"),
            column("learning_rate", pa.float64(), "at the epoch's end"),
            column("best", pa.bool_(), "whether this epoch's weights were the best so far"),
        ]
    ),
    key=("epoch",),
)
