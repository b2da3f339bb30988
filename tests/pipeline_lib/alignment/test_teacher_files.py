from pathlib import Path

import numpy as np
import pytest

from pipeline_lib.alignment.cost import CostConfig, document_cost
from pipeline_lib.alignment.fitted import PairTypes, Teachers
from pipeline_lib.alignment.stored import StoredMatrix, StoredTable
from pipeline_lib.alignment.teacher_files import VIEWS, load_teachers, load_vocabulary, save_teachers
from pipeline_lib.alignment.views import typed
from tests.pipeline_lib.alignment.toys import fitted, translated


@pytest.fixture(scope="module")
def pairs() -> list[PairTypes]:
    return translated(seed=1, documents=8)


@pytest.fixture(scope="module")
def teachers(pairs: list[PairTypes]) -> Teachers:
    return fitted(pairs)


@pytest.fixture(scope="module")
def folder(teachers: Teachers, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("teachers")
    save_teachers(teachers, folder)
    return folder


def test_saved_teachers_are_read_back_as_they_were(teachers: Teachers, folder: Path) -> None:
    back = load_teachers(folder)
    for side in ("source", "target"):
        assert getattr(back, side).types == getattr(teachers, side).types == load_vocabulary(folder, side).types
        assert np.array_equal(getattr(back, side).counts, getattr(teachers, side).counts)
    for name in VIEWS:
        assert getattr(back, name).shape == getattr(teachers, name).shape
        assert np.array_equal(getattr(back, name)[:], getattr(teachers, name))
    assert back.lexical.shape == teachers.lexical.shape and (back.lexical != teachers.lexical).nnz == 0
    for one, other in (
        (back.translation.forward, teachers.translation.forward),
        (back.translation.backward, teachers.translation.backward),
    ):
        assert np.array_equal(one.empty, other.empty) and np.array_equal(one.jumps, other.jumps)
        assert one.table.shape == other.table.shape and (one.table[:] != other.table).nnz == 0


def test_what_is_as_large_as_the_vocabulary_stays_in_its_file(folder: Path) -> None:
    back = load_teachers(folder)
    assert all(isinstance(getattr(back, name), StoredMatrix) for name in VIEWS)
    assert isinstance(back.translation.forward.table, StoredTable) and isinstance(back.translation.backward.table, StoredTable)


def test_teachers_in_files_say_what_those_in_memory_say(pairs: list[PairTypes], teachers: Teachers, folder: Path) -> None:
    for pair in pairs[:2]:
        source, target = typed([*pair.source, "nuncavisto"], teachers.source), typed(pair.target, teachers.target)
        (cost, _, found), (again, _, found_again) = (
            document_cost(source, target, pair.groups, those, CostConfig()) for those in (teachers, load_teachers(folder))
        )
        assert np.array_equal(cost, again)
        assert np.array_equal(found.forward.data, found_again.forward.data)
        assert np.array_equal(found.backward.data, found_again.backward.data)


def test_teachers_in_files_can_be_saved_again(folder: Path, tmp_path: Path) -> None:
    save_teachers(load_teachers(folder), tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {path.name: path.read_bytes() for path in folder.iterdir()}
