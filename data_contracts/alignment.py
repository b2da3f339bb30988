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
