import numpy as np
from numba import njit

from pipeline_lib.alignment.eights import LANES, added_product, load, over, plus, prefetch_block, put, spread, totals
from pipeline_lib.alignment.packed import Singles

NUMBERS = np.random.default_rng(0).random(LANES * LANES + 3, dtype=np.float32)


@njit
def _arithmetic(numbers: Singles, found: Singles) -> None:
    one, other = load(numbers, 0), load(numbers, 11)
    put(found, 0, added_product(one, other, spread(numbers[20])))
    put(found, 9, over(plus(one, other), other))
    prefetch_block(numbers, numbers.size)


def test_arithmetic_is_that_of_eight_numbers_at_any_place() -> None:
    found = np.zeros(18, dtype=np.float32)
    _arithmetic(NUMBERS, found)
    one, other = NUMBERS[:8], NUMBERS[11:19]
    assert np.allclose(found[:8], one + other * NUMBERS[20], rtol=1e-6)
    assert np.array_equal(found[9:17], (one + other) / other)
    assert found[8] == found[17] == 0


@njit
def _totals(numbers: Singles, found: Singles) -> None:
    a, b, c, d = load(numbers, 3), load(numbers, 11), load(numbers, 19), load(numbers, 27)
    e, f, g, h = load(numbers, 35), load(numbers, 43), load(numbers, 51), load(numbers, 59)
    put(found, 0, totals(a, b, c, d, e, f, g, h))


def test_totals_are_the_sums_of_each_eight_in_order() -> None:
    found = np.empty(LANES, dtype=np.float32)
    _totals(NUMBERS, found)
    assert np.allclose(found, NUMBERS[3:].reshape(LANES, LANES).sum(axis=1), rtol=1e-6)
