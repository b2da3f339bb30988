import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_lib.alignment.band import Band, BandConfig, Floats, band_around, scaled_diagonal
from pipeline_lib.alignment.eights import LANES, LINE
from pipeline_lib.alignment.kernel import iterate
from pipeline_lib.alignment.packed import PACK, WASTE, iterate_packed, packs_of

INTERVALS = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 60)), min_size=1, max_size=40)


def band_of(intervals: list[tuple[int, int]], columns: int = 320) -> Band:
    low = np.array([start for start, _ in intervals], dtype=np.int32)
    return Band(low, np.minimum(low + [width for _, width in intervals], columns).astype(np.int32), columns)


@given(INTERVALS)
def test_every_cell_has_a_place_of_its_own_and_little_is_wasted(intervals: list[tuple[int, int]]) -> None:
    band, taken = band_of(intervals), set()
    packs = packs_of(band.low, band.high)
    rows = [row for first in packs.eights[:, 0] for row in range(first, first + PACK)] + packs.ones[:, 0].tolist()
    assert sorted(rows) == list(range(band.rows))
    for packed, of_pack in ((packs.eights, PACK), (packs.ones, 1)):
        for first, left, width, at in packed:
            assert width % LANES == at % LANES == 0
            for row in range(first, first + of_pack):
                cells = np.arange(band.low[row], band.high[row]) - left
                assert ((cells >= 0) & (cells < width)).all()
                taken |= set((at + cells // LANES * LANES * of_pack + (row - first) * LANES + cells % LANES).tolist())
    assert len(taken) == band.cells and max(taken, default=-1) < max(packs.size, 1)
    assert packs.size <= WASTE * band.cells + 2 * LINE * (band.rows + PACK)


def test_no_rows_make_no_packs() -> None:
    nothing = np.zeros(0, dtype=np.int32)
    packs = packs_of(nothing, nothing)
    assert packs.size == 0 and packs.eights.shape == packs.ones.shape == (0, 4)


def problem(band: Band, seed: int = 0, reg: float = 0.1) -> tuple[Floats, tuple[Floats, Floats]]:
    values = np.exp(-np.random.default_rng(seed).random(band.cells) / reg)
    covered = band.dense(np.ones(band.cells)) > 0
    masses = tuple(alive / max(alive.sum(), 1) for alive in (covered.any(axis=1), covered.any(axis=0)))
    return values, (masses[0], masses[1])


@settings(max_examples=60, deadline=None)
@given(INTERVALS, st.integers(0, 99), st.sampled_from([1.0, 0.8]))
def test_the_factors_are_those_of_float64(intervals: list[tuple[int, int]], seed: int, power: float) -> None:
    band = band_of(intervals)
    values, masses = problem(band, seed)
    pulls = (np.where(masses[0] > 0, np.random.default_rng(seed).uniform(0.5, 2, band.rows), 1.0), np.ones(band.columns))
    u, v = np.ones(band.rows), np.ones(band.columns)
    done = iterate(values, band.low, band.indptr, masses, power, pulls, u, v, 20)
    found = iterate_packed(values, band, masses, power, pulls, 20)
    alive = masses[0] > 0
    if found is not None:
        assert done == 20 and np.isfinite(found).all()
        ratio = np.log(found[alive]) - np.log(u[alive])
        assert np.abs(ratio).max(initial=0) < 1e-4  # one constant is free where rows and columns balance fully


def test_a_factor_beyond_float32_is_told() -> None:
    band = band_around(scaled_diagonal(30, 30), 30, BandConfig(full=0, zero=5))
    values, masses = problem(band)
    pulls = (np.ones(30), np.ones(30))
    assert iterate_packed(values, band, masses, 1.0, pulls, 5) is not None
    values[(band.row_of_cell() == 7)] *= 1e-12
    assert iterate_packed(values, band, masses, 1.0, pulls, 5) is None


@pytest.mark.parametrize("power", [1.0, 0.8])
@pytest.mark.parametrize("rows", [1, 3, 4, 5, 9, 70])
def test_packs_that_are_not_full_count_as_well(rows: int, power: float) -> None:
    band = band_around(scaled_diagonal(rows, 41), 41, BandConfig(full=0, zero=30))
    values, masses = problem(band)
    pulls = (np.linspace(0.5, 1, rows), np.linspace(1, 2, 41))
    found = iterate_packed(values, band, masses, power, pulls, 10)
    u, v = np.ones(rows), np.ones(41)
    iterate(values, band.low, band.indptr, masses, power, pulls, u, v, 10)
    assert found is not None and np.allclose(found, u, rtol=1e-5)
