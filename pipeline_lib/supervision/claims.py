"""Claims: what the other mentions of a document, each at its own likeliest span, say of a candidate."""

import numpy as np
import pyarrow as pa

from pipeline_lib.alignment.band import Floats
from pipeline_lib.projection.scoring import Pool
from pipeline_lib.supervision.mentions import Longs, mention_runs, source_units

CLAIMS = ("claimed", "left_out", "same_begin", "same_end", "taken")


def claim_features(found: Pool, likely: Floats) -> Floats:
    """Shape (candidates, claims), in the order of ``CLAIMS``.

    Of the target units that mentions elsewhere in the source claim, how many the candidate takes; of those that mentions within its own
    source units claim, how many it leaves out; how many mentions that begin, or end, on the same source unit do so on the candidate's;
    how many mentions elsewhere claim exactly this span.
    """
    starts, sizes = mention_runs(found.owner)
    rows = found.owner[starts]
    best = starts + np.array([int(np.argmax(likely[a : a + n])) for a, n in zip(starts, sizes, strict=True)], dtype=np.int64)
    first_source = np.array(found.table["source_first"].to_pylist(), dtype=np.int64)[rows]
    source = np.stack([first_source, first_source + source_units(found)[rows]], axis=1)
    claims = np.stack([found.first[best], found.last[best] + 1], axis=1).astype(np.int64)
    documents: list[str] = found.table["document"].take(pa.array(rows)).to_pylist()
    result = np.zeros((len(found.owner), len(CLAIMS)))
    for group in _groups(documents):
        for one in group.tolist():
            others = group[(source[group] != source[one]).any(axis=1)]
            which = slice(starts[one], starts[one] + sizes[one])
            spans = np.stack([found.first[which], found.last[which] + 1], axis=1).astype(np.int64)
            result[which] = _claims(spans, source[one], source[others], claims[others])
    return result


def _groups(documents: list[str]) -> list[Longs]:
    """Mentions of each document."""
    found: dict[str, list[int]] = {}
    for number, document in enumerate(documents):
        found.setdefault(document, []).append(number)
    return [np.array(numbers, dtype=np.int64) for numbers in found.values()]


def _claims(spans: Longs, own: Longs, source: Longs, claims: Longs) -> Floats:
    """Of one mention's candidates, half-open; shape (candidates, claims)."""
    overlap = np.minimum(spans[:, 1, None], claims[None, :, 1]) - np.maximum(spans[:, 0, None], claims[None, :, 0])
    overlap = np.maximum(overlap, 0)
    elsewhere = (source[:, 1] <= own[0]) | (source[:, 0] >= own[1])
    within = (source[:, 0] >= own[0]) & (source[:, 1] <= own[1])
    length = claims[:, 1] - claims[:, 0]
    same = (spans[:, None, :] == claims[None, :, :]).astype(np.float64)
    return np.stack(
        [
            (overlap * elsewhere).max(axis=1, initial=0),
            ((length - overlap) * within).max(axis=1, initial=0),
            (same[:, :, 0] * (source[:, 0] == own[0])).sum(axis=1),
            (same[:, :, 1] * (source[:, 1] == own[1])).sum(axis=1),
            (same.prod(axis=2) * elsewhere).sum(axis=1),
        ],
        axis=1,
    ).astype(np.float64)
