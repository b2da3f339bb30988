"""What the tests of the flows share. None of it is to be changed: tests that write work on a copy."""

import pytest

from pipeline_lib.storage.store import Store
from tests.flows.parts import Parts, run_parts
from tests.flows.students import make_students


@pytest.fixture(scope="session")
def parts(tmp_path_factory: pytest.TempPathFactory, prefect_server: None) -> Parts:
    """One run, part by part."""
    return run_parts(tmp_path_factory.mktemp("parts"))


@pytest.fixture(scope="session")
def students(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with students of either kind and the records of their runs."""
    return make_students(tmp_path_factory.mktemp("students"))
