"""Columns: the candidates of many documents as one table, without a Python object a number."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from data_contracts.projection import CANDIDATES, FEATURES, WINDOW
from pipeline_lib.alignment.band import Ints
from pipeline_lib.projection.candidates import Candidates


class Fragment(NamedTuple):
    """A mention or a piece of one, and the source units that it covers."""

    mention: dict[str, Any]
    number: int
    units: range
    key: str


class Found(NamedTuple):
    """The candidates of one document.

    Attributes:
        keys: what each candidate reads, shape (candidates,); types: those that open, precede, close and follow it, shape (candidates, 4).
    """

    fragments: list[Fragment]
    candidates: Candidates
    keys: list[str]
    types: Ints


def candidates_table(documents: Sequence[Found], langs: tuple[str, str]) -> pa.Table:
    """CANDIDATES of the documents, one row a fragment."""
    if not documents:
        return CANDIDATES.table([])
    fragments = [fragment for found in documents for fragment in found.fragments]
    counts, spans, features, paper, windows, signals = map(np.concatenate, zip(*(found.candidates for found in documents), strict=True))
    keys = pa.array([key for found in documents for key in found.keys], pa.string())
    types = np.concatenate([found.types for found in documents])
    columns = {
        "document": [fragment.mention["document"] for fragment in fragments],
        "source_lang": [langs[0]] * len(fragments),
        "target_lang": [langs[1]] * len(fragments),
        "mention": [fragment.mention["mention"] for fragment in fragments],
        "fragment": [fragment.number for fragment in fragments],
        "label": [fragment.mention["label"] for fragment in fragments],
        "source_first": [fragment.units.start for fragment in fragments],
        "source_key": [fragment.key for fragment in fragments],
        "first": _lists(spans[:, 0], counts),
        "last": _lists(spans[:, 1], counts),
        "keys": _lists(keys, counts),
        "types": _lists(types.ravel(), 4 * counts),
        **{name: _lists(column, counts) for name, column in zip(FEATURES, features.T.astype(np.float32), strict=True)},
        "window_first": windows[:, 0],
        "window": _lists(signals.astype(np.float32), len(WINDOW) * windows[:, 1]),
        "paper_first": pa.array(paper[:, 0], mask=paper[:, 0] < 0),
        "paper_last": pa.array(paper[:, 1], mask=paper[:, 1] < 0),
    }
    return pa.table(columns, schema=CANDIDATES.schema)


def _lists(values: npt.NDArray[Any] | pa.Array, counts: Ints) -> pa.Array:
    """The values cut into lists of so many."""
    edges = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    return pa.ListArray.from_arrays(edges, values if isinstance(values, pa.Array) else np.ascontiguousarray(values))
