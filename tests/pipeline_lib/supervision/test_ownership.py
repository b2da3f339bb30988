"""Which mention a gold span belongs to."""

import numpy as np
import pytest

from pipeline_lib.supervision.ownership import closest, dice, fragments_of, lesson, own
from tests.pipeline_lib.supervision.pools import Mention, grid, pooled

TEXT = "acute renal failure of the kidney"


def test_of_nested_mentions_each_owns_its_own_gold() -> None:
    outer, inner = ("D", 0, 19), ("D", 6, 19)
    assert own([outer, inner], [inner, outer]) == {0: 1, 1: 0}


def test_a_gold_span_belongs_to_one_mention_and_a_mention_owns_one() -> None:
    assert own([("D", 0, 10), ("D", 0, 9)], [("D", 0, 10)]) == {0: 0}
    assert own([("D", 0, 10)], [("D", 0, 9), ("D", 0, 10)]) == {0: 1}


def test_the_closest_pairs_find_each_other_first_and_ties_keep_the_order() -> None:
    assert closest({(0, 0): 0.5, (0, 1): 0.4, (1, 0): 0.9, (1, 1): 0.0}) == {1: 0, 0: 1}
    assert closest({(1, 0): 0.5, (0, 0): 0.5}) == {0: 0}
    assert closest({(0, 0): 0.0}) == {}


def test_labels_never_mix_and_what_does_not_touch_is_nobodys() -> None:
    assert own([("D", 0, 10), ("D", 20, 30)], [("S", 0, 10), ("D", 10, 20)]) == {}


@pytest.mark.parametrize(("one", "other", "expected"), [((0, 4), (0, 4), 1.0), ((0, 4), (2, 6), 0.5), ((0, 4), (4, 8), 0.0)])
def test_dice_is_twice_the_overlap_over_both_lengths(one: tuple[int, int], other: tuple[int, int], expected: float) -> None:
    assert dice(("D", *one), ("D", *other)) == expected == dice(("D", *other), ("D", *one))


def taught(*mentions: Mention, gold: list[tuple[str, int, int]]) -> tuple[list[bool], list[bool]]:
    found = pooled(*mentions)
    text = {"a": grid(TEXT)}
    offsets = [
        {"document": "a", "mention": m.name, "starts": [text["a"].starts[m.units[0]]], "ends": [text["a"].ends[m.units[1]]]}
        for m in mentions
    ]
    result = lesson(found, found.features[:, 0], {"a": gold}, fragments_of(offsets), text, text)
    return result.right.tolist(), result.counts.tolist()


def test_the_inner_span_is_wrong_for_the_outer_mention_although_it_is_gold() -> None:
    outer = Mention("a", "T1", (0, 2), [(0, 2), (1, 2)], [1, 1, 1, 0])
    inner = Mention("a", "T2", (1, 2), [(0, 2), (1, 2)], [0, 1, 1, 0])
    right, counts = taught(outer, inner, gold=[("DISEASE", 0, 19), ("DISEASE", 6, 19)])
    # Both candidates of the inner mention hold the same evidence; the first is its own, and it is the farther from what is left.
    assert right[:2] == [True, False]
    assert counts == [True] * 4


def test_documents_without_declared_gold_teach_nothing() -> None:
    found = pooled(Mention("b", "T1", (0, 0), [(0, 0)], [1]))
    result = lesson(found, np.ones(1), {"a": [("DISEASE", 0, 5)]}, {("b", "T1"): ([0], [5])}, {"b": grid(TEXT)}, {"b": grid(TEXT)})
    assert not result.counts.any()
    assert not result.right.any()


def test_fragmented_mentions_take_their_gold_and_teach_nothing() -> None:
    pieces = [Mention("a", "T1", (0, 0), [(0, 0)], [1]), Mention("a", "T1", (2, 2), [(2, 2)], [1], left=2, fragment=1)]
    other = Mention("a", "T2", (1, 1), [(1, 1), (0, 2)], [0, 1, 0])
    found, text = pooled(*pieces, other), {"a": grid(TEXT)}
    fragments = {("a", "T1"): ([0, 12], [5, 19]), ("a", "T2"): ([6], [11])}
    result = lesson(found, np.array([1.0, 1.0, 0.9, 0.1]), {"a": [("DISEASE", 0, 19)]}, fragments, text, text)
    assert result.counts.tolist() == [False, False, True, True]
    assert not result.right.any()
