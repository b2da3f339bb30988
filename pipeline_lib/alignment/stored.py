"""Tables that stay in their files: as tall as a vocabulary, while a text looks at few of their rows.

A file is mapped anew for every look: its pages count as the process's own for as long as they are mapped.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

Selected = npt.NDArray[np.int32] | slice


@dataclass(frozen=True)
class StoredMatrix:
    """A dense table, one ``.npy`` file; indexed by rows, it gives a copy of them."""

    path: Path
    shape: tuple[int, int]

    def __getitem__(self, rows: Selected) -> npt.NDArray[np.float32]:
        return np.array(np.load(self.path, mmap_mode="r")[rows])


@dataclass(frozen=True)
class StoredTable:
    """A sparse table, three ``.npy`` files under one name; indexed by rows, it gives a copy of them."""

    folder: Path
    name: str
    shape: tuple[int, int]

    def __getitem__(self, rows: Selected) -> csr_array:
        values, columns = (np.load(self.folder / f"{self.name}.{part}.npy", mmap_mode="r") for part in ("values", "columns"))
        return csr_array((values, columns, np.load(self.folder / f"{self.name}.rows.npy")), shape=self.shape)[rows]


def store_matrix(matrix: npt.NDArray[np.float32], folder: Path, name: str) -> None:
    np.save(folder / f"{name}.npy", matrix)


def stored_matrix(folder: Path, name: str) -> StoredMatrix:
    rows, columns = np.load(folder / f"{name}.npy", mmap_mode="r").shape
    return StoredMatrix(folder / f"{name}.npy", (rows, columns))


def store_table(table: csr_array, folder: Path, name: str) -> None:
    """Row starts and columns are written with one width: scipy would copy both to make them alike."""
    width = np.int32 if table.nnz < 2**31 else np.int64
    for part, array in (("values", table.data), ("columns", table.indices.astype(width)), ("rows", table.indptr.astype(width))):
        np.save(folder / f"{name}.{part}.npy", array)
