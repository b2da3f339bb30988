"""Two systems on the same gold: the paired bootstrap, and the mentions on which they differ."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_lib.evaluation.compare import compare_systems, count_differences, differing_mentions, p_value, paired_statistics
from pipeline_lib.evaluation.resample import ResampleConfig, intervals
from pipeline_lib.evaluation.scorer import by_label, char, label_statistics, strict
from tests.pipeline_lib.evaluation.frames import GOLD, PREDICTED, Row, frame

CONFIG = ResampleConfig()
FEW = ResampleConfig(replicates=20)
MENTION = st.tuples(st.sampled_from(["d1", "d2", "d3"]), st.sampled_from("AB"), st.integers(0, 3), st.integers(4, 6))
MENTIONS = st.lists(MENTION, max_size=8)
law = settings(deadline=None)

# 200 documents of one mention: A is right on all, B on those with an even number.
MANY = frame(*((f"d{number}", "X", 0, 10) for number in range(200)))
HALF = frame(*((f"d{number}", "X", 0, 10 if number % 2 == 0 else 5) for number in range(200)))


def test_the_fixture_against_its_gold() -> None:
    rows = compare_systems(paired_statistics(GOLD, GOLD, PREDICTED), CONFIG)
    assert [(row.label, row.metric, row.f1_a, row.f1_b, row.difference, row.documents) for row in rows] == [
        ("DISEASE", "strict", 1.0, 0.4, 0.6, 2),
        ("DISEASE", "char", 1.0, 0.7733, 0.2267, 2),
        ("*", "strict", 1.0, 0.4, 0.6, 2),
        ("*", "char", 1.0, 0.7733, 0.2267, 2),
    ]


@law
@given(MENTIONS, MENTIONS, MENTIONS)
def test_both_figures_are_those_of_the_scorer(gold: list[Row], a: list[Row], b: list[Row]) -> None:
    sides = frame(*gold), frame(*a), frame(*b)
    pooled = compare_systems(paired_statistics(*sides), FEW)[-2:]
    for row, metric in zip(pooled, (strict, char), strict=True):
        assert (row.f1_a, row.f1_b) == (metric(sides[0], sides[1]).f1, metric(sides[0], sides[2]).f1)


@law
@given(MENTIONS, MENTIONS, MENTIONS)
def test_swapping_the_systems_turns_the_sign(gold: list[Row], a: list[Row], b: list[Row]) -> None:
    sides = frame(*gold), frame(*a), frame(*b)
    there, back = (compare_systems(paired_statistics(sides[0], *pair), FEW) for pair in (sides[1:], sides[:0:-1]))
    for one, other in zip(there, back, strict=True):
        assert (one.f1_a, one.difference, one.p_value) == (other.f1_b, -other.difference, other.p_value)
        assert (one.low, one.high) == pytest.approx((-other.high, -other.low), abs=1.1e-4)


@law
@given(MENTIONS, MENTIONS)
def test_a_system_does_not_differ_from_itself(gold: list[Row], a: list[Row]) -> None:
    sides = frame(*gold), frame(*a)
    for row in compare_systems(paired_statistics(*sides, sides[1]), FEW):
        assert (row.difference, row.low, row.high, row.p_value) == (0.0, 0.0, 0.0, 1.0)
    assert differing_mentions(*sides, sides[1]).is_empty()


def test_both_systems_see_the_same_draws() -> None:
    """A differs from B in one document of 200, so a replicate's difference is that document's draws / 200: 0 to .025 and no wider."""
    nearly = frame(*((f"d{number}", "X", 0, 10 if number else 5) for number in range(200)))
    row = compare_systems(paired_statistics(MANY, MANY, nearly), CONFIG)[0]
    assert (row.difference, row.low) == (0.005, 0.0)
    assert 0.01 <= row.high <= 0.02
    # Unpaired, the intervals of two systems that are right on half of the documents could differ by a tenth.
    other = HALF.with_row_index().filter(HALF["filename"] != "d0").drop("index")
    assert compare_systems(paired_statistics(MANY, HALF, other), CONFIG)[0].high <= 0.02


def test_the_interval_of_the_difference_is_that_of_the_better_half() -> None:
    """A is always right, so the difference's interval is B's own, turned around: 1 - F1 of B."""
    row = compare_systems(paired_statistics(MANY, MANY, HALF), CONFIG)[0]
    low, high = intervals(dict(by_label(label_statistics(MANY, HALF)))["X"], CONFIG)["strict"]
    assert (row.low, row.high) == pytest.approx((1 - high, 1 - low), abs=1e-4)
    assert row.p_value == pytest.approx(1 / 1001)


def test_the_p_value_counts_replicates_as_far_from_the_difference_as_that_is_from_zero() -> None:
    replicates = np.array([0.0, 0.1, 0.2, 0.3, 0.5, -0.1])
    assert p_value(0.25, replicates) == pytest.approx((3 + 1) / 7)
    assert p_value(-0.25, -replicates) == p_value(0.25, replicates)
    assert p_value(0.0, replicates) == 1.0


def test_one_seed_gives_one_comparison_and_another_seed_another() -> None:
    statistics = paired_statistics(MANY, MANY, HALF)
    assert compare_systems(statistics, CONFIG) == compare_systems(statistics, CONFIG)
    assert compare_systems(statistics, CONFIG) != compare_systems(statistics, ResampleConfig(seed=14))


def test_a_difference_too_small_for_four_decimals_has_no_sign() -> None:
    gold = frame(*((f"d{number}", "X", 0, 10) for number in range(30_000)))
    row = compare_systems(paired_statistics(gold, gold.tail(-1), gold), FEW)[0]
    assert str(row.difference) == "0.0"


def test_no_mentions_at_all_give_no_difference() -> None:
    rows = compare_systems(paired_statistics(frame(), frame(), frame()), CONFIG)
    assert [(row.label, row.difference, row.p_value, row.documents) for row in rows] == [("*", 0.0, 1.0, 0)] * 2


def test_documents_of_one_system_alone_count() -> None:
    statistics = paired_statistics(GOLD, frame(("d9", "DISEASE", 0, 5)), frame(("d0", "Y", 0, 5)))
    assert statistics.select("filename", "label", "gold_a", "gold_b", "fp_a", "fp_b").rows() == [
        ("d0", "Y", 0, 0, 0, 1),
        ("d1", "DISEASE", 1, 1, 0, 0),
        ("d2", "DISEASE", 1, 1, 0, 0),
        ("d9", "DISEASE", 0, 0, 1, 0),
    ]


def test_differing_mentions_say_who_has_them_and_whether_they_are_gold() -> None:
    gold = frame(("d1", "X", 0, 5), ("d1", "X", 0, 5), ("d1", "Y", 7, 9), ("d2", "X", 0, 5))
    a = frame(("d1.txt", "X", 0, 5), ("d1.txt", "X", 0, 5), ("d2", "X", 0, 5))
    b = frame(("d1", "Y", 7, 9), ("d2", "X", 0, 4), ("d2", "X", 0, 5))
    mentions = differing_mentions(gold, a, b)
    assert mentions.columns == ["filename", "label", "start_span", "end_span", "in_gold", "system"]
    assert mentions.rows() == [("d1", "X", 0, 5, True, "A"), ("d1", "Y", 7, 9, True, "B"), ("d2", "X", 0, 4, False, "B")]
    assert count_differences(mentions).to_dicts() == [
        {"label": "X", "only_A_right": 1, "only_A_wrong": 0, "only_B_right": 0, "only_B_wrong": 1},
        {"label": "Y", "only_A_right": 0, "only_A_wrong": 0, "only_B_right": 1, "only_B_wrong": 0},
    ]


@law
@given(MENTIONS, MENTIONS, MENTIONS)
def test_the_right_ones_explain_the_difference_in_matches(gold: list[Row], a: list[Row], b: list[Row]) -> None:
    sides = frame(*dict.fromkeys(gold)), frame(*a), frame(*b)
    counts = count_differences(differing_mentions(*sides))
    matched = [strict(sides[0], side).matched or 0 for side in sides[1:]]
    assert counts["only_A_right"].sum() - counts["only_B_right"].sum() == matched[0] - matched[1]
