from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_lib.projection.occurrences import Choice, resolve

Place = tuple[int, int]
Likely = dict[Place, float]


def choices(*mentions: tuple[int, Likely], surface: str = "fiebre") -> list[Choice]:
    """Mentions of one surface at the given source units, one after the other in the pool."""
    made, number = [], 0
    for row, (place, likely) in enumerate(mentions):
        spans = sorted(likely)
        first, last = (np.array(ends, np.int32) for ends in zip(*spans, strict=True))
        numbers = np.arange(number, number + len(spans))
        made.append(Choice(row, ("d", surface), place, numbers, first, last, np.array([likely[span] for span in spans])))
        number += len(spans)
    return made


def resolved(found: list[Choice]) -> list[Place]:
    picked = resolve(found)
    assert set(picked) == {choice.row for choice in found}
    return [choice.span(picked[choice.row]) for choice in sorted(found, key=lambda choice: choice.row)]


def overlap(one: Place, other: Place) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


A, B, C = (2, 2), (5, 5), (8, 8)


@pytest.mark.parametrize(
    ("mentions", "expected"),
    [
        ([(0, {A: 0.4, B: 0.6})], [B]),
        ([(0, {A: 0.9, B: 0.1}), (4, {A: 0.1, B: 0.9})], [A, B]),
        ([(0, {A: 0.9, B: 0.1}), (4, {A: 0.8, B: 0.2})], [A, B]),
        ([(0, {A: 0.6, B: 0.4}), (4, {A: 0.9, B: 0.1})], [A, B]),
        ([(0, {A: 0.1, B: 0.9}), (4, {A: 0.2, B: 0.8})], [A, B]),
        ([(0, {A: 0.1, B: 0.9}), (4, {A: 0.9, B: 0.1})], [B, A]),
        ([(0, {A: 0.6, B: 0.4, C: 0}), (4, {A: 0.7, B: 0.3, C: 0}), (9, {A: 0.8, B: 0.2, C: 0})], [A, B, C]),
        ([(0, {A: 0.9}), (4, {A: 0.8})], [A, A]),
        ([(0, {A: 0.9}), (4, {A: 0.8, C: 0.2})], [A, C]),
        ([(4, {A: 0.9, B: 0.1}), (0, {A: 0.8, B: 0.2})], [B, A]),
        ([(0, {(2, 3): 0.9, B: 0.1}), (4, {(3, 4): 0.8, B: 0.2})], [(2, 3), B]),
    ],
    ids=[
        "alone",
        "apart",
        "in order",
        "in order though less likely",
        "the first gives way",
        "apart though crossed",
        "three",
        "nothing stands free",
        "only one may move",
        "order of the text, not of the rows",
        "spans that overlap",
    ],
)
def test_mentions_of_one_surface_share_out_its_occurrences(mentions: list[tuple[int, Likely]], expected: list[Place]) -> None:
    assert resolved(choices(*mentions)) == expected


def random_mentions(draw: st.DrawFn, mentions: int, places: list[Place]) -> list[tuple[int, Likely]]:
    weights = st.lists(st.floats(0.01, 1), min_size=len(places), max_size=len(places))
    drawn = [draw(weights) for _ in range(mentions)]
    return [(3 * number, {place: x / sum(row) for place, x in zip(places, row, strict=True)}) for number, row in enumerate(drawn)]


@st.composite
def occurrences(draw: st.DrawFn) -> list[tuple[int, Likely]]:
    """Mentions that may all go to the same separate occurrences, at least as many as they are."""
    count = draw(st.integers(1, 5))
    return random_mentions(draw, draw(st.integers(1, count)), [(3 * number, 3 * number + 1) for number in range(count)])


@st.composite
def any_spans(draw: st.DrawFn) -> list[tuple[int, Likely]]:
    places = draw(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 2)).map(lambda p: (p[0], p[0] + p[1])), min_size=1, max_size=8))
    return random_mentions(draw, draw(st.integers(1, 4)), sorted(set(places)))


@settings(max_examples=200, deadline=None)
@given(occurrences())
def test_where_there_are_enough_occurrences_every_mention_gets_one_and_they_are_the_likeliest(mentions: list[tuple[int, Likely]]) -> None:
    taken = resolved(choices(*mentions))
    likeliest = [max(likely, key=lambda place: likely[place]) for _, likely in mentions]
    assert len(set(taken)) == len(taken)
    if len(set(likeliest)) == len(likeliest):
        assert taken == likeliest
    else:
        places = list(mentions[0][1])
        of = {chosen: sum(np.log(m[1][p]) for m, p in zip(mentions, chosen, strict=True)) for chosen in permutations(places, len(mentions))}
        # In the order of the text, and as likely as any choice of the same spans can be.
        assert taken == sorted(taken)
        best = max(max(of[chosen] for chosen in permutations(spans)) for spans in combinations(places, len(mentions)))
        assert max(of[chosen] for chosen in permutations(taken)) == pytest.approx(best)


@settings(max_examples=300, deadline=None)
@given(any_spans())
def test_none_overlaps_another_while_a_span_stands_free(mentions: list[tuple[int, Likely]]) -> None:
    taken = resolved(choices(*mentions))
    collisions = [(i, j) for i in range(len(taken)) for j in range(i) if overlap(taken[i], taken[j])]
    free = [place for place in mentions[0][1] if not any(overlap(place, other) for other in taken)]
    assert not collisions or not free


@settings(max_examples=200, deadline=None)
@given(any_spans(), st.data())
def test_the_order_of_the_rows_changes_nothing(mentions: list[tuple[int, Likely]], data: st.DataObject) -> None:
    labels = data.draw(st.lists(st.integers(1, 2), min_size=len(mentions), max_size=len(mentions)))
    found = choices(*[mention for mention, times in zip(mentions, labels, strict=True) for _ in range(times)])
    assert resolve(data.draw(st.permutations(found))) == resolve(found)


@settings(max_examples=100, deadline=None)
@given(any_spans())
def test_mentions_on_the_same_units_do_not_compete_and_go_together(mentions: list[tuple[int, Likely]]) -> None:
    once = resolved(choices(*mentions))
    twice = resolved(choices(*[mention for mention in mentions for _ in range(2)]))
    assert twice == [place for place in once for _ in range(2)]


def test_a_mention_that_cannot_follow_its_twin_keeps_its_own() -> None:
    assert resolved(choices((0, {A: 0.9, B: 0.1}), (0, {C: 1.0}))) == [A, C]


def test_mentions_of_other_surfaces_or_documents_do_not_compete() -> None:
    one, other = choices((0, {A: 0.9, B: 0.1}), (4, {A: 0.8, B: 0.2}))
    for surface in [("d", "tos"), ("e", "fiebre")]:
        apart = Choice(other.row, surface, other.place, other.numbers, other.first, other.last, other.likely)
        assert resolved([one, apart]) == [A, A]


def test_no_mentions_take_nothing() -> None:
    assert resolve([]) == {}
