"""Proposals: the target spans that the evidence points at, and those around them that are worth a look.

Proposed are the maximum-sum spans of each signal over a threshold, the runner-up elsewhere, and the paper's longest run. A run is a pair of
first and last index, inclusive; one whose last index lies before its first says that there is none.
"""

import numpy as np

from pipeline_lib.alignment.compiled import compiled

RUNS = 7


@compiled()
def proposals(found, threshold):  # type: ignore[no-untyped-def]
    """Runs: of the plan's shares, of all signals together, of each posterior, of all beside the second, of support, and the paper's."""
    share, forward, backward = found.share - threshold, found.forward - threshold, found.backward - threshold
    together = share + 0.25 * (forward + backward)
    best = maximum_sum(together)
    together[best[0] : best[1] + 1] = -np.inf
    return (
        maximum_sum(share),
        best,
        maximum_sum(forward),
        maximum_sum(backward),
        maximum_sum(together),
        maximum_sum(found.support - 0.5),
        longest_run(found.share, found.support, threshold),
    )


@compiled()
def maximum_sum(gains):  # type: ignore[no-untyped-def]
    """The run with the largest positive sum (Kadane)."""
    best, first, last, total, start = 0.0, 0, -1, 0.0, 0
    for index in range(gains.size):
        if total <= 0.0:
            total, start = 0.0, index
        total += gains[index]
        if total > best:
            best, first, last = total, start, index
    return first, last


@compiled()
def longest_run(scores, support, threshold):  # type: ignore[no-untyped-def]
    """The paper's span: the longest run of units over the threshold, or that a tagger supports, with single gaps; then that of most score.

    Support alone makes no span: a run counts if the alignment has a part in it.
    """
    longest, most, first, last = 0, 0.0, 0, -1
    start, end, length, total, aligned = 0, -1, 0, 0.0, False
    for unit in range(scores.size):
        over = scores[unit] > threshold
        if not (over or support[unit] > 0.5):
            continue
        if unit - end > 2 or length == 0:
            start, length, total, aligned = unit, 0, 0.0, False
        end, length, total, aligned = unit, length + 1, total + scores[unit], aligned or over
        if aligned and (length > longest or (length == longest and total > most)):
            longest, most, first, last = length, total, start, end
    return first, last


@compiled()
def spans_around(runs, reachable, reach):  # type: ignore[no-untyped-def]
    """Every span whose ends lie within ``reach`` of a run's and before ``reachable``, shape (spans, 2), inclusive, sorted."""
    side = min(2 * reach + 1, reachable)
    spans, count = np.empty((len(runs) * side * side, 2), dtype=np.int64), 0
    for a in range(reachable):
        nearest, farthest = reachable, -1
        for first, last in runs:
            if first <= last and abs(a - first) <= reach:
                nearest, farthest = min(nearest, last - reach), max(farthest, last + reach)
        for b in range(max(nearest, a), min(farthest + 1, reachable)):
            if _near(a, b, runs, reach):
                spans[count, 0], spans[count, 1] = a, b
                count += 1
    return spans[:count]


@compiled()
def _near(a, b, runs, reach):  # type: ignore[no-untyped-def]
    near = False
    for first, last in runs:
        near |= first <= last and abs(a - first) <= reach and abs(b - last) <= reach
    return near
