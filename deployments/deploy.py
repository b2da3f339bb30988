"""Brings a Prefect server up to date with a site: work pools, limit, credentials, deployments, automations. As often as you like."""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from prefect import Flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy, VersionInfo
from prefect.client.schemas.schedules import CronSchedule
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ObjectNotFound
from prefect.types.entrypoint import EntrypointType

from deployments.automations import EXAMPLES, TAG, ZOMBIES, set_automation
from deployments.pools import set_credentials, set_pool, set_store_limit
from deployments.site import CPU, GPU, Site
from flows.landed import landed
from flows.pipeline import pipeline, project, train
from flows.remote import align_on_gpu, distill_on_gpu, embed_on_gpu, encode_on_gpu, tune_on_gpu

COLLECTION_FLOWS: dict[str, Flow[..., Any]] = {"whole": pipeline, "train": train, "project": project, "landed": landed}
GPU_FLOWS: tuple[Flow[..., Any], ...] = (embed_on_gpu, distill_on_gpu, align_on_gpu, encode_on_gpu, tune_on_gpu)

# While the run that a scan has started goes on, the next scan would start it once more.
ONE_AT_A_TIME = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)


@dataclass(frozen=True)
class Deployed:
    """What a server has of a site now. Names only."""

    pools: tuple[str, ...]
    limit: str
    blocks: tuple[str, ...]
    deployments: tuple[str, ...]

    def lines(self) -> list[str]:
        """The same for reading, a line a thing."""
        blocks = [f"blocks: {', '.join(self.blocks)}"] if self.blocks else []
        return [
            f"work pools: {', '.join(self.pools)}",
            f"limit: {self.limit}",
            *blocks,
            *(f"deployment: {name}" for name in self.deployments),
        ]


def deploy(site: Site) -> Deployed:
    """Bring the server of PREFECT_API_URL up to date with the site. Raises ``SiteError``."""
    with get_client(sync_client=True) as client:
        blocks = set_credentials(client, site)
        for pool in site.pools:
            set_pool(client, site, pool)
        limit = set_store_limit(client, site)
        names = [*_deploy_collections(client, site), *_deploy_gpu_stages(client, site)]
        for automation in (ZOMBIES, *EXAMPLES):
            set_automation(client, automation)
    return Deployed(site.pools, limit, tuple(blocks), tuple(names))


def _deploy_collections(client: SyncPrefectClient, site: Site) -> Iterator[str]:
    for name, collection in site.collections.items():
        for what, flow in COLLECTION_FLOWS.items():
            alone = ONE_AT_A_TIME if flow is landed else None
            yield _deploy(client, flow, name, CPU, parameters(site, name, what), [name, what], collection.schedules.cron(what), alone)


def _deploy_gpu_stages(client: SyncPrefectClient, site: Site) -> Iterator[str]:
    if GPU in site.pools:
        for flow in GPU_FLOWS:
            yield _deploy(client, flow, GPU, GPU, {}, [GPU])


def parameters(site: Site, name: str, what: str) -> dict[str, Any]:
    """What a site says of a collection's runs, as far as the flow has a parameter for it."""
    collection = site.collections[name]
    said = {
        "config": site.config(name).model_dump(mode="json"),
        "corpus": collection.corpus,
        "source": collection.source,
        "targets": collection.targets,
        "store": site.store.root,
        "out": collection.out,
        "model": collection.model if what == "project" else None,
        "gold_train": collection.gold_train,
        "support": collection.support,
    }
    own = inspect.signature(COLLECTION_FLOWS[what].fn).parameters
    return {key: value for key, value in said.items() if key in own and value is not None}


def _deploy(
    client: SyncPrefectClient,
    flow: Flow[..., Any],
    name: str,
    pool: str,
    given: dict[str, Any],
    tags: list[str],
    schedule: CronSchedule | None = None,
    limit: ConcurrencyLimitConfig | None = None,
) -> str:
    """Create a deployment or bring it up to date; one that somebody has paused stays paused."""
    full = f"{flow.name}/{name}"
    try:
        paused = client.read_deployment_by_name(full).paused
    except ObjectNotFound:
        paused = False
    deployment = RunnerDeployment.from_flow(
        flow,
        name,
        work_pool_name=pool,
        parameters=given,
        schedules=[schedule] if schedule else [],
        paused=paused,
        concurrency_limit=limit,
        tags=[TAG, *tags],
        version=version("spanferry"),
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    # With a version given, Prefect asks no git about whatever folder this is run in.
    deployment.apply(version_info=VersionInfo(type="prefect:simple", version=version("spanferry")))
    return full
