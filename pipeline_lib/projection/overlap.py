"""Overlap: how much of the right span each candidate may be expected to hold.

Choosing by it is minimum-risk decoding (Kumar & Byrne 2004): of two edges that divide the probability, the safer span wins.
"""

import numpy as np

from pipeline_lib.alignment.band import Floats, Ints
from pipeline_lib.alignment.compiled import compiled
from pipeline_lib.projection.memory import Longs


def expected_overlap(first: Ints, last: Ints, likely: Floats, bounds: Longs) -> Floats:
    """Dice of each candidate's units with the right span's, expected under the candidates' probabilities; shape (candidates,).

    Args:
        first, last: target units, inclusive, likely: probability; each of shape (candidates,).
        bounds: first candidate of each mention, and the end; shape (mentions + 1,).
    """
    expected = np.empty(len(likely))
    _expect(first, last, likely, bounds, expected)
    return expected


@compiled()
def _expect(first: Ints, last: Ints, likely: Floats, bounds: Longs, expected: Floats) -> None:
    for mention in range(len(bounds) - 1):
        for one in range(bounds[mention], bounds[mention + 1]):
            total = 0.0
            for other in range(bounds[mention], bounds[mention + 1]):
                shared = min(last[one], last[other]) - max(first[one], first[other]) + 1
                if shared > 0:
                    sizes = last[one] - first[one] + last[other] - first[other] + 2
                    total += 2 * shared / sizes * likely[other]
            expected[one] = total
