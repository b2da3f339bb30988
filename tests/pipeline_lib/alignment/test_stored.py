from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_array, random_array

from pipeline_lib.alignment.stored import StoredTable, at_hand, store_matrix, store_table, stored_matrix

ROWS = [np.array([3, 0, 3, -1], dtype=np.int32), np.array([], dtype=np.int32), slice(2, 5), slice(None)]


@pytest.fixture
def matrix() -> np.ndarray:
    return np.random.default_rng(1).random((6, 4), dtype=np.float32)


@pytest.mark.parametrize("rows", ROWS, ids=str)
def test_rows_of_a_stored_matrix_are_those_of_the_matrix(matrix: np.ndarray, rows: np.ndarray | slice, tmp_path: Path) -> None:
    store_matrix(matrix, tmp_path, "m")
    found = stored_matrix(tmp_path, "m")
    assert found.shape == (6, 4) and np.array_equal(found[rows], matrix[rows])


@pytest.mark.parametrize("rows", ROWS, ids=str)
@pytest.mark.parametrize("density", [0.0, 0.4])
def test_rows_of_a_stored_table_are_those_of_the_table(density: float, rows: np.ndarray | slice, tmp_path: Path) -> None:
    table = csr_array(random_array((6, 5), density=density, rng=np.random.default_rng(1)))
    store_table(table, tmp_path, "t")
    found = StoredTable(tmp_path, "t", (6, 5))[rows]
    assert found.dtype == table.dtype and np.array_equal(found.toarray(), table[rows].toarray())


def test_rows_that_were_taken_stay_when_the_file_is_gone(matrix: np.ndarray, tmp_path: Path) -> None:
    """They are copies: nothing holds the file's pages once a look is over."""
    store_matrix(matrix, tmp_path, "m")
    store_table(csr_array(matrix), tmp_path, "t")
    rows, sparse = stored_matrix(tmp_path, "m")[:3], StoredTable(tmp_path, "t", (6, 4))[:3]
    assert type(rows) is np.ndarray and rows.flags.owndata
    assert not any(isinstance(part, np.memmap) for part in (sparse.data, sparse.indices, sparse.indptr))
    for path in tmp_path.iterdir():
        path.write_bytes(b"")
    assert np.array_equal(rows, matrix[:3]) and np.array_equal(sparse.toarray(), matrix[:3])


def test_rows_at_hand_need_no_file_and_all_others_come_from_it(matrix: np.ndarray, tmp_path: Path) -> None:
    store_matrix(matrix, tmp_path, "m")
    store_table(csr_array(matrix), tmp_path, "t")
    held, numbers = np.array([4, 1, 1, 5], dtype=np.int32), np.array([5, 1, 5], dtype=np.int32)
    rows, sparse = at_hand(stored_matrix(tmp_path, "m"), held), at_hand(StoredTable(tmp_path, "t", (6, 4)), held)
    for other in (np.array([0, 1], dtype=np.int32), np.array([-1], dtype=np.int32), slice(None)):
        assert np.array_equal(rows[other], matrix[other]) and np.array_equal(sparse[other].toarray(), matrix[other])
    for path in tmp_path.iterdir():
        path.unlink()
    assert np.array_equal(rows[numbers], matrix[numbers]) and np.array_equal(sparse[numbers].toarray(), matrix[numbers])
    with pytest.raises(FileNotFoundError):
        rows[np.array([0], dtype=np.int32)]


def test_no_rows_at_hand_and_tables_in_memory_give_what_they_gave(matrix: np.ndarray, tmp_path: Path) -> None:
    store_matrix(matrix, tmp_path, "m")
    nothing = at_hand(stored_matrix(tmp_path, "m"), np.array([], dtype=np.int32))
    assert np.array_equal(nothing[np.array([2], dtype=np.int32)], matrix[[2]])
    assert at_hand(matrix, np.array([1], dtype=np.int32)) is matrix
