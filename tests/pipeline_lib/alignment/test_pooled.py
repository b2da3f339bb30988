import numpy as np
import pytest

from pipeline_lib.alignment.band import Band, Floats
from pipeline_lib.alignment.fitted import Rows, Teachers, Vocabulary
from pipeline_lib.alignment.pooled import SIF, pooled_view, salience, window_lengths
from pipeline_lib.alignment.views import LocalTypes, local_types, type_view, typed
from tests.pipeline_lib.alignment.toys import fitted, translated

PAIRS = translated(seed=2, documents=10)


@pytest.fixture(scope="module")
def teachers() -> Teachers:
    return fitted(PAIRS)


def window_means(text: LocalTypes, table: Rows, vocabulary: Vocabulary, half_width: int, unit_length: bool = True) -> Floats:
    """The frequency-weighted sum of the vectors around every unit, of unit length or as it is, unit by unit; shape (units, dimensions)."""
    ids = text.known[text.of_unit]
    found = np.zeros((len(ids), table.shape[1]))
    for place in range(len(ids)):
        for number in ids[max(place - half_width, 0) : place + half_width + 1]:
            if number >= 0:
                found[place] += SIF / (SIF + vocabulary.counts[number] / vocabulary.counts.sum()) * table[:][number]
        norm = np.linalg.norm(found[place])
        found[place] /= norm if unit_length and norm > 0 else 1.0
    return found


def texts(teachers: Teachers) -> tuple[LocalTypes, LocalTypes]:
    """Two texts of two lengths: all known types of a language in a row, with unseen types at the edges and in between."""
    source = ["zzz", *teachers.source.types[::-1], "yyy", "xxx", "zzz", *PAIRS[0].source]
    target = [*teachers.target.types, "zzz"]
    return local_types(typed(source, teachers.source), teachers.source), local_types(typed(target, teachers.target), teachers.target)


def ragged(rows: int, columns: int) -> Band:
    """A band that jumps to and fro, with rows that are empty."""
    ends = np.sort(np.random.default_rng(4).integers(0, columns + 1, (rows, 2)), axis=1).astype(np.int32)
    ends[::7, 1] = ends[::7, 0]
    return Band(ends[:, 0].copy(), ends[:, 1].copy(), columns)


@pytest.mark.parametrize("half_width", [0, 1, 3, 100])
def test_the_pooled_view_is_the_cosine_of_the_windows_weighted_means(half_width: int, teachers: Teachers) -> None:
    source, target = texts(teachers)
    tables = teachers.sentence_source, teachers.sentence_target
    sides = []
    for text, table, vocabulary in zip((source, target), tables, (teachers.source, teachers.target), strict=True):
        weights = salience(text, vocabulary)
        sides.append((text, weights, window_lengths(text, table, weights, half_width)))
    band = ragged(len(source.of_unit), len(target.of_unit))
    found = pooled_view(type_view(source, target, *tables), sides[0], sides[1], half_width, band)
    means = (
        window_means(sides[0][0], tables[0], teachers.source, half_width),
        window_means(target, tables[1], teachers.target, half_width),
    )
    expected = means[0] @ means[1].T
    assert found == pytest.approx(expected[band.row_of_cell(), band.column_of_cell()], abs=1e-6)
    assert np.ptp(found) > 0.02


@pytest.mark.parametrize("half_width", [0, 2, 100])
def test_window_lengths_are_those_of_the_sums(half_width: int, teachers: Teachers) -> None:
    source, _ = texts(teachers)
    found = window_lengths(source, teachers.phrase_source, salience(source, teachers.source), half_width)
    expected = np.linalg.norm(window_means(source, teachers.phrase_source, teachers.source, half_width, unit_length=False), axis=1)
    assert found == pytest.approx(expected, abs=1e-6)


def test_a_window_of_unseen_types_is_like_nothing(teachers: Teachers) -> None:
    """Although sums that slide leave a trace of what has left the window."""
    known = list(teachers.source.types[:9])
    text = local_types(typed([*known, "xxx", "yyy", "zzz", *known], teachers.source), teachers.source)
    weights = salience(text, teachers.source)
    lengths = window_lengths(text, teachers.sentence_source, weights, 1)
    side = (text, weights, lengths)
    n = len(text.of_unit)
    band = Band(np.zeros(n, dtype=np.int32), np.full(n, n, dtype=np.int32), n)
    found = band.dense(pooled_view(type_view(text, text, teachers.sentence_source, teachers.sentence_source), side, side, 1, band))
    assert not found[10].any() and not found[:, 10].any()
    assert np.diag(found)[np.arange(n) != 10] == pytest.approx(np.ones(n - 1), abs=1e-6)


def test_unseen_types_weigh_nothing_and_frequent_ones_little() -> None:
    vocabulary = Vocabulary(("a", "b"), np.array([999, 1], dtype=np.int64))
    text = local_types(typed(["a", "b", "c"], vocabulary), vocabulary)
    assert salience(text, vocabulary) == pytest.approx([SIF / (SIF + 0.999), SIF / (SIF + 0.001), 0.0])
