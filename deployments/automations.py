"""Automations of the server: dead runs are cleared; two examples of what can follow an alert."""

from datetime import timedelta

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState, PauseDeployment
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification

TAG = "spanferry"  # on every deployment, and so on every run of one
HEARTBEAT = "prefect.flow-run.heartbeat"
# After one of these no heartbeat is due any more.
RESTS = ("Completed", "Failed", "Crashed", "Cancelled", "Cancelling", "TimedOut", "Paused", "Suspended", "AwaitingRetry")
SILENCE = timedelta(seconds=90)  # three heartbeats

# Other flows of the server may send fewer heartbeats: only runs with our tag are held to ours.
_OURS = {"prefect.resource.role": "tag", "prefect.resource.id": f"prefect.tag.{TAG}"}

ZOMBIES = AutomationCore(
    name="spanferry: clear dead runs",
    description="A run that was killed with its worker stays Running and blocks its pool; without a heartbeat for 90 s it is Crashed.",
    trigger=EventTrigger(
        after={HEARTBEAT},
        expect={HEARTBEAT, *(f"prefect.flow-run.{state}" for state in RESTS)},
        match=ResourceSpecification({"prefect.resource.id": "prefect.flow-run.*"}),
        match_related=ResourceSpecification(_OURS),
        for_each={"prefect.resource.id"},
        posture=Posture.Proactive,
        threshold=1,
        within=SILENCE,
    ),
    actions=[ChangeFlowRunState(state=StateType.CRASHED, message="no heartbeat for 90 seconds: the process or its machine is gone")],
)


def _pause_after(event: str, name: str) -> AutomationCore:
    return AutomationCore(
        name=name,
        description=f"Example, off at first: after {event} the deployment that sent it is paused until somebody resumes it.",
        enabled=False,
        trigger=EventTrigger(expect={event}, match=ResourceSpecification({"prefect.resource.id": "*"}), posture=Posture.Reactive),
        actions=[PauseDeployment(source="inferred")],
    )


EXAMPLES = (
    _pause_after("spanferry.quality.dropped", "spanferry: pause a collection whose quality dropped"),
    _pause_after("spanferry.rejects.rose", "spanferry: pause a collection whose rejects rose"),
)


def set_automation(client: SyncPrefectClient, automation: AutomationCore) -> None:
    """Create it or bring it up to date; one that somebody has switched on or off stays so."""
    found = client.read_automations_by_name(automation.name)
    if not found:
        client.create_automation(automation)
        return
    # Prefect sends what was set only, not even an action's type if that is the default, and its server then takes the action for another.
    # Validated from a dump, every field is set.
    whole = AutomationCore.model_validate(automation.model_dump(mode="json", exclude={"owner_resource"}) | {"enabled": found[0].enabled})
    client.update_automation(found[0].id, whole)
