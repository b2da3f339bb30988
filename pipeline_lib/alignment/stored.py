"""Tables that stay in their files: as tall as a vocabulary, while a text looks at few of their rows.

A file is mapped anew for every look: its pages count as the process's own for as long as they are mapped. Who looks at the same rows
again and again takes them ``at_hand`` before.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from safetensors import safe_open
from safetensors.numpy import save_file
from scipy.sparse import csr_array

ARRAY = "array"  # what the one array of a file is called
Selected = npt.NDArray[np.int32] | slice
Table = TypeVar("Table")


@dataclass(frozen=True)
class Held:
    """Rows of a table that are in memory.

    Attributes:
        numbers: where they are in the table, ascending, shape (rows,); rows: themselves, in this order.
    """

    numbers: npt.NDArray[np.int32]
    rows: Any

    def find(self, wanted: Selected) -> Any | None:
        """A copy of the ``wanted`` rows; None unless all of them are here."""
        if isinstance(wanted, slice) or not len(self.numbers):
            return None
        places = np.searchsorted(self.numbers, wanted)
        return self.rows[places] if np.array_equal(self.numbers.take(places, mode="clip"), wanted) else None


@dataclass(frozen=True)
class StoredMatrix:
    """A dense table, one safetensors file; indexed by rows, it gives a copy of them."""

    path: Path
    shape: tuple[int, int]
    held: Held | None = None

    def __getitem__(self, rows: Selected) -> npt.NDArray[np.float32]:
        found = self.held.find(rows) if self.held else None
        return np.array(read_array(self.path)[rows]) if found is None else found


@dataclass(frozen=True)
class StoredTable:
    """A sparse table, three safetensors files under one name; indexed by rows, it gives a copy of them."""

    folder: Path
    name: str
    shape: tuple[int, int]
    held: Held | None = None

    def __getitem__(self, rows: Selected) -> csr_array:
        found = self.held.find(rows) if self.held else None
        if found is not None:
            return found
        parts = tuple(read_array(self.folder / f"{self.name}_{part}.safetensors") for part in ("values", "columns", "rows"))
        return csr_array(parts, shape=self.shape)[rows]


def at_hand(table: Table, rows: npt.NDArray[np.int32]) -> Table:
    """The table with these rows in memory, read at once; one that is in memory stays as it is."""
    if isinstance(table, StoredMatrix | StoredTable):
        numbers = np.unique(rows)
        return replace(table, held=Held(numbers, table[numbers]))
    return table


def store_matrix(matrix: npt.NDArray[np.float32], folder: Path, name: str) -> None:
    write_array(matrix, folder / f"{name}.safetensors")


def stored_matrix(folder: Path, name: str) -> StoredMatrix:
    path = folder / f"{name}.safetensors"
    rows, columns = read_array(path).shape
    return StoredMatrix(path, (rows, columns))


def store_table(table: csr_array, folder: Path, name: str) -> None:
    """Row starts and columns are written with one width: scipy would copy both to make them alike."""
    width = np.int32 if table.nnz < 2**31 else np.int64
    for part, array in (("values", table.data), ("columns", table.indices.astype(width)), ("rows", table.indptr.astype(width))):
        write_array(array, folder / f"{name}_{part}.safetensors")


def write_array(array: npt.NDArray[Any], path: Path) -> None:
    save_file({ARRAY: np.ascontiguousarray(array)}, path)


def read_array(path: Path) -> npt.NDArray[Any]:
    """The array of a file, mapped: torch's reader copies nothing, numpy's all of it."""
    with safe_open(path, framework="pt") as file:
        found: npt.NDArray[Any] = file.get_tensor(ARRAY).numpy()
    return found
