"""Gathering: the candidates of every mention of one shard, from the alignments of its documents."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline_lib.alignment.band import Band, Floats, Ints
from pipeline_lib.alignment.posteriors import banded_posteriors
from pipeline_lib.alignment.units import GridText
from pipeline_lib.alignment.views import TypedText
from pipeline_lib.projection.candidates import CandidateConfig, candidates
from pipeline_lib.projection.columns import Found, Fragment, candidates_table
from pipeline_lib.projection.evidence import Aligned, plan_signals, rows_of

PLAN = ("low", "high", "plan")
PAIRS = ("rows", "columns", "forward", "backward")

Row = dict[str, Any]
Arrays = dict[str, npt.NDArray[Any]]
Support = Mapping[str, Mapping[str, Floats]]  # by document and label: as in ``Aligned``


@dataclass(frozen=True)
class PairTexts:
    """One shard of a language pair, by document id.

    Attributes:
        types: the target texts as types of the vocabulary; edges: carried log-odds of its types, the last row for unseen ones.
    """

    langs: tuple[str, str]
    source: dict[str, GridText]
    target: dict[str, GridText]
    types: dict[str, TypedText]
    edges: Floats


def candidate_tables(
    mentions: pa.Table, texts: PairTexts, plans: Iterator[pa.Table], posteriors: pa.Table, support: Support, config: CandidateConfig
) -> Iterator[pa.Table]:
    """CANDIDATES of the mentions (MENTIONS) of every document that has a plan, one part a part of ``plans``."""
    rows: dict[str, list[Row]] = {}
    for row in mentions.select(["document", "mention", "label", "starts", "ends", "line"]).sort_by("line").to_pylist():
        rows.setdefault(row["document"], []).append(row)
    place = {document: number for number, document in enumerate(posteriors["document"].to_pylist())}
    for part in plans:
        found = []
        for number, document in enumerate(part["document"].to_pylist()):
            fragments = list(_fragments(rows[document], texts.source[document])) if document in rows else []
            if fragments:
                units = np.array([(fragment.units.start, fragment.units.stop) for fragment in fragments], dtype=np.int32)
                plan, pairs = _arrays(part, number, PLAN), _arrays(posteriors, place[document], PAIRS)
                pair = _aligned(document, units, texts, plan, pairs, support.get(document, {}))
                found.append(_found(fragments, units, pair, texts.types[document].ids, len(texts.edges) - 1, config))
        yield candidates_table(found, texts.langs)


def _fragments(mentions: list[Row], text: GridText) -> Iterator[Fragment]:
    """Those that cover a unit."""
    types = text.types
    for mention in mentions:
        for number, (start, end) in enumerate(zip(mention["starts"], mention["ends"], strict=True)):
            units = text.units_of(start, end)
            if units:
                yield Fragment(mention, number, units, " ".join(types[units.start : units.stop]))


def _arrays(table: pa.Table, row: int, names: Iterable[str]) -> Arrays:
    """Lists of one row: as Python's numbers they would be eight times as large, and take longer to read than to use."""
    return {name: table[name][row].values.to_numpy() for name in names}


def _aligned(document: str, units: Ints, texts: PairTexts, plan: Arrays, pairs: Arrays, support: Mapping[str, Floats]) -> Aligned:
    target = texts.target[document]
    low, high = (plan[side].astype(np.int32) for side in ("low", "high"))  # copies: Arrow's own are read-only, to numba another type
    band = Band(low, high, len(target.starts))
    inner = rows_of(units, band)
    signals = np.concatenate([plan_signals(plan["plan"].astype(np.float64), band, inner), banded_posteriors(pairs, inner)])
    edges = texts.edges[np.minimum(texts.types[document].ids, len(texts.edges) - 1)] - texts.edges[-1]
    return Aligned(texts.source[document], target, inner, signals, edges, dict(support))


def _found(fragments: list[Fragment], units: Ints, pair: Aligned, types: Ints, unseen: int, config: CandidateConfig) -> Found:
    found = candidates(units, [fragment.mention["label"] for fragment in fragments], pair, config)
    first, last = found.spans.T
    known = np.concatenate([[-1], np.minimum(types, unseen), [-1]]).astype(np.int32)
    around = np.stack([known[first + 1], known[first], known[last + 1], known[last + 2]], axis=1)
    return Found(fragments, found, _keys(pair.target.types, found.spans), around)


def _keys(types: list[str], spans: Ints) -> list[str]:
    """The types of each span, joined by a space: slices of all of them joined."""
    joined = " ".join(types)
    ends = np.cumsum([len(kind) + 1 for kind in types]) - 1
    starts = np.concatenate([[0], ends[:-1] + 1])
    return [joined[start:end] for start, end in zip(starts[spans[:, 0]].tolist(), ends[spans[:, 1]].tolist(), strict=True)]
