import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts.projection import MEMORY
from pipeline_lib.projection.memory import Memory, Surfaces, joint_votes

# Not all of them are ASCII: the order that the rows lie in is that of code points.
KEYS = st.sampled_from(["", "a", "a b", "b", "é", "ﬀ", "\U0001f600"])
VOTES = st.dictionaries(st.tuples(KEYS, KEYS), st.integers(1, 9).map(float), max_size=12)


def remember(votes: dict[tuple[str, str], float]) -> Memory:
    """In the order given."""
    return Memory.of(
        MEMORY.table([{"source_key": source, "target_key": target, "votes": count} for (source, target), count in votes.items()])
    )


def surfaces(keys: list[str]) -> Surfaces:
    return Surfaces.of(pa.array(keys, pa.string()))


@given(st.lists(KEYS))
def test_surfaces_are_numbers_of_distinct_strings(keys: list[str]) -> None:
    coded = surfaces(keys)
    assert [coded.distinct[number] for number in coded.number.tolist()] == keys
    assert coded.distinct.n_unique() == len(coded.distinct)
    assert coded.take(np.arange(len(keys))[::-1]).number.tolist() == coded.number[::-1].tolist()


@given(VOTES, st.lists(st.tuples(KEYS, KEYS)))
def test_a_pair_has_its_votes_and_those_of_its_source_surface(votes: dict[tuple[str, str], float], asked: list[tuple[str, str]]) -> None:
    source, target = (surfaces(list(keys)) for keys in (zip(*asked, strict=True) if asked else ([], [])))
    found, every = remember(votes).votes(source, target)
    assert found.tolist() == [votes.get(pair, 0.0) for pair in asked]
    assert every.tolist() == [sum(count for (key, _), count in votes.items() if key == source_key) for source_key, _ in asked]


@given(VOTES, st.lists(KEYS))
def test_a_target_surface_has_the_votes_of_all_source_surfaces(votes: dict[tuple[str, str], float], asked: list[str]) -> None:
    expected = [sum(count for (_, key), count in votes.items() if key == reading) for reading in asked]
    assert remember(votes).votes_into(surfaces(asked)).tolist() == expected


@pytest.mark.parametrize(
    ("reading", "bounds", "expected"),
    [
        ([0, 1, 0], [0, 3], [5.0, 2.0, 5.0]),
        ([0, 1, 0], [0, 1, 3], [1.0, 2.0, 4.0]),
        ([7, 7, 7], [0, 3], [7.0, 7.0, 7.0]),
        ([0, 0, 0], [0, 1, 2, 3], [1.0, 2.0, 4.0]),
    ],
    ids=["apart", "of two mentions", "all alike", "alone"],
)
def test_candidates_of_a_mention_that_read_alike_vote_together(reading: list[int], bounds: list[int], expected: list[float]) -> None:
    together = joint_votes(np.array([1.0, 2.0, 4.0]), np.array(reading, dtype=np.int64), np.array(bounds, dtype=np.int64))
    assert together.tolist() == expected
