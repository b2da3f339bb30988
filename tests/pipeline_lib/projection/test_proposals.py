import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_lib.projection.evidence import SIGNALS
from pipeline_lib.projection.proposals import RUNS, longest_run, maximum_sum, proposals, spans_around
from tests.pipeline_lib.projection.pairs import aligned, evidence_of

SCORES = st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.9]), max_size=12)
NONE = (0, -1)


def run_of(scores: list[float], support: list[float]) -> tuple[int, int]:
    first, last = longest_run(np.array(scores, dtype=np.float64), np.array(support, dtype=np.float64), 0.25)
    return first, last


@pytest.mark.parametrize(
    ("signals", "expected"),
    [
        ({"share": [0, 0.9, 0.4, 0]}, {(1, 2)}),
        ({"forward": [0, 0, 0.9, 0]}, {(2, 2)}),
        ({"backward": [0.9, 0, 0, 0]}, {(0, 0)}),
        ({"owned": [1, 1, 1, 1], "kept": [1, 1, 1, 1]}, set()),
        ({"share": [0.9, 0, 0, 0], "backward": [0, 0, 0, 0.9]}, {(0, 0), (3, 3)}),
        ({"share": [0.9, 0, 0, 0.4]}, {(0, 0), (3, 3)}),
    ],
)
def test_share_and_posteriors_propose_and_so_does_the_runner_up(signals: dict[str, list[float]], expected: set[tuple[int, int]]) -> None:
    dense = np.array([[signals.get(name, [0.0] * 4)] for name in SIGNALS])
    found = evidence_of(range(1), "DISEASE", aligned("uno", "a b c d", dense))
    made = {(first, last) for first, last in proposals(found, 0.25) if first <= last}
    assert made >= expected and bool(made) == bool(expected)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(-1, 1), max_size=10))
def test_the_maximum_sum_is_the_largest_of_all_runs_if_any_is_positive(gains: list[float]) -> None:
    sums = {(i, j): sum(gains[i : j + 1]) for i in range(len(gains)) for j in range(i, len(gains))}
    found = maximum_sum(np.array(gains, dtype=np.float64))
    if found == NONE:
        assert all(total <= 1e-12 for total in sums.values())
    else:
        assert sums[found] > 0 and sums[found] == pytest.approx(max(sums.values()))


def plain_runs(over: list[bool]) -> list[list[int]]:
    """Runs of units that are over, with gaps of one."""
    found: list[list[int]] = []
    for unit in [unit for unit, is_over in enumerate(over) if is_over]:
        if found and unit - found[-1][-1] <= 2:
            found[-1].append(unit)
        else:
            found.append([unit])
    return found


@settings(max_examples=200, deadline=None)
@given(SCORES, st.data())
def test_the_longest_run_has_most_units_over_the_threshold_then_most_score_then_comes_first(
    scores: list[float], data: st.DataObject
) -> None:
    support = [float(data.draw(st.booleans())) for _ in scores]
    over = [score > 0.25 or bool(seen) for score, seen in zip(scores, support, strict=True)]
    runs = [run for run in plain_runs(over) if any(scores[unit] > 0.25 for unit in run)]
    best: list[int] = []
    for run in runs:
        if (len(run), round(sum(scores[unit] for unit in run), 9)) > (len(best), round(sum(scores[unit] for unit in best), 9)):
            best = run
    found = run_of(scores, support)
    if found == NONE or not best:
        assert found == NONE and not best
    else:
        assert rank(found, scores, over) == rank((best[0], best[-1]), scores, over)


def rank(run: tuple[int, int], scores: list[float], over: list[bool]) -> tuple[int, float]:
    units = [unit for unit in range(run[0], run[1] + 1) if over[unit]]
    return len(units), round(sum(scores[unit] for unit in units), 9)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([0.9, 0.0, 0.9, 0.0, 0.0, 0.9], (0, 2)),
        ([0.9, 0.0, 0.0, 0.5, 0.5, 0.0], (3, 4)),
        ([0.3, 0.3, 0.0, 0.0, 0.9, 0.9], (4, 5)),
        ([0.3, 0.3, 0.3, 0.0, 0.0, 0.99], (0, 2)),
        ([0.0, 0.26, 0.0, 0.0, 0.0, 0.25], (1, 1)),
        ([0.6, 0.0, 0.6, 0.0, 0.6, 0.0], (0, 4)),
        ([0.25], NONE),
        ([], NONE),
    ],
)
def test_the_papers_run_is_the_longest_with_gaps_of_one(scores: list[float], expected: tuple[int, int]) -> None:
    assert run_of(scores, [0.0] * len(scores)) == expected


@pytest.mark.parametrize(
    ("scores", "support", "expected"),
    [
        ([0.0, 0.9, 0.0, 0.0, 0.0], [0, 1, 1, 1, 0], (1, 3)),
        ([0.0, 0.9, 0.0, 0.0, 0.0], [0, 0, 0, 1, 0], (1, 3)),
        ([0.9, 0.0, 0.0, 0.0, 0.0], [0, 0, 0, 1, 1], (0, 0)),
        ([0.0, 0.0, 0.0, 0.0, 0.0], [1, 1, 1, 1, 1], NONE),
    ],
)
def test_support_lengthens_a_run_that_the_alignment_has_a_part_in_and_makes_none(
    scores: list[float], support: list[float], expected: tuple[int, int]
) -> None:
    assert run_of(scores, support) == expected


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 12), st.integers(0, 4), st.data())
def test_spans_around_are_all_whose_ends_are_near_a_runs_and_sorted(reachable: int, reach: int, data: st.DataObject) -> None:
    places = st.integers(0, max(reachable - 1, 0))
    drawn = [data.draw(st.tuples(places, places)) for _ in range(RUNS)]
    runs = tuple((first, last) if first <= last and reachable else NONE for first, last in drawn)
    expected = [
        (a, b)
        for a in range(reachable)
        for b in range(a, reachable)
        if any(abs(a - first) <= reach and abs(b - last) <= reach for first, last in runs if first <= last)
    ]
    assert [(a, b) for a, b in spans_around(runs, reachable, reach).tolist()] == expected
