"""One run, part by part, for the tests of the parts. It is not to be changed: tests that write work on a copy."""

import pytest

from tests.flows.parts import Parts, run_parts


@pytest.fixture(scope="session")
def parts(tmp_path_factory: pytest.TempPathFactory, prefect_server: None) -> Parts:
    return run_parts(tmp_path_factory.mktemp("parts"))
