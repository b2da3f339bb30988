import json
import logging
import os
import random
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from pathlib import Path

import pytest

from pipeline_lib.storage.leases import Lease, LeaseLost, Pace, StoreBusy, dead_leases, holders, lease
from pipeline_lib.storage.place import StoreError, StoreUnavailable
from pipeline_lib.storage.store import Store
from tests.pipeline_lib.storage.toy_store import age

QUICK = Pace(renew=0.05, dead=30, wait=0.02)


def kinds(store: Store) -> list[str]:
    return [file.key.split("/")[1].split("-")[0] for file in store.files("leases")]


class Said(logging.Handler):
    """What the leases log, without the particulars of this machine."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(re.split(" on |;", record.getMessage())[0])


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Said:
    """Heard by nobody else: Prefect, once another test has imported it, minds a log outside of a flow."""
    said, logger = Said(), logging.getLogger("pipeline_lib.storage.leases")
    monkeypatch.setattr(logger, "propagate", False)
    monkeypatch.setattr(logger, "handlers", [said])
    return said


def wait_until(true: Callable[[], bool]) -> None:
    """Whatever else this machine does meanwhile."""
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.02)


@pytest.mark.parametrize("kind", ["run", "gc"])
def test_a_lease_is_there_while_its_owner_works_and_then_gone(kind: str, anywhere: Store) -> None:
    with lease(anywhere, "run-1", kind, QUICK):  # type: ignore[arg-type]
        (file,) = anywhere.files("leases")
        record = anywhere.read_record(file.key)
        assert record is not None and (record["name"], record["pid"]) == ("run-1", os.getpid())
        assert record.keys() == {"name", "host", "pid", "since"}
    assert anywhere.files("leases") == []


def test_a_lease_goes_when_its_owner_fails(here: Store) -> None:
    with pytest.raises(ZeroDivisionError), lease(here, "run-1", "run", QUICK):
        raise ZeroDivisionError
    assert here.files("leases") == []


def test_a_collection_refuses_while_a_run_is_at_work_and_names_it(anywhere: Store) -> None:
    with (
        lease(anywhere, "clinic es-en", "run", QUICK),
        pytest.raises(StoreBusy, match=rf"nothing was removed: run clinic es-en on \S+ \(pid {os.getpid()}, since .*, renewed \d+ s ago\)"),
        lease(anywhere, "garbage collection", "gc", QUICK),
    ):
        raise AssertionError("went on")
    assert anywhere.files("leases") == [], "it has withdrawn"


def test_a_collection_refuses_while_another_is_at_work(here: Store) -> None:
    with lease(here, "garbage collection", "gc", QUICK):
        with pytest.raises(StoreBusy, match="in use"), lease(here, "garbage collection", "gc", QUICK):
            raise AssertionError("went on")
        assert kinds(here) == ["gc"], "the first one's stays"


def test_runs_do_not_mind_each_other(here: Store) -> None:
    with lease(here, "run-1", "run", QUICK), lease(here, "run-2", "run", QUICK):
        assert kinds(here) == ["run", "run"]


def test_a_run_waits_for_a_collection_and_says_so_once(anywhere: Store, said: Said) -> None:
    order: list[str] = []

    def run() -> None:
        with lease(anywhere, "run-1", "run", QUICK):
            order.append("run")

    with lease(anywhere, "garbage collection", "gc", QUICK):
        thread = threading.Thread(target=run)
        thread.start()
        wait_until(lambda: bool(said.messages))
        time.sleep(10 * QUICK.wait)
        order.append("collected")
    thread.join()
    assert order == ["collected", "run"]
    assert said.messages == ["waiting for the garbage collection to end: garbage collection"]


def test_of_runs_and_collections_that_start_together_no_two_kinds_are_at_work(here: Store, said: Said) -> None:
    """The law of the protocol, tried by many threads."""
    at_work: set[str] = set()
    worked: list[str] = []
    guard, together = threading.Lock(), []

    def work(kind: str, number: int, turns: int) -> None:
        pause = random.Random(number)
        while turns:
            time.sleep(pause.random() * 0.05)
            try:
                with lease(here, f"{kind}-{number}", kind, QUICK):  # type: ignore[arg-type]
                    with guard:
                        at_work.add(f"{kind}-{number}")
                        together.append({name.split("-")[0] for name in at_work})
                        worked.append(kind)
                    time.sleep(0.005)
                    with guard:
                        at_work.remove(f"{kind}-{number}")
                turns -= 1
            except StoreBusy:
                continue

    workers = [("run", 12), ("run", 12), ("gc", 2), ("gc", 2), ("gc", 2)]
    with ThreadPoolExecutor(5) as pool:
        for future in [pool.submit(work, kind, number, turns) for number, (kind, turns) in enumerate(workers)]:
            future.result()
    assert (worked.count("run"), worked.count("gc")) == (24, 6)
    assert all(len(kinds) == 1 for kinds in together)
    assert set(said.messages) <= {f"waiting for the garbage collection to end: gc-{number}" for number in range(5)}
    assert here.files("leases") == []


def test_each_side_writes_before_it_looks(here: Store) -> None:
    """What one of two sees that begin at the same moment."""
    run, collection = Lease(here, "run-1", "run", QUICK), Lease(here, "gc", "gc", QUICK)
    assert [holder.kind for holder in run.look()[1]] == ["gc"]
    assert [holder.kind for holder in collection.look()[1]] == ["run"]


def test_a_lease_that_is_not_renewed_dies_and_hinders_nobody(anywhere: Store) -> None:
    pace = Pace(renew=60, dead=4, wait=0.02)
    Lease(anywhere, "killed", "run", pace)
    Lease(anywhere, "killed", "gc", pace)
    with pytest.raises(StoreBusy), lease(anywhere, "garbage collection", "gc", pace):
        raise AssertionError("went on")
    if "://" in anywhere.root:
        time.sleep(6)
    else:
        for file in anywhere.files("leases"):
            age(anywhere, file.key, 6)
    with lease(anywhere, "run-1", "run", pace):
        pass
    with lease(anywhere, "garbage collection", "gc", pace) as held:
        clock, others = held.look()
        assert others == []
        assert len(dead_leases(anywhere.files("leases"), clock, pace.dead)) == 2


def test_ages_are_the_stores_whatever_the_clock_of_this_machine_says(here: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    Lease(here, "run-1", "run", QUICK)
    held = Lease(here, "gc", "gc", QUICK)
    real = time.time
    monkeypatch.setattr("time.time", lambda: real() + 86400)
    clock, others = held.look()
    assert abs(clock - real()) < 60
    assert [(holder.name, round(holder.age / 10)) for holder in others] == [("run-1", 0)]


def test_a_lease_is_renewed_while_its_owner_works(here: Store) -> None:
    with lease(here, "run-1", "run", QUICK):
        (file,) = here.files("leases")
        age(here, file.key, 3600)
        wait_until(lambda: here.files("leases")[0].modified >= file.modified)


def test_who_may_have_been_taken_for_dead_is_told_so(here: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with lease(here, "garbage collection", "gc", Pace(renew=60, dead=30, wait=0.02)) as held:
        held.check()
        real = time.time
        monkeypatch.setattr("time.time", lambda: real() + 31)
        with pytest.raises(LeaseLost, match="the lease of garbage collection was not renewed for 30 s"):
            held.check()
        held.renew()
        with pytest.raises(LeaseLost):
            held.check()


def test_a_lease_that_somebody_removed_is_written_anew_and_lost(here: Store) -> None:
    held = Lease(here, "run-1", "run", QUICK)
    here.remove(held.key)
    held.renew()
    assert [file.key for file in here.files("leases")] == [held.key]
    with pytest.raises(LeaseLost):
        held.check()


def test_what_the_renewing_thread_logs_is_known_to_be_of_its_owner(here: Store) -> None:
    """Prefect files a log under the flow run of the context."""
    owner: ContextVar[str] = ContextVar("owner", default="nobody")
    seen: list[str] = []

    class Watched(Store):
        def touch(self, key: str) -> None:
            seen.extend([owner.get()] * (threading.current_thread().name == "lease"))
            super().touch(key)

    owner.set("run-1")
    with lease(Watched(here.root), "run-1", "run", QUICK):
        wait_until(lambda: bool(seen))
    assert set(seen) == {"run-1"}


def test_a_store_that_does_not_answer_for_a_moment_ends_no_run(here: Store, monkeypatch: pytest.MonkeyPatch, said: Said) -> None:
    touch, failures = Store.touch, iter([True, True])

    def flaky(store: Store, key: str) -> None:
        if next(failures, False) and threading.current_thread().name == "lease":
            raise StoreUnavailable("no answer")
        touch(store, key)

    with lease(here, "run-1", "run", QUICK) as held:
        monkeypatch.setattr(Store, "touch", flaky)
        wait_until(lambda: len(said.messages) == 2)
        held.check()
    assert said.messages == ["the lease of run-1 could not be renewed"] * 2


def test_what_was_done_stays_done_when_the_lease_cannot_be_removed(here: Store, monkeypatch: pytest.MonkeyPatch, said: Said) -> None:
    def fail(store: Store, key: str) -> None:
        raise StoreUnavailable("no answer")

    with lease(here, "run-1", "run", QUICK):
        monkeypatch.setattr(Store, "remove", fail)
    assert len(said.messages) == 1 and said.messages[0].endswith("could not be removed")


def test_a_listing_that_lacks_what_was_just_written_is_not_believed(here: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    held = Lease(here, "run-1", "run", QUICK)
    monkeypatch.setattr(Store, "files", lambda store, under="": [])
    with pytest.raises(StoreError, match="written and is not listed"):
        held.look()


@pytest.mark.parametrize("content", ["{", "[1]", "{}", '{"pid": "x"}'])
def test_a_lease_that_cannot_be_read_counts_all_the_same(content: str, here: Store) -> None:
    held = Lease(here, "run-1", "run", QUICK)
    (Path(here.root) / held.key).write_text(content, encoding="utf-8")
    (file,) = here.files("leases")
    assert [holder.kind for holder in holders(here, [file], file.modified)] == ["run"]


def test_other_files_beside_the_leases_are_none(here: Store) -> None:
    here.write_record("leases/notes.json", {})
    files = here.files("leases")
    assert holders(here, files, files[0].modified) == [] and dead_leases(files, files[0].modified + 9999) == []


def test_a_lease_holds_ids_and_no_place_of_this_machine(here: Store, tmp_path: Path) -> None:
    held = Lease(here, "run-1", "run", QUICK)
    assert str(tmp_path) not in json.dumps(here.read_record(held.key))
