"""MCAI (paper): a positive bias on the unit pairs inside gold-mapped spans of declared documents, which the student then learns from.

Only plans that teach are biased, never those that project: a student that has learnt from them can be judged on documents of which it has
not seen the gold, and so can the bias's scale.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pydantic import BaseModel, Field

from data_contracts.alignment import MAPPED_SPANS, TRANSPORT_PLANS
from pipeline_lib.alignment.band import Band, Floats
from pipeline_lib.alignment.kernel import absorb, iterate
from pipeline_lib.alignment.lessons import split_documents
from pipeline_lib.alignment.sinkhorn import marginals, shares
from pipeline_lib.alignment.units import GridText
from pipeline_lib.evaluation.gold import Mention
from pipeline_lib.supervision.ownership import closest


class McaiConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """The bias, and how its scale is chosen."""

    scales: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        (1.0, 3.0), description="biases to try beside none, in units of log-odds: the student is trained once for each"
    )
    held_out: float = Field(0.25, gt=0, lt=1, description="share of the declared documents that choose the scale and are not biased")
    least: float = Field(0.1, ge=0, le=1, description="overlap below which a mention and a gold span are not mapped to each other")
    iterations: int = Field(
        20,
        ge=0,
        description="Sinkhorn iterations that give a biased plan its marginals back; 0: none, so that it differs inside the spans alone",
    )


@dataclass(frozen=True)
class Mapped:
    """One mapped span: source and target units, ascending."""

    source: npt.NDArray[np.int64]
    target: npt.NDArray[np.int64]


Spans = Mapping[str, Sequence[Mapped]]  # by document


def map_spans(
    plans: Iterable[pa.Table],
    mentions: Mapping[str, Sequence[Mapping[str, Any]]],
    gold: Mapping[str, Sequence[Mention]],
    source: Mapping[str, GridText],
    target: Mapping[str, GridText],
    langs: tuple[str, str],
    least: float,
) -> pa.Table:
    """MAPPED_SPANS of the documents that ``gold`` holds: pairs of one label, one gold span a mention, the largest overlap first.

    Args:
        plans: TRANSPORT_PLANS; mentions: rows of MENTIONS by document.
    """
    rows: list[dict[str, Any]] = []
    for row, band, plan in _plans(plans, set(gold)):
        name = row["document"]
        found = band.dense(shares(plan, band))
        ours = [_units(source[name], zip(m["starts"], m["ends"], strict=True)) for m in mentions.get(name, ())]
        theirs = [_units(target[name], [(start, end)]) for _, start, end in gold[name]]
        labels = [m["label"] for m in mentions.get(name, ())]
        pairs = {
            (i, j): overlap(found, Mapped(one, other))
            for i, one in enumerate(ours)
            for j, other in enumerate(theirs)
            if len(one) and len(other) and labels[i] == gold[name][j][0]
        }
        for i, j in sorted(closest({pair: value for pair, value in pairs.items() if value > least}).items()):
            mention = {"mention": mentions[name][i]["mention"], "source_units": ours[i], "target_units": theirs[j]}
            rows.append({"document": name, "source_lang": langs[0], "target_lang": langs[1]} | mention)
    return MAPPED_SPANS.table(rows)


def mapped(table: pa.Table) -> dict[str, list[Mapped]]:
    """MAPPED_SPANS back as spans, by document."""
    found: dict[str, list[Mapped]] = {}
    for row in table.to_pylist():
        found.setdefault(row["document"], []).append(Mapped(np.array(row["source_units"]), np.array(row["target_units"])))
    return found


def parted(spans: Spans, held_out: float) -> tuple[dict[str, Sequence[Mapped]], dict[str, Sequence[Mapped]]]:
    """The spans to learn from and those that choose the scale; documents are parted by a hash of their ids."""
    learn, choose = split_documents(spans, len(spans), held_out)
    return {name: spans[name] for name in learn}, {name: spans[name] for name in choose}


def bias_plans(part: pa.Table, spans: Spans, scale: float, iterations: int) -> pa.Table:
    """TRANSPORT_PLANS with ``scale`` added to the log of every unit pair inside a mapped span, and sharpened to the same marginals again.

    Since a plan is its kernel scaled by rows and columns, this is what a bias of the similarity by ``scale`` times ``reg`` comes to.
    """
    plans = part["plan"].combine_chunks()
    rows = part.drop_columns("plan").to_pylist()
    for number, row in enumerate(rows):
        band, plan = Band.from_row(row), plans[number].values.to_numpy()
        found = spans.get(row["document"], ())
        row["plan"] = _biased(plan.astype(np.float64), band, found, scale, iterations).astype(np.float32) if len(found) else plan
    return TRANSPORT_PLANS.table(rows)


def overlap(found: Floats, span: Mapped) -> float:
    """Dice of a mention's and a span's units, counted in shares of the alignment, shape (source units, target units)."""
    inside = found[np.ix_(span.source, span.target)].sum()
    return float(2 * inside / (len(span.source) + len(span.target)))


def mean_overlap(alignments: Iterable[pa.Table], spans: Spans) -> float:
    """How well alignments (in the shape of TRANSPORT_PLANS) see the mapped spans: mean ``overlap``; 0 if there are none."""
    values = []
    for row, band, plan in _plans(alignments, set(spans)):
        found = band.dense(shares(plan, band))
        values += [overlap(found, span) for span in spans[row["document"]]]
    return float(np.mean(values)) if values else 0.0


def _plans(parts: Iterable[pa.Table], wanted: set[str]) -> Iterable[tuple[dict[str, Any], Band, Floats]]:
    for part in parts:
        plans = part["plan"].combine_chunks()
        for number, row in enumerate(part.drop_columns("plan").to_pylist()):
            if row["document"] in wanted:
                yield row, Band.from_row(row), plans[number].values.to_numpy().astype(np.float64)


def _units(text: GridText, fragments: Iterable[tuple[int, int]]) -> npt.NDArray[np.int64]:
    return np.array(sorted({unit for start, end in fragments for unit in text.units_of(start, end)}), dtype=np.int64)


def _biased(plan: Floats, band: Band, spans: Sequence[Mapped], scale: float, iterations: int) -> Floats:
    inside = np.zeros((band.rows, band.columns), dtype=bool)
    for span in spans:
        inside[np.ix_(span.source, span.target)] = True
    masses = marginals(plan, band)
    values = plan * np.exp(scale * inside[band.row_of_cell(), band.column_of_cell()])
    u, v = np.ones(band.rows), np.ones(band.columns)
    iterate(values, band.low, band.indptr, masses, 1.0, (u.copy(), v.copy()), u, v, iterations)
    absorb(values, band.low, band.indptr, u, v)
    return values
