import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_lib.alignment.band import Band, BandConfig, Floats, band_around, scaled_diagonal
from pipeline_lib.alignment.sinkhorn import SharpenConfig, sharpen
from pipeline_lib.alignment.sinkhorn_cuda import scaled_batch

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"))]
Problem = tuple[Floats, Band]


def ragged(seed: int, columns: int, intervals: list[tuple[int, int]]) -> Problem:
    low = np.array([min(start, columns) for start, _ in intervals], dtype=np.int32)
    band = Band(low, np.minimum(low + [width for _, width in intervals], columns).astype(np.int32), columns)
    return np.random.default_rng(seed).random(band.cells), band


def diagonal(rows: int, columns: int) -> Problem:
    band = band_around(scaled_diagonal(rows, columns), columns, BandConfig(full=0, zero=20))
    return np.random.default_rng(rows).random(band.cells), band


def masses(band: Band) -> tuple[Floats, Floats]:
    covered = band.dense(np.ones(band.cells)) > 0
    rows, columns = (alive / max(alive.sum(), 1) for alive in (covered.any(axis=1), covered.any(axis=0)))
    return rows, columns


def batch(problems: list[Problem], config: SharpenConfig, device: str) -> list[Floats]:
    costs, bands = [cost for cost, _ in problems], [band for _, band in problems]
    wanted = [masses(band) for band in bands]
    return scaled_batch(costs, bands, wanted, config.reg, config.iterations, config.marginal_power, device)


def assert_same(problems: list[Problem], config: SharpenConfig, device: str) -> None:
    for (cost, band), found in zip(problems, batch(problems, config, device), strict=True):
        assert found.shape == (band.cells,)
        assert np.abs(band.rows * (found - sharpen(cost, band, config).values)).max(initial=0) < 1e-6


INTERVALS = st.lists(st.tuples(st.integers(0, 25), st.integers(0, 12)), min_size=1, max_size=20)
PROBLEMS = st.lists(st.builds(ragged, st.integers(0, 99), st.integers(1, 30), INTERVALS), min_size=1, max_size=4)


@settings(max_examples=40, deadline=None)
@given(PROBLEMS, st.sampled_from([0.001, 0.02, 0.1]), st.sampled_from([1, 25]), st.sampled_from([1.0, 0.8]))
def test_documents_of_any_shape_get_the_plans_of_the_compiled_loops(
    problems: list[Problem], reg: float, iterations: int, power: float
) -> None:
    assert_same(problems, SharpenConfig(reg=reg, iterations=iterations, marginal_power=power), "cpu")


@pytest.mark.parametrize("device", DEVICES)
def test_a_batch_is_its_documents(device: str) -> None:
    problems = [diagonal(90, 120), diagonal(40, 31), diagonal(1, 7)]
    assert_same(problems, SharpenConfig(reg=0.05), device)


@pytest.mark.parametrize("device", DEVICES)
def test_the_same_batch_gives_the_same_bytes(device: str) -> None:
    problems = [diagonal(90, 120), diagonal(40, 31)]
    plans = [b"".join(values.tobytes() for values in batch(problems, SharpenConfig(), device)) for _ in range(3)]
    assert len(set(plans)) == 1


def test_nothing_gives_nothing() -> None:
    assert batch([], SharpenConfig(), "cpu") == []
    empty = Band(np.zeros(3, dtype=np.int32), np.zeros(3, dtype=np.int32), 2)
    assert [len(values) for values in batch([(np.zeros(0), empty)], SharpenConfig(), "cpu")] == [0]
