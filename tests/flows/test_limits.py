"""Places on a store: taken while a run works, waited for, and no matter where a server has no such limit."""

import threading
import time
from uuid import uuid4

import pytest
from prefect import flow
from prefect.client.orchestration import get_client

from flows.limits import occupy, store_limit


@flow(name="takes a place")
def active_within(root: str) -> int | None:
    with occupy(root):
        return active(root)


def active(root: str) -> int | None:
    """Places taken; None where the server has no such limit."""
    with get_client(sync_client=True) as client:
        found = {limit.name: limit.active_slots for limit in client.read_global_concurrency_limits(limit=200)}
    return found.get(store_limit(root))


def limited(places: int) -> str:
    root = f"s3://bucket/{uuid4().hex}"
    with get_client(sync_client=True) as client:
        client.upsert_global_concurrency_limit_by_name(store_limit(root), places)
    return root


def test_a_store_has_one_name_however_its_root_is_written() -> None:
    assert store_limit("s3://bucket/prefix") == store_limit("s3://bucket/prefix/") != store_limit("s3://bucket/other")
    assert store_limit("store") == store_limit("./store/")
    assert store_limit("s3://bucket/prefix").startswith("spanferry-store-") and len(store_limit("store")) == len("spanferry-store-") + 12


def test_without_a_limit_on_the_server_a_run_goes_on_and_nothing_is_said(prefect_server: None, caplog: pytest.LogCaptureFixture) -> None:
    assert active_within("s3://bucket/unlimited") is None
    assert "limit" not in caplog.text


def test_a_run_takes_a_place_and_gives_it_back(prefect_server: None) -> None:
    root = limited(2)
    assert active_within(root) == 1
    assert active(root) == 0


def test_a_run_waits_for_its_place(prefect_server: None) -> None:
    root, entered, leave = limited(1), threading.Event(), threading.Event()
    done = list[float]()

    @flow(name="keeps a place")
    def keep() -> None:
        with occupy(root):
            entered.set()
            leave.wait(60)

    def second() -> None:
        active_within(root)
        done.append(time.monotonic())

    first, other = threading.Thread(target=keep), threading.Thread(target=second)
    first.start()
    assert entered.wait(60)
    other.start()
    time.sleep(1.5)
    assert not done
    left = time.monotonic()
    leave.set()
    other.join(60)
    first.join(60)
    assert done and done[0] > left and active(root) == 0
