"""Automations: which runs count as dead, what the examples do, and that a switch stays as somebody put it."""

from datetime import timedelta

import pytest
from prefect.automations import Automation
from prefect.client.orchestration import SyncPrefectClient
from prefect.events.actions import ChangeFlowRunState, PauseDeployment
from prefect.events.schemas.automations import EventTrigger, Posture

from deployments.automations import EXAMPLES, HEARTBEAT, SILENCE, ZOMBIES, set_automation
from deployments.deploy import Deployed
from deployments.jobs import ENVIRONMENT


def test_a_run_is_dead_after_three_heartbeats_that_did_not_come() -> None:
    assert timedelta(seconds=3 * int(ENVIRONMENT["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"])) == SILENCE
    trigger = ZOMBIES.trigger
    assert isinstance(trigger, EventTrigger) and trigger.posture == Posture.Proactive and trigger.within == SILENCE
    assert trigger.after == {HEARTBEAT} and trigger.for_each == {"prefect.resource.id"}
    action = ZOMBIES.actions[0]
    assert isinstance(action, ChangeFlowRunState) and action.state == "CRASHED" and not action.force


@pytest.mark.parametrize("state", ["Completed", "Failed", "Crashed", "Cancelled", "Suspended"])
def test_a_run_that_ended_owes_no_heartbeat(state: str) -> None:
    assert isinstance(ZOMBIES.trigger, EventTrigger) and f"prefect.flow-run.{state}" in ZOMBIES.trigger.expect


def test_only_our_runs_are_held_to_our_heartbeat() -> None:
    assert isinstance(ZOMBIES.trigger, EventTrigger)
    assert "prefect.tag.spanferry" in str(ZOMBIES.trigger.match_related)


def test_the_server_has_them_and_the_examples_are_off(deployed: Deployed) -> None:
    assert Automation.read(name=ZOMBIES.name).enabled
    for example in EXAMPLES:
        found = Automation.read(name=example.name)
        assert not found.enabled and isinstance(found.actions[0], PauseDeployment)


def test_an_automation_that_is_set_again_is_the_same(deployed: Deployed, client: SyncPrefectClient) -> None:
    for automation in (ZOMBIES, *EXAMPLES):
        for _ in range(2):
            set_automation(client, automation)
            found = client.read_automations_by_name(automation.name)[0]
            assert (found.trigger, found.actions) == (automation.trigger, automation.actions)


def test_an_example_that_somebody_switched_on_stays_on_and_there_is_one_of_it(deployed: Deployed, client: SyncPrefectClient) -> None:
    found = Automation.read(name=EXAMPLES[0].name)
    found.enable()
    set_automation(client, EXAMPLES[0])
    again = client.read_automations_by_name(EXAMPLES[0].name)
    assert [(one.id, one.enabled) for one in again] == [(found.id, True)]
    found.disable()
