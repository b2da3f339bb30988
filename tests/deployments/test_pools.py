"""Work pools, the limit of the store, and blocks with its credentials."""

from pathlib import Path

import pytest
from prefect.blocks.system import Secret
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolUpdate

from deployments.deploy import Deployed
from deployments.jobs import template
from deployments.pools import CREDENTIALS, set_credentials, set_pool, set_store_limit
from deployments.site import Site, SiteError
from flows.limits import store_limit
from tests.deployments.sites import in_containers


def test_the_gpu_pool_takes_as_many_runs_as_there_are_gpus(deployed: Deployed, client: SyncPrefectClient) -> None:
    cpu, gpu = client.read_work_pool("cpu"), client.read_work_pool("gpu")
    assert (cpu.type, cpu.concurrency_limit) == ("process", None)
    assert (gpu.type, gpu.concurrency_limit) == ("process", 1)


def test_a_pool_has_our_job_template(deployed: Deployed, deployed_site: Site, client: SyncPrefectClient) -> None:
    for pool in deployed.pools:
        assert client.read_work_pool(pool).base_job_template == template(deployed_site, pool)


def test_a_paused_pool_stays_paused(deployed: Deployed, deployed_site: Site, client: SyncPrefectClient) -> None:
    client.update_work_pool("gpu", WorkPoolUpdate(is_paused=True))
    set_pool(client, deployed_site, "gpu")
    assert client.read_work_pool("gpu").is_paused
    client.update_work_pool("gpu", WorkPoolUpdate(is_paused=False))


def test_a_pool_of_another_type_is_refused_with_the_way_out(deployed: Deployed, client: SyncPrefectClient, tmp_path: Path) -> None:
    with pytest.raises(SiteError, match="work pool cpu is of type process and cannot become docker: delete it"):
        set_pool(client, in_containers(tmp_path, "docker"), "cpu")


def test_the_store_has_a_limit_that_follows_the_site(deployed: Deployed, deployed_site: Site, client: SyncPrefectClient) -> None:
    assert deployed.limit == store_limit(deployed_site.store.root)
    assert client.read_global_concurrency_limit_by_name(deployed.limit).limit == 2
    more = deployed_site.store.model_copy(update={"runs": 5})
    set_store_limit(client, deployed_site.model_copy(update={"store": more}))
    assert client.read_global_concurrency_limit_by_name(deployed.limit).limit == 5
    set_store_limit(client, deployed_site)


def test_blocks_are_made_from_the_environment_and_then_found(
    deployed_site: Site, client: SyncPrefectClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in CREDENTIALS.values():
        monkeypatch.delenv(variable, raising=False)
    asking = deployed_site.model_copy(update={"credentials": "blocks"})
    with pytest.raises(SiteError, match="no block spanferry-store-key: deploy once with AWS_ACCESS_KEY_ID"):
        set_credentials(client, asking)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a secret")
    assert set_credentials(client, deployed_site) == []
    assert set_credentials(client, asking) == ["spanferry-store-key", "spanferry-store-secret"]
    for variable in CREDENTIALS.values():
        monkeypatch.delenv(variable)
    assert set_credentials(client, asking) == []
    assert Secret.load("spanferry-store-secret").get() == "a secret"
