"""The thin decomposition, against numpy's dense one."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from pipeline_lib.alignment import svd
from pipeline_lib.alignment.svd import truncated_svd


def sloped(rows: int, columns: int, seed: int = 1) -> np.ndarray:
    """A table whose singular values are halved from one to the next."""
    random = np.random.default_rng(seed)
    size = min(rows, columns)
    left, right = (np.linalg.qr(random.standard_normal((side, size)))[0] for side in (rows, columns))
    return left * 0.5 ** np.arange(size) @ right.T


@pytest.mark.parametrize("shape", [(40, 25), (25, 40), (30, 30)], ids=str)
def test_it_is_that_of_the_dense_table(shape: tuple[int, int]) -> None:
    table = sloped(*shape)
    left, values, right = truncated_svd(csr_array(table), 5, 13)
    expected_left, expected, expected_right = np.linalg.svd(table, full_matrices=False)
    assert values == pytest.approx(expected[:5], rel=1e-4)
    for found, wanted in ((left, expected_left[:, :5]), (right, expected_right[:5].T)):
        assert found.dtype == np.float32 and np.abs((found * wanted).sum(axis=0)) == pytest.approx(np.ones(5), abs=1e-4)
    assert (left * values) @ right.T == pytest.approx((expected_left * expected)[:, :5] @ expected_right[:5], abs=1e-4)


def test_vectors_are_orthonormal_and_those_of_nothing_are_0() -> None:
    table = sloped(40, 25)[:, :1] @ np.ones((1, 30))
    left, values, right = truncated_svd(csr_array(table), 4, 13)
    once = np.diag([1.0, 0, 0, 0])
    assert left.T @ left == pytest.approx(once, abs=1e-5) and right.T @ right == pytest.approx(once, abs=1e-5)
    assert values == pytest.approx([np.linalg.norm(table), 0, 0, 0], abs=1e-5)


def test_a_table_of_zeros_has_none() -> None:
    found = truncated_svd(csr_array((6, 4)), 2, 13)
    assert all(not part.any() for part in found)


def test_the_rows_taken_at_once_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    table = csr_array(sloped(40, 25))
    whole = truncated_svd(table, 5, 13)
    monkeypatch.setattr(svd, "ROWS_AT_ONCE", 7)
    for one, other in zip(truncated_svd(table, 5, 13), whole, strict=True):
        assert np.abs(one) == pytest.approx(np.abs(other), abs=1e-4)  # a vector's sign is anyone's choice


def test_the_same_seed_gives_the_same_bits() -> None:
    table = csr_array(sloped(40, 25))
    for one, other in zip(truncated_svd(table, 5, 13), truncated_svd(table, 5, 13), strict=True):
        assert np.array_equal(one, other)
