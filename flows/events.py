"""What a run tells Prefect's automations: events that hold ids, counts and figures."""

from collections.abc import Iterable
from dataclasses import asdict

from prefect.events import emit_event

from flows.alerts import AlertConfig, quality_drops, rejects_rises
from flows.collection import LastRun

DROPPED = "spanferry.quality.dropped"
ROSE = "spanferry.rejects.rose"
REPAIRED = "spanferry.artifact.repaired"


def alert(collection: str, last: LastRun | None, now: LastRun, config: AlertConfig) -> None:
    """Tell where a run is worse than the last one of its collection by more than ``config`` allows."""
    if last is None:
        return
    found = {DROPPED: quality_drops(last, now, config), ROSE: rejects_rises(last, now, config)}
    resource = {"prefect.resource.id": f"spanferry.collection.{collection}", "prefect.resource.name": now.corpus or collection}
    for event, changes in found.items():
        if changes:
            payload = {"run": now.run, "last_run": last.run, "changes": {name: asdict(change) for name, change in changes.items()}}
            emit_event(event, resource, payload=payload)


def tell_repaired(stage: str, keys: Iterable[str]) -> None:
    """Tell of every artifact that was found damaged, and rebuilt."""
    for key in keys:
        resource = {"prefect.resource.id": f"spanferry.artifact.{key}", "prefect.resource.name": key}
        emit_event(REPAIRED, resource, payload={"stage": stage, "artifact": key})
