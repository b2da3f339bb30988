import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline_lib.alignment.band import Band, BandConfig, Floats, band_around, scaled_diagonal
from pipeline_lib.alignment.units import GridText, split_units
from pipeline_lib.projection.decode import Aligned, DecodeConfig, Span, project_mention
from pipeline_lib.projection.edges import CLOSES, FOLLOWS, OPENS, PRECEDES

PAPER, OURS = DecodeConfig(decoder="paper"), DecodeConfig()
PROSE = st.text(alphabet="abcé1.,-  \n(😀\u0301\u00ad", min_size=1, max_size=40).filter(str.strip)
Fragments = list[tuple[int, int]]


def grid(text: str) -> GridText:
    units = split_units(text)
    return GridText(text, units.starts, units.ends, units.breaks)


def aligned(source: str, target: str, shares: object, band: Band | None = None, edges: Floats | None = None) -> Aligned:
    """A pair whose shares are given dense, shape (source units, target units)."""
    ours, theirs = grid(source), grid(target)
    n, m = len(ours.starts), len(theirs.starts)
    band = band or Band(np.zeros(n, dtype=np.int32), np.full(n, m, dtype=np.int32), m)
    dense = np.asarray(shares, dtype=np.float64).reshape(n, m)
    return Aligned(ours, theirs, dense[band.row_of_cell(), band.column_of_cell()], band, np.zeros((m, 4)) if edges is None else edges)


def identity(text: str, zero: int = 3) -> Aligned:
    n = len(grid(text).starts)
    return aligned(text, text, np.eye(n), band_around(scaled_diagonal(n, n), n, BandConfig(full=0, zero=zero)))


def project(pair: Aligned, *fragments: tuple[int, int], config: DecodeConfig = OURS) -> Span:
    return project_mention([start for start, _ in fragments], [end for _, end in fragments], pair, config)


def offsets(span: Span) -> Fragments:
    return list(zip(span.starts, span.ends, strict=True))


def surfaces(span: Span, pair: Aligned) -> list[str]:
    return [pair.target.text[start:end] for start, end in offsets(span)]


def on(word: str, text: str, place: int = 0) -> tuple[int, int]:
    start = [i for i in range(len(text)) if text.startswith(word, i)][place]
    return start, start + len(word)


def parts_a_mark(text: str, place: int) -> bool:
    return place < len(text) and unicodedata.category(text[place]).startswith("M")


def cut(data: st.DataObject, text: GridText, first: int, last: int) -> tuple[int, int]:
    """A span from inside unit ``first`` to inside unit ``last`` that parts no mark from its base."""
    starts = [
        place for place in range(text.starts[first], text.ends[first]) if place == text.starts[first] or not parts_a_mark(text.text, place)
    ]
    start = data.draw(st.sampled_from(starts))
    inside = range(max(start, text.starts[last]) + 1, text.ends[last] + 1)
    ends = [place for place in inside if place == text.ends[last] or not parts_a_mark(text.text, place)]
    return start, data.draw(st.sampled_from(ends))


@settings(max_examples=300, deadline=None)
@given(PROSE, st.data(), st.sampled_from([OURS, PAPER]))
def test_any_span_projects_onto_itself_where_the_text_is_its_own_translation(text: str, data: st.DataObject, config: DecodeConfig) -> None:
    first = data.draw(st.integers(0, len(grid(text).starts) - 1))
    last = data.draw(st.integers(first, len(grid(text).starts) - 1))
    start, end = cut(data, grid(text), first, last)
    span = project(identity(text), (start, end), config=config)
    assert offsets(span) == [(start, end)]
    assert span.reason is None and span.confidence == pytest.approx(1)


@settings(max_examples=300, deadline=None)
@given(PROSE, st.data(), st.sampled_from([OURS, PAPER]))
def test_a_discontinuous_span_projects_onto_itself_if_units_lie_between(text: str, data: st.DataObject, config: DecodeConfig) -> None:
    fragments: Fragments = []
    first = 0
    while first < len(grid(text).starts):
        last = min(first + data.draw(st.integers(0, 2)), len(grid(text).starts) - 1)
        fragments.append(cut(data, grid(text), first, last))
        first = last + data.draw(st.integers(2, 4))
    order = data.draw(st.permutations(fragments))
    assert offsets(project(identity(text), *order, config=config)) == fragments


@settings(max_examples=300, deadline=None)
@given(PROSE, PROSE, st.data(), st.sampled_from([OURS, PAPER]), st.integers(1, 4))
def test_whatever_the_alignment_offsets_are_sound(source: str, target: str, data: st.DataObject, config: DecodeConfig, zero: int) -> None:
    theirs = grid(target)
    n, m = len(grid(source).starts), len(theirs.starts)
    random = np.random.default_rng(data.draw(st.integers(0, 2**16)))
    band = band_around(np.sort(random.uniform(-2, m + 2, n)), m, BandConfig(full=0, zero=zero))
    pair = aligned(source, target, random.random((n, m)) ** 2, band, random.normal(size=(m, 4)) * 5)
    borders = sorted(data.draw(st.sets(st.integers(0, len(source)), min_size=2, max_size=6)))
    span = project(pair, *zip(borders[::2], borders[1::2], strict=False), config=config)
    assert (span.reason is None) == bool(span.starts) and len(span.starts) == len(span.ends)
    assert 0 <= span.confidence <= 1 and (span.confidence == 0 or not span.reason)
    for start, end in offsets(span):
        assert 0 <= start < end <= len(target) and target[start:end].strip() == target[start:end]
        assert start in theirs.starts or not parts_a_mark(target, start)
        assert end in theirs.ends or not parts_a_mark(target, end)
    assert all(left < right for left, right in zip(span.ends, span.starts[1:], strict=False))


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 9), st.integers(0, 2**16))
def test_the_span_has_the_largest_sum_of_scores_over_the_threshold(units: int, seed: int) -> None:
    shares = np.random.default_rng(seed).random((2, units))
    pair = aligned("uno dos", " ".join("abcdefghi"[:units]), shares)
    gains = shares.sum(axis=0) - 0.9
    sums = {(i, j): gains[i : j + 1].sum() for i in range(units) for j in range(i, units)}
    span = project(pair, (0, 7), config=DecodeConfig(threshold=0.9, reach=0, edge_weight=0))
    if gains.max() <= 0:
        assert span == Span([], [], 0.0, "no_aligned_unit")
    else:
        first, last = max(sums, key=lambda place: sums[place])
        assert offsets(span) == [(2 * first, 2 * last + 1)]
        own = shares.sum(axis=0)[first : last + 1].sum() / max(2, last - first + 1)
        assert span.confidence == pytest.approx(min(1.0, own))


@pytest.mark.parametrize("reach", [0, 1, 3, 20])
def test_edges_are_sought_within_reach_of_the_largest_sum(reach: int) -> None:
    words = "a b c d e f g h"
    edges = np.zeros((8, 4))
    edges[1, OPENS], edges[0, PRECEDES], edges[6, CLOSES], edges[7, FOLLOWS] = 99, 99, 99, 99
    pair = aligned("uno", words, [[0, 0, 0, 0, 0.8, 0, 0, 0]], edges=edges)
    config = DecodeConfig(reach=reach, edge_weight=1.0)
    assert surfaces(project(pair, (0, 3), config=config), pair) == [{0: "e", 1: "e", 3: "b c d e f g", 20: "b c d e f g"}[reach]]
    assert surfaces(project(pair, (0, 3), config=config.model_copy(update={"edge_weight": 0.0})), pair) == ["e"]


@pytest.mark.parametrize(
    ("place", "unit", "expected"),
    [(OPENS, 1, "b c"), (PRECEDES, 0, "b c"), (CLOSES, 3, "c d"), (FOLLOWS, 4, "c d"), (OPENS, 3, "c"), (FOLLOWS, 2, "c")],
)
def test_each_edge_place_speaks_for_its_own_side(place: int, unit: int, expected: str) -> None:
    edges = np.zeros((5, 4))
    edges[unit, place] = 1.0
    pair = aligned("uno", "a b c d e", [[0, 0.2, 0.9, 0.2, 0]], edges=edges)
    assert surfaces(project(pair, (0, 3), config=DecodeConfig(edge_weight=0.1)), pair) == [expected]


def test_edge_statistics_do_not_move_the_papers_decoder() -> None:
    pair = aligned("uno", "a b c", [[0, 0.9, 0]], edges=np.full((3, 4), 50.0))
    assert surfaces(project(pair, (0, 3), config=PAPER), pair) == ["b"]


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([0.9, 0.0, 0.9, 0.0, 0.0, 0.9], "a b c"),
        ([0.9, 0.0, 0.0, 0.5, 0.5, 0.0], "d e"),
        ([0.3, 0.3, 0.0, 0.0, 0.9, 0.9], "e f"),
        ([0.3, 0.3, 0.3, 0.0, 0.0, 0.99], "a b c"),
        ([0.0, 0.26, 0.0, 0.0, 0.0, 0.25], "b"),
        ([0.6, 0.0, 0.6, 0.0, 0.6, 0.0], "a b c d e"),
    ],
)
def test_the_papers_decoder_takes_the_longest_run_with_gaps_of_one(scores: list[float], expected: str) -> None:
    pair = aligned("uno", "a b c d e f", [scores])
    assert surfaces(project(pair, (0, 3), config=PAPER), pair) == [expected]


IRON = "anemia ferropenica", "iron-deficiency anemia"


@pytest.mark.parametrize(
    ("source", "target", "shares", "mention", "expected"),
    [
        (*IRON, [[0, 0, 0, 1], [0.2, 0, 0.8, 0]], "ferropenica", "iron-deficiency"),
        (*IRON, [[0, 0, 0, 1], [0.1, 0, 0.8, 0]], "ferropenica", "deficiency"),
        ("hierro bajo", "low iron-poor", [[0, 0.8, 0, 0.2], [1, 0, 0, 0]], "hierro", "iron-poor"),
        ("hierro", "low iron - poor", [[0, 0.8, 0, 0.2]], "hierro", "iron"),
        ("hierro", "low iron -poor", [[0, 0.8, 0, 0.2]], "hierro", "iron"),
        ("hierro", "low iron- poor", [[0, 0.8, 0, 0.2]], "hierro", "iron"),
        ("hierro", "iron-low-rich", [[0.2, 0, 0.2, 0, 0.8]], "hierro", "iron-low-rich"),
        ("hierro", "iron\u2011poor", [[0.8, 0, 0.2]], "hierro", "iron\u2011poor"),
        ("hierro", "iron/poor", [[0.8, 0, 0.2]], "hierro", "iron"),
    ],
)
def test_an_attached_part_is_taken_in_if_the_mention_owns_some_of_it(
    source: str, target: str, shares: list[list[float]], mention: str, expected: str
) -> None:
    pair = aligned(source, target, shares)
    assert surfaces(project(pair, on(mention, source)), pair) == [expected]


@pytest.mark.parametrize(
    ("source", "target", "shares", "mention", "expected"),
    [
        ("hipertension", "hipertensione", [[1]], "tension", "tensione"),
        ("hipertension", "hypertension", [[1]], "tension", "hypertension"),
        ("neurotoxico", "neurotoxico", [[1]], "neuro", "neuro"),
        ("neurotoxico", "aneurotoxico", [[1]], "neuro", "aneuro"),
        ("neurotoxico", "neurotoxic", [[1]], "neuro", "neurotoxic"),
        ("xAx", "xx", [[1]], "A", "xx"),
        ("abcd", "ab cd", [[0.6, 0.6]], "cd", "cd"),
        ("abcd", "ab cd", [[0.6, 0.6]], "ab", "ab"),
        ("abXcd", "ab cd", [[0.6, 0.6]], "X", "ab cd"),
        ("cefalea", "ce\u0301falea", [[1]], "falea", "ce\u0301falea"),
    ],
)
def test_a_mention_that_cuts_a_word_cuts_its_translation_where_both_share_the_rest(
    source: str, target: str, shares: list[list[float]], mention: str, expected: str
) -> None:
    pair = aligned(source, target, shares)
    assert surfaces(project(pair, on(mention, source)), pair) == [expected]


@pytest.mark.parametrize(
    ("fragments", "expected"),
    [
        ([(0, 2), (9, 11)], ["ab", "gh"]),
        ([(9, 11), (0, 2)], ["ab", "gh"]),
        ([(0, 2), (3, 5)], ["ab cd"]),
        ([(3, 5), (0, 2)], ["ab cd"]),
        ([(0, 2), (6, 8), (3, 5)], ["ab cd ef"]),
        ([(0, 5), (3, 8)], ["ab cd ef"]),
        ([(4, 5), (3, 4)], ["cd"]),
    ],
)
def test_fragments_that_meet_in_the_target_become_one_in_text_order(fragments: Fragments, expected: list[str]) -> None:
    pair = identity("ab cd ef gh")
    assert surfaces(project(pair, *fragments), pair) == expected


def test_a_fragment_without_counterpart_is_left_out() -> None:
    pair = aligned("uno dos tres", "one three", [[1, 0], [0, 0], [0, 0.5]])
    span = project(pair, (0, 3), (4, 7), (8, 12))
    assert surfaces(span, pair) == ["one three"] and span.confidence == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("pair", "fragment", "reason"),
    [
        (identity("uno  dos"), (3, 5), "no_source_unit"),
        (aligned("uno", "one", [[0.25]]), (0, 3), "no_aligned_unit"),
        (aligned("uno", "one", [[0.0]]), (0, 3), "no_aligned_unit"),
        (aligned("uno", "one", [[1.0]], Band(np.array([1], dtype=np.int32), np.array([1], dtype=np.int32), 1)), (0, 3), "no_aligned_unit"),
    ],
)
@pytest.mark.parametrize("config", [OURS, PAPER])
def test_what_cannot_be_projected_is_an_abstention_with_a_reason(
    pair: Aligned, fragment: tuple[int, int], reason: str, config: DecodeConfig
) -> None:
    assert project(pair, fragment, config=config) == Span([], [], 0.0, reason)


def test_a_mention_of_whole_words_goes_where_its_mass_is() -> None:
    source, target = "dolor de cabeza intenso", "severe headache today"
    pair = aligned(source, target, [[0, 0.5, 0], [0, 0.2, 0], [0, 0.5, 0], [0.9, 0, 0]])
    span = project(pair, on("dolor de cabeza", source))
    assert surfaces(span, pair) == ["headache"] and span.confidence == pytest.approx(1.2 / 3)
    assert surfaces(project(pair, on("intenso", source)), pair) == ["severe"]


@pytest.mark.parametrize("wrong", [{"decoder": "longest"}, {"threshold": -0.1}, {"reach": -1}, {"hyphens": True}])
def test_a_senseless_setting_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DecodeConfig.model_validate(wrong)
