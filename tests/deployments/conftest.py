"""A site on the tests' server, deployed once."""

from collections.abc import Iterator

import pytest
from prefect.client.orchestration import SyncPrefectClient, get_client

from deployments.deploy import Deployed, deploy
from deployments.site import Site
from tests.deployments.sites import PLAIN, site

SCHEDULED = PLAIN + 'refit = "never"\n[collections.sample.schedules]\nlanded = "*/30 * * * *"\nwhole = "0 3 * * 0"\n'


@pytest.fixture(scope="session")
def deployed_site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return site(tmp_path_factory.mktemp("site"), SCHEDULED)


@pytest.fixture(scope="session")
def deployed(deployed_site: Site, prefect_server: None) -> Deployed:
    return deploy(deployed_site)


@pytest.fixture
def client(prefect_server: None) -> Iterator[SyncPrefectClient]:
    with get_client(sync_client=True) as found:
        yield found
