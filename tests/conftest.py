"""What the whole suite shares."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

# A law holds on a busy machine too: examples are not timed.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Of tests/fuzz; here, because pytest takes options from the first conftest it reads."""
    fuzz = parser.getgroup("fuzz")
    fuzz.addoption(
        "--examples", type=int, help="examples of all properties of tests/fuzz together, new ones each time; without it a few, fixed"
    )
    fuzz.addoption("--mutants", type=int, default=300, help="mutated files that tests/fuzz reads")
    fuzz.addoption("--mutation-seed", type=int, default=0, help="what the mutants are drawn from: the same seed, the same files")


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One Prefect server for all tests that need one: starting it takes 12 to 20 seconds."""
    os.environ |= {
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_HOME": str(tmp_path_factory.mktemp("prefect")),
        "PREFECT_LOGGING_LEVEL": "WARNING",
    }
    # Imported here: Prefect reads the settings above when it is imported.
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=120):
        yield
