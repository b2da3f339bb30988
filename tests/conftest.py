"""What the whole suite shares."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

# A law holds on a busy machine too: examples are not timed.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


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
