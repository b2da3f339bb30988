from typing import Any

import pytest

from flows import events
from flows.alerts import AlertConfig
from flows.events import alert, tell_repaired
from tests.flows.lastly import went

CONFIG = AlertConfig()


@pytest.fixture
def emitted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, str], dict[str, Any]]]:
    """(event, resource, payload) of everything emitted."""
    heard: list[tuple[str, dict[str, str], dict[str, Any]]] = []
    monkeypatch.setattr(events, "emit_event", lambda event, resource, payload: heard.append((event, resource, payload)))
    return heard


def test_a_worse_run_is_told_with_both_runs_and_their_figures(emitted: list[Any]) -> None:
    now = went("run-0000000000bb", char=0.8, rejects={"scan": {"not_utf8": 40}})
    alert("0123456789ab", went(), now, CONFIG)
    resource = {"prefect.resource.id": "spanferry.collection.0123456789ab", "prefect.resource.name": "corpus"}
    runs = {"run": "run-0000000000bb", "last_run": "run-0000000000aa"}
    assert emitted == [
        ("spanferry.quality.dropped", resource, {**runs, "changes": {"en": {"last": 0.9, "now": 0.8}}}),
        ("spanferry.rejects.rose", resource, {**runs, "changes": {"rejects": {"last": 0.1, "now": 0.4}}}),
    ]


def test_neither_a_first_run_nor_a_run_as_good_is_told(emitted: list[Any]) -> None:
    alert("0123456789ab", None, went(), CONFIG)
    alert("0123456789ab", went(), went("run-0000000000bb"), CONFIG)
    assert emitted == []


def test_a_collection_without_a_plain_name_is_called_by_its_digest(emitted: list[Any]) -> None:
    alert("0123456789ab", went(), went(char=0.1, corpus=None), CONFIG)
    assert emitted[0][1]["prefect.resource.name"] == "0123456789ab"


def test_every_repaired_artifact_is_told_by_its_key(emitted: list[Any]) -> None:
    tell_repaired("units", ["units/es/a.parquet", "units/es/b.parquet"])
    assert [(event, resource["prefect.resource.id"], payload) for event, resource, payload in emitted] == [
        ("spanferry.artifact.repaired", f"spanferry.artifact.{key}", {"stage": "units", "artifact": key})
        for key in ("units/es/a.parquet", "units/es/b.parquet")
    ]
