import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline_lib.alignment.band import Band, BandConfig, band_around, joined, prior, scaled_diagonal

SIZES = st.integers(1, 40)
CONFIGS = st.tuples(st.integers(0, 8), st.integers(1, 8)).map(lambda widths: BandConfig(full=min(widths), zero=max(widths)))


def arbitrary_bands() -> st.SearchStrategy[Band]:
    def build(columns: int, intervals: list[tuple[int, int]]) -> Band:
        low = np.array([min(pair) % (columns + 1) for pair in intervals], dtype=np.int32)
        high = np.maximum(low, np.array([max(pair) % (columns + 1) for pair in intervals], dtype=np.int32))
        return Band(low, high, columns)

    places = st.integers(0, 20)
    return st.builds(build, st.integers(1, 20), st.lists(st.tuples(places, places), min_size=1, max_size=12))


@given(arbitrary_bands())
def test_cells_are_numbered_row_after_row(band: Band) -> None:
    expected = [(i, j) for i in range(band.rows) for j in range(int(band.low[i]), int(band.high[i]))]
    assert list(zip(band.row_of_cell().tolist(), band.column_of_cell().tolist(), strict=True)) == expected
    assert band.cells == len(expected)
    for number, (i, j) in enumerate(expected):
        assert number == band.indptr[i] + j - band.low[i]


@given(arbitrary_bands())
def test_dense_puts_every_value_in_its_place_and_leaves_the_rest(band: Band) -> None:
    values = np.arange(band.cells) + 0.25
    matrix = band.dense(values, outside=-1)
    assert matrix.shape == (band.rows, band.columns)
    assert np.array_equal(matrix[band.row_of_cell(), band.column_of_cell()], values)
    assert (matrix == -1).sum() == band.rows * band.columns - band.cells
    assert band.dense(values).sum() == values.sum()


@given(arbitrary_bands())
def test_a_band_survives_its_table_row(band: Band) -> None:
    row = band.as_row()
    back = Band.from_row(row)
    assert np.array_equal(back.low, band.low) and np.array_equal(back.high, band.high) and back.columns == band.columns == row["columns"]
    assert row["rows"] == band.rows


@given(SIZES, SIZES, CONFIGS)
def test_the_band_holds_exactly_the_cells_closer_than_zero(rows: int, columns: int, config: BandConfig) -> None:
    centre = scaled_diagonal(rows, columns)
    band = band_around(centre, columns, config)
    inside = band.dense(np.ones(band.cells)) > 0
    assert np.array_equal(inside, np.abs(np.arange(columns)[None, :] - centre[:, None]) < config.zero)


@given(SIZES, SIZES, CONFIGS)
def test_the_prior_is_full_near_the_diagonal_then_falls_and_stays_positive(rows: int, columns: int, config: BandConfig) -> None:
    centre = scaled_diagonal(rows, columns)
    band = band_around(centre, columns, config)
    values = prior(band, centre, config)
    distance = np.abs(band.column_of_cell() - centre[band.row_of_cell()])
    assert ((values > 0) & (values <= 1)).all()
    if config.full < config.zero:
        assert (values[distance <= config.full] == 1).all() and (values[distance > config.full] < 1).all()
        falling = np.argsort(distance, kind="stable")
        assert (np.diff(values[falling]) <= 0).all()


def bands_of_one_shape() -> st.SearchStrategy[tuple[Band, Band]]:
    def build(columns: int, rows: list[tuple[int, int, int, int]]) -> tuple[Band, Band]:
        edges = np.minimum(np.array(rows, dtype=np.int32), columns)
        (a, b), (c, d) = np.sort(edges[:, :2]).T, np.sort(edges[:, 2:]).T
        return Band(a, b, columns), Band(c, d, columns)

    place = st.integers(0, 20)
    return st.builds(build, st.integers(1, 20), st.lists(st.tuples(place, place, place, place), min_size=1, max_size=12))


@given(bands_of_one_shape())
def test_joined_bands_hold_both_and_no_row_reaches_further_than_one_of_them(bands: tuple[Band, Band]) -> None:
    one, other = bands
    found = joined(one, other)
    assert (found.rows, found.columns) == (one.rows, one.columns)
    for row in range(found.rows):
        both = {*range(one.low[row], one.high[row]), *range(other.low[row], other.high[row])}
        held = set(range(found.low[row], found.high[row]))
        assert both <= held
        ends = (one.low[row], other.low[row]), (one.high[row], other.high[row])
        assert (found.low[row], found.high[row]) == (min(ends[0]), max(ends[1]))


@given(bands_of_one_shape())
def test_joining_does_not_depend_on_the_order_and_a_band_joined_with_itself_stays(bands: tuple[Band, Band]) -> None:
    one, other = bands
    there, back, alone = joined(one, other), joined(other, one), joined(one, one)
    assert np.array_equal(there.low, back.low) and np.array_equal(there.high, back.high)
    assert np.array_equal(alone.low, one.low) and np.array_equal(alone.high, one.high)


@given(SIZES, SIZES)
def test_the_diagonal_read_backwards_is_the_same_diagonal(rows: int, columns: int) -> None:
    there = scaled_diagonal(rows, columns)
    assert np.allclose(there, (columns - 1) - there[::-1])


def test_the_paper_has_50_full_units_and_forbids_from_100_on() -> None:
    config = BandConfig()
    centre = np.full(1, 150.0)
    band = band_around(centre, 301, config)
    values = dict(zip(band.column_of_cell().tolist(), prior(band, centre, config).tolist(), strict=True))
    assert (min(values), max(values)) == (51, 249)
    assert {150 + distance: values[150 + distance] for distance in (-50, 0, 50, 75, -75, 99)} == {
        100: 1.0, 150: 1.0, 200: 1.0, 225: 0.5, 75: 0.5, 249: 0.02,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "columns", "diagonal"),
    [(3, 3, [0, 1, 2]), (2, 4, [0.5, 2.5]), (4, 2, [-0.25, 0.25, 0.75, 1.25]), (1, 5, [2])],
)
def test_the_diagonal_is_scaled_to_the_lengths(rows: int, columns: int, diagonal: list[float]) -> None:
    assert scaled_diagonal(rows, columns).tolist() == diagonal


def test_rows_whose_centre_lies_far_outside_stay_empty() -> None:
    band = band_around(np.array([-50.0, 1.0, 90.0]), 4, BandConfig(full=1, zero=2))
    assert (band.high - band.low).tolist() == [0, 3, 0] and band.cells == 3


@pytest.mark.parametrize("wrong", [{"full": -1}, {"zero": 0}, {"width": 3}])
def test_a_senseless_band_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        BandConfig(**wrong)
