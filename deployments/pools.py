"""Work pools ``cpu`` and ``gpu``, the limit of the store and the blocks with its credentials, on the server of PREFECT_API_URL."""

import os

from prefect.blocks.system import Secret
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.exceptions import ObjectNotFound

from deployments.jobs import template
from deployments.site import GPU, Site, SiteError
from flows.limits import store_limit

DESCRIPTIONS = {
    "cpu": "spanferry: everything that needs no GPU",
    "gpu": "spanferry: stages that want a GPU; the limit is the number of GPUs",
}
CREDENTIALS = {"spanferry-store-key": "AWS_ACCESS_KEY_ID", "spanferry-store-secret": "AWS_SECRET_ACCESS_KEY"}


def set_pool(client: SyncPrefectClient, site: Site, pool: str) -> None:
    """Create a work pool or bring it up to date; one that somebody has paused stays paused."""
    limit = site.gpu.workers if pool == GPU else None
    job, description = template(site, pool), DESCRIPTIONS[pool]
    try:
        found = client.read_work_pool(pool)
    except ObjectNotFound:
        client.create_work_pool(
            WorkPoolCreate(name=pool, type=site.infrastructure, description=description, base_job_template=job, concurrency_limit=limit)
        )
        return
    if found.type != site.infrastructure:
        raise SiteError(
            f"work pool {pool} is of type {found.type} and cannot become {site.infrastructure}: "
            f"delete it (prefect work-pool delete {pool}), then deploy again"
        )
    client.update_work_pool(pool, WorkPoolUpdate(description=description, base_job_template=job, concurrency_limit=limit))


def set_store_limit(client: SyncPrefectClient, site: Site) -> str:
    """How many runs may work on the store at once; returns the limit's name."""
    name = store_limit(site.store.root)
    client.upsert_global_concurrency_limit_by_name(name, site.store.runs)
    return name


def set_credentials(client: SyncPrefectClient, site: Site) -> list[str]:
    """With ``credentials = "blocks"``: the blocks are made from this process's AWS_* variables, or there already. Those made."""
    if site.credentials != "blocks":
        return []
    made = []
    for block, variable in CREDENTIALS.items():
        if value := os.environ.get(variable):
            Secret(value=value).save(block, overwrite=True)
            made.append(block)
            continue
        try:
            client.read_block_document_by_name(block, "secret", include_secrets=False)
        except ObjectNotFound:
            raise SiteError(f"there is no block {block}: deploy once with {variable} in the environment, or make it in the UI") from None
    return made
