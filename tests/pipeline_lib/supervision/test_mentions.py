"""Where each mention's candidates are."""

import numpy as np

from pipeline_lib.supervision.mentions import mention_runs, source_units
from tests.pipeline_lib.supervision.pools import Mention, pooled


def test_runs_skip_mentions_without_candidates() -> None:
    starts, sizes = mention_runs(np.array([0, 0, 2, 2, 2, 5], dtype=np.int32))
    assert (starts.tolist(), sizes.tolist()) == ([0, 2, 5], [2, 3, 1])


def test_a_pool_without_candidates_has_no_runs() -> None:
    starts, sizes = mention_runs(np.empty(0, dtype=np.int32))
    assert (starts.tolist(), sizes.tolist()) == ([], [])


def test_source_units_are_counted_by_row() -> None:
    found = pooled(Mention("a", "T1", (0, 2), [(0, 0)], [1]), Mention("a", "T2", (4, 4), [], []))
    assert source_units(found).tolist() == [3, 1]
