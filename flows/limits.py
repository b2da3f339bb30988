"""How many runs may work on one store at once: a concurrency limit of the Prefect server, if it has one for the store."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prefect.client.orchestration import get_client
from prefect.client.schemas.responses import GlobalConcurrencyLimitResponse
from prefect.concurrency.sync import concurrency
from prefect.exceptions import ObjectNotFound
from prefect.logging import get_run_logger

from pipeline_lib.storage.fingerprint import digest

LEASE_SECONDS = 60.0  # the shortest that Prefect grants; a killed run keeps its place for that long


def store_limit(root: str) -> str:
    """Name of the limit of the store at ``root``. A hash: a root may say more than the server's lists should."""
    whole = root if "://" in root else str(Path(root).resolve())
    return f"spanferry-store-{digest(whole.rstrip('/'))[:12]}"


@contextmanager
def occupy(root: str) -> Iterator[None]:
    """Within a flow: hold one of the store's places, waiting for it if need be. A server without such a limit grants every run one."""
    name = store_limit(root)
    limit = _find(name)
    if limit is None or not limit.active:
        yield
        return
    if limit.active_slots >= limit.limit:
        get_run_logger().info("waiting for a place on the store: %d runs at once (limit %s)", limit.limit, name)
    with concurrency(name, lease_duration=LEASE_SECONDS):
        yield


def _find(name: str) -> GlobalConcurrencyLimitResponse | None:
    with get_client(sync_client=True) as client:
        try:
            return client.read_global_concurrency_limit_by_name(name)
        except ObjectNotFound:
            return None
