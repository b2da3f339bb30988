from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from data_contracts import SEGMENT_PAIRS
from pipeline_lib.alignment.segments import Groups, SegmentConfig, align_segments, anchored_diagonal, segment_pairs, segment_pairs_table
from pipeline_lib.alignment.units import GridText, split_units

Text = tuple[list[str], list[int]]


def text(*sentences: str) -> Text:
    """Unit types and segment starts of sentences given as words."""
    types = [word for sentence in sentences for word in sentence.split()]
    return types, np.cumsum([0, *(len(sentence.split()) for sentence in sentences[:-1])]).tolist()


def groups(*pairs: tuple[int, int, int, int], sliced: bool = False) -> Groups:
    table = np.array(pairs, dtype=np.int32)
    return Groups(table[:, :2], table[:, 2:], sliced)


def texts() -> st.SearchStrategy[Text]:
    sentence = st.lists(st.sampled_from(["fiebre", "tos", "38.5", "dolor", ".", "\u00b4", "a"]), min_size=1, max_size=6).map(" ".join)
    return st.lists(sentence, min_size=1, max_size=9).map(lambda sentences: text(*sentences))


@settings(max_examples=150, deadline=None)
@given(texts(), texts(), st.sampled_from([SegmentConfig(), SegmentConfig(longest_segment=4, slice_units=5, slice_margin=2)]))
def test_groups_cover_all_units_of_both_texts_in_order(source: Text, target: Text, config: SegmentConfig) -> None:
    found = align_segments(*source, *target, config)
    assert found.source.shape == found.target.shape == (len(found.source), 2)
    sides = [(found.source, source[0])] if found.sliced else [(found.source, source[0]), (found.target, target[0])]
    for side, types in sides:
        assert side[0, 0] == 0 and side[-1, 1] == len(types)
        assert np.array_equal(side[1:, 0], side[:-1, 1]) and (side[:, 0] <= side[:, 1]).all()
    assert (np.diff(found.target, axis=0) >= 0).all()
    assert set().union(*(range(low, high) for low, high in found.target.tolist())) == set(range(len(target[0])))
    if not found.sliced:
        assert set(found.source.ravel().tolist()) <= {*source[1], len(source[0])}
        assert set(found.target.ravel().tolist()) <= {*target[1], len(target[0])}


@settings(max_examples=100, deadline=None)
@given(texts(), texts())
def test_the_anchored_diagonal_ascends_within_the_target(source: Text, target: Text) -> None:
    rows, columns = len(source[0]), len(target[0])
    diagonal = anchored_diagonal(align_segments(*source, *target, SegmentConfig()), rows, columns)
    assert diagonal.shape == (rows,)
    assert (np.diff(diagonal) >= 0).all() and diagonal[0] >= -0.5 and diagonal[-1] <= columns - 0.5


@settings(max_examples=60, deadline=None)
@given(texts())
def test_a_text_aligns_with_itself_segment_by_segment_when_they_differ(source: Text) -> None:
    types = [f"{word}{index}" for index, word in enumerate(source[0])]
    found = align_segments(types, source[1], types, source[1], SegmentConfig())
    edges = [*source[1], len(types)]
    assert found.source.tolist() == found.target.tolist() == [list(pair) for pair in pairwise(edges)]
    assert np.allclose(anchored_diagonal(found, len(types), len(types)), np.arange(len(types)))


FEVER, COUGH, XRAY = "paciente con fiebre de 38.5 .", "refiere tos seca nocturna .", "radiografia de torax con derrame ."


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ((FEVER, COUGH, XRAY), (FEVER, XRAY), [(0, 6, 0, 6), (6, 11, 6, 6), (11, 17, 6, 12)]),
        ((FEVER, XRAY), (FEVER, COUGH, XRAY), [(0, 6, 0, 6), (6, 6, 6, 11), (6, 12, 11, 17)]),
        ((FEVER, COUGH, XRAY), (f"{FEVER} {COUGH}", XRAY), [(0, 11, 0, 11), (11, 17, 11, 17)]),
        ((f"{FEVER} {COUGH}", XRAY), (FEVER, COUGH, XRAY), [(0, 11, 0, 11), (11, 17, 11, 17)]),
    ],
    ids=["left out", "put in", "joined", "parted"],
)
def test_segments_left_out_put_in_joined_or_parted_are_found(
    source: tuple[str, ...], target: tuple[str, ...], expected: list[tuple[int, int, int, int]]
) -> None:
    found = align_segments(*text(*source), *text(*target), SegmentConfig())
    assert not found.sliced
    assert [(*a, *b) for a, b in zip(found.source.tolist(), found.target.tolist(), strict=True)] == expected


def test_a_merge_must_be_worth_its_penalty() -> None:
    joined = text(FEVER, COUGH, XRAY), text(f"{FEVER} {COUGH}", XRAY)
    kept = align_segments(*joined[0], *joined[1], SegmentConfig(merge_penalty=2.0))
    assert kept.source.tolist() == [[0, 6], [6, 11], [11, 17]], "no two segments become one"
    widths = align_segments(*text(*[FEVER] * 4), *text(*[FEVER] * 4), SegmentConfig(merge_penalty=0.01))
    assert widths.source.tolist() == widths.target.tolist() == [[0, 6], [6, 12], [12, 18], [18, 24]]


def test_a_segment_is_skipped_only_if_joining_it_costs_more() -> None:
    left_out = text(FEVER, COUGH, XRAY), text(FEVER, XRAY)
    joined = align_segments(*left_out[0], *left_out[1], SegmentConfig(skip_penalty=5.0))
    assert (np.diff(joined.source, axis=1) > 0).all() and (np.diff(joined.target, axis=1) > 0).all()


@pytest.mark.parametrize(
    ("source", "target", "sliced"),
    [
        (text(FEVER), text(FEVER, COUGH), True),
        (text(FEVER, COUGH), text(FEVER), True),
        (text(FEVER), text(COUGH), False),
        (text(FEVER, COUGH), text(FEVER, " ".join(["tos"] * 401)), True),
        (text(FEVER, COUGH), text(FEVER, " ".join(["tos"] * 400)), False),
    ],
)
def test_slices_stand_in_where_one_side_has_no_segments_or_a_very_long_one(source: Text, target: Text, sliced: bool) -> None:
    assert align_segments(*source, *target, SegmentConfig()).sliced is sliced


def test_slices_keep_pace_with_a_margin() -> None:
    found = align_segments(["x"] * 50, [0], ["y"] * 100, [0, 10], SegmentConfig())
    assert found.sliced
    assert found.source.tolist() == [[0, 24], [24, 48], [48, 50]]
    assert found.target.tolist() == [[0, 60], [36, 100], [84, 100]]
    assert np.allclose(anchored_diagonal(found, 50, 100), np.arange(50) * 2 + 0.5)


@pytest.mark.parametrize(
    ("found", "diagonal"),
    [
        (groups((0, 2, 0, 4), (2, 4, 4, 5)), [0.5, 2.5, 3.75, 4.25]),
        (groups((0, 2, 0, 2), (2, 2, 2, 9), (2, 2, 9, 20), (2, 4, 20, 22)), [0, 1, 20, 21]),
        (groups((0, 2, 0, 2), (2, 4, 2, 2), (4, 6, 2, 4)), [0, 1, 1.5, 1.5, 2, 3]),
        (groups((0, 0, 0, 7), (0, 2, 7, 9)), [7, 8]),
        (groups((0, 2, 0, 2), (2, 2, 2, 6), (2, 2, 6, 30)), [0, 1]),
    ],
    ids=["own pace", "put in", "left out", "put in before", "put in behind"],
)
def test_every_group_is_walked_at_its_own_pace(found: Groups, diagonal: list[float]) -> None:
    rows, columns = found.source[-1, 1], found.target[-1, 1]
    assert anchored_diagonal(found, rows, columns) == pytest.approx(diagonal)


@pytest.mark.parametrize("wrong", [{"slice_units": 0}, {"skip_penalty": -0.1}, {"skip": 0.3}])
def test_a_senseless_setting_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        SegmentConfig(**wrong)


def same(one: Groups, other: Groups) -> bool:
    return np.array_equal(one.source, other.source) and np.array_equal(one.target, other.target) and one.sliced is other.sliced


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(texts(), texts()), max_size=3))
def test_groups_survive_their_table(pairs: list[tuple[Text, Text]]) -> None:
    made = {f"d{number}": align_segments(*source, *target, SegmentConfig()) for number, (source, target) in enumerate(pairs)}
    langs = {"source_lang": "es", "target_lang": "en"}
    table = SEGMENT_PAIRS.table([{"document": document, **langs, **found.as_row()} for document, found in made.items()])
    SEGMENT_PAIRS.check(table)
    back = segment_pairs(table)
    assert list(back) == list(made)
    assert all(same(back[document], found) for document, found in made.items())
    assert all(found.source.dtype == found.target.dtype == np.int32 for found in back.values())


def test_a_row_tells_the_four_edges_of_every_group() -> None:
    row = groups((0, 2, 0, 3), (2, 5, 3, 3), sliced=True).as_row()
    assert {name: np.asarray(value).tolist() for name, value in row.items()} == {
        "source_starts": [0, 2], "source_ends": [2, 5], "target_starts": [0, 3], "target_ends": [3, 3], "sliced": True,
    }  # fmt: skip


def grid(*sentences: str) -> GridText:
    content = "\n".join(sentences)
    units = split_units(content)
    return GridText(content, units.starts, units.ends, units.breaks)


def test_there_is_a_row_for_every_document_of_both_sides() -> None:
    source = {"d3": grid(FEVER, COUGH), "d1": grid(XRAY), "d2": grid(FEVER, COUGH, XRAY), "d4": grid(COUGH)}
    target = {"d2": grid(FEVER, XRAY), "d3": grid(FEVER, COUGH), "d9": grid(XRAY)}
    table = segment_pairs_table(source, target, ("es", "en"), SegmentConfig())
    SEGMENT_PAIRS.check(table)
    assert [(row["document"], row["source_lang"], row["target_lang"]) for row in table.to_pylist()] == [
        ("d3", "es", "en"),
        ("d2", "es", "en"),
    ]
    for document, found in segment_pairs(table).items():
        ours, theirs = source[document], target[document]
        assert same(found, align_segments(ours.types, ours.breaks, theirs.types, theirs.breaks, SegmentConfig()))


def test_the_tables_groups_follow_the_settings() -> None:
    source, target = {"d1": grid(FEVER, COUGH)}, {"d1": grid(FEVER, COUGH)}
    (plain,) = segment_pairs(segment_pairs_table(source, target, ("es", "en"), SegmentConfig())).values()
    (sliced,) = segment_pairs(segment_pairs_table(source, target, ("es", "en"), SegmentConfig(longest_segment=1))).values()
    assert sliced.sliced and not plain.sliced


def test_without_common_documents_the_table_is_empty() -> None:
    assert segment_pairs_table({"d1": grid(FEVER)}, {"d2": grid(FEVER)}, ("es", "en"), SegmentConfig()).num_rows == 0
