"""Truncated singular value decomposition of a large sparse table: memory is one thin single-precision matrix a side.

Randomised subspace iteration (Halko, Martinsson & Tropp 2011). The basis is made orthonormal in place through its small Gram matrix, in
double precision and block by block, so that nothing else is as tall as the table.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from pipeline_lib.alignment.band import Floats

Thin = npt.NDArray[np.float32]

OVERSAMPLED = 10  # columns beyond the rank, given up at the end (Halko et al.: 5 to 10)
ROUNDS = 5  # products with the table and back
ROWS_AT_ONCE = 4096
LEAST = 1e-10  # eigenvalues of a Gram matrix below this share of its largest are rounding


def truncated_svd(table: csr_array, rank: int, seed: int) -> tuple[Thin, Floats, Thin]:
    """Left vectors, shape (rows, rank), the largest singular values, descending, shape (rank,), right vectors, shape (columns, rank).

    Vectors of singular values that are 0 are 0.
    """
    table = table.astype(np.float32, copy=False)
    width = min(rank + OVERSAMPLED, *table.shape)
    right = np.random.default_rng(seed).standard_normal((table.shape[1], width), dtype=np.float32)
    for _ in range(ROUNDS - 1):
        right = table.T @ _orthonormal(table @ right)
    left = _orthonormal(table @ right)
    right = table.T @ left
    squares, turn = _spectrum(right)
    _times(left, turn)
    _times(right, turn * _inverse_root(squares))
    return left[:, :rank], np.sqrt(squares[:rank]), right[:, :rank]


def _orthonormal(matrix: Thin) -> Thin:
    """The same matrix, in place, its columns a basis of what they span."""
    squares, turn = _spectrum(matrix)
    _times(matrix, turn * _inverse_root(squares))
    return matrix


def _spectrum(matrix: Thin) -> tuple[Floats, Floats]:
    """Eigenvalues of ``matrix.T @ matrix``, descending and not negative, shape (width,), and its eigenvectors, columns, (width, width)."""
    gram = np.zeros((matrix.shape[1], matrix.shape[1]))
    for rows in _blocks(matrix):
        wide = matrix[rows].astype(np.float64)
        gram += wide.T @ wide
    values, vectors = np.linalg.eigh(gram)
    return np.maximum(values[::-1], 0.0), vectors[:, ::-1]


def _inverse_root(squares: Floats) -> Floats:
    told = squares > LEAST * squares[0]
    return np.where(told, 1.0 / np.sqrt(np.where(told, squares, 1.0)), 0.0)


def _times(matrix: Thin, by: Floats) -> None:
    """``matrix @ by``, in place; ``by``: shape (width, width)."""
    narrow = by.astype(np.float32)
    for rows in _blocks(matrix):
        matrix[rows] = matrix[rows] @ narrow


def _blocks(matrix: Thin) -> Iterator[slice]:
    return (slice(first, first + ROWS_AT_ONCE) for first in range(0, len(matrix), ROWS_AT_ONCE))
