"""What the whole suite shares."""

import os
from collections.abc import Iterator
from uuid import uuid4

import boto3
import pytest
from hypothesis import settings

# Of what logs below a flow, tests call much without one. Here, since Prefect reads it when it is imported, which collecting tests does.
os.environ["PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW"] = "ignore"

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


@pytest.fixture(scope="session", autouse=True)
def seen(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What tests have read is not remembered in the user's caches."""
    os.environ["SPANFERRY_SEEN"] = str(tmp_path_factory.mktemp("seen"))


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


@pytest.fixture(scope="session")
def object_storage() -> Iterator[str]:
    """A mock S3 server on loopback, reached as a user would: through the standard AWS variables. Its endpoint."""
    # Imported here: it takes a second, and most tests need no bucket.
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    variables = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    before = {name: os.environ.get(name) for name in variables}
    os.environ |= variables
    try:
        yield endpoint
    finally:
        server.stop()
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


@pytest.fixture
def bucket(object_storage: str) -> str:
    """A new bucket's URL with a prefix."""
    return new_bucket()


def new_bucket() -> str:
    """With ``object_storage`` up: a new bucket's URL with a prefix."""
    name = f"b-{uuid4().hex}"
    boto3.client("s3").create_bucket(Bucket=name)
    return f"s3://{name}/prefix"
