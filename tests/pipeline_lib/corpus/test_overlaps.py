import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_lib.corpus.brat import Mention
from pipeline_lib.corpus.overlaps import same_label_overlaps

SPANS = st.tuples(st.integers(0, 9), st.integers(1, 5)).map(lambda span: ((span[0], span[0] + span[1]),))
SHAPES = SPANS | st.tuples(SPANS, SPANS).map(lambda pair: pair[0] + pair[1])


def mention(number: int, label: str, *fragments: tuple[int, int]) -> Mention:
    starts, ends = zip(*fragments, strict=True)
    return Mention(f"T{number}", label, starts, ends, "x", number, "\n", None)


def found(*mentions: Mention) -> list[tuple[str, str]]:
    return sorted((one.id, code.removeprefix("same_label_")) for code, one in same_label_overlaps(mentions))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((0, 5), (5, 9), []),
        ((0, 5), (0, 5), [("T2", "identical")]),
        ((0, 5), (1, 4), [("T2", "nested")]),
        ((1, 4), (0, 5), [("T1", "nested")]),
        ((0, 5), (0, 4), [("T2", "nested")]),
        ((0, 5), (2, 5), [("T2", "nested")]),
        ((0, 5), (3, 8), [("T2", "crossing")]),
        ((3, 8), (0, 5), [("T1", "crossing")]),
    ],
)
def test_two_mentions_of_a_label_are_apart_identical_nested_or_crossing(
    first: tuple[int, int], second: tuple[int, int], expected: list[tuple[str, str]]
) -> None:
    assert found(mention(1, "DISEASE", first), mention(2, "DISEASE", second)) == expected
    assert found(mention(1, "DISEASE", first), mention(2, "SYMPTOM", second)) == []


def test_one_mention_may_be_nested_in_one_and_cross_another_but_is_named_once_a_relation() -> None:
    mentions = [
        mention(1, "D", (0, 20)),
        mention(2, "D", (0, 20)),
        mention(3, "D", (2, 6)),
        mention(4, "D", (4, 9)),
        mention(5, "D", (5, 9)),
    ]
    assert found(*mentions) == [
        ("T2", "identical"),
        ("T3", "nested"),
        ("T4", "crossing"),
        ("T4", "nested"),
        ("T5", "crossing"),
        ("T5", "nested"),
    ]


def test_discontinuous_mentions_count_from_first_start_to_last_end() -> None:
    assert found(mention(1, "D", (0, 2), (8, 9)), mention(2, "D", (4, 6))) == [("T2", "nested")]
    assert found(mention(1, "D", (0, 2), (8, 9)), mention(2, "D", (0, 9))) == [("T2", "nested")]
    assert found(mention(1, "D", (0, 2), (8, 9)), mention(2, "D", (0, 2), (8, 9))) == [("T2", "identical")]


@given(st.lists(st.tuples(st.sampled_from(["D", "S"]), SHAPES), max_size=12))
def test_the_sweep_finds_what_comparing_every_two_mentions_finds(drawn: list[tuple[str, tuple[tuple[int, int], ...]]]) -> None:
    mentions = [mention(number, label, *fragments) for number, (label, fragments) in enumerate(drawn, start=1)]
    expected = set()
    for one in mentions:
        low, high = min(one.starts), max(one.ends)
        for other in mentions:
            start, end = min(other.starts), max(other.ends)
            if other.label != one.label or other is one:
                continue
            same, later = (other.starts, other.ends) == (one.starts, one.ends), other.line < one.line
            if same and later:
                expected.add((one.id, "identical"))
            elif not same and start <= low and high <= end and ((start, end) != (low, high) or later):
                expected.add((one.id, "nested"))
            elif start < low < end < high:
                expected.add((one.id, "crossing"))
    assert found(*mentions) == sorted(expected)


def test_thousands_of_mentions_take_no_quadratic_time() -> None:
    mentions = [mention(number, "D", (number, number + 30_000)) for number in range(1, 20_001)]
    started = time.process_time()
    assert len(found(*mentions)) == 19_999
    assert time.process_time() - started < 5
