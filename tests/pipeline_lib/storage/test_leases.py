import json
import logging
import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline_lib.storage.leases import Lease, LeaseLost, Pace, StoreBusy, dead_leases, holders, lease
from pipeline_lib.storage.place import StoreError, StoreUnavailable
from pipeline_lib.storage.store import Store
from tests.pipeline_lib.storage.toy_store import age

QUICK = Pace(renew=0.05, dead=30, wait=0.02)


def kinds(store: Store) -> list[str]:
    return [file.key.split("/")[1].split("-")[0] for file in store.files("leases")]


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


def test_a_run_waits_for_a_collection_and_says_so_once(anywhere: Store, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    entered, order = threading.Event(), []

    def run() -> None:
        with lease(anywhere, "run-1", "run", QUICK):
            order.append("run")
            entered.set()

    with lease(anywhere, "garbage collection", "gc", QUICK):
        thread = threading.Thread(target=run)
        thread.start()
        assert not entered.wait(0.5)
        order.append("collected")
    thread.join()
    assert order == ["collected", "run"]
    assert [record.getMessage().split(" on ")[0] for record in caplog.records] == [
        "waiting for the garbage collection to end: garbage collection"
    ]


def test_of_runs_and_collections_that_start_together_no_two_kinds_are_at_work(here: Store) -> None:
    """The law of the protocol, tried by many threads."""
    at_work: set[str] = set()
    worked: list[str] = []
    guard, together = threading.Lock(), []

    def work(kind: str, number: int) -> None:
        for turn in range(12):
            time.sleep(random.Random(number * 100 + turn).random() * 0.02)
            try:
                with lease(here, f"{kind}-{number}", kind, QUICK):  # type: ignore[arg-type]
                    with guard:
                        at_work.add(f"{kind}-{number}")
                        together.append({name.split("-")[0] for name in at_work})
                        worked.append(kind)
                    time.sleep(0.005)
                    with guard:
                        at_work.remove(f"{kind}-{number}")
            except StoreBusy:
                continue

    with ThreadPoolExecutor(5) as pool:
        for future in [pool.submit(work, kind, number) for number, kind in enumerate(["run", "run", "gc", "gc", "gc"])]:
            future.result()
    assert worked.count("run") == 24 and worked.count("gc") > 0
    assert all(len(kinds) == 1 for kinds in together)
    assert here.files("leases") == []


def test_each_side_writes_before_it_looks(here: Store) -> None:
    """What one of two sees that begin at the same moment."""
    run, collection = Lease(here, "run-1", "run", QUICK), Lease(here, "gc", "gc", QUICK)
    assert [holder.kind for holder in run.look()[1]] == ["gc"]
    assert [holder.kind for holder in collection.look()[1]] == ["run"]


def test_a_lease_that_is_not_renewed_dies_and_hinders_nobody(anywhere: Store) -> None:
    pace = Pace(renew=60, dead=1.5, wait=0.02)
    Lease(anywhere, "killed", "run", pace)
    Lease(anywhere, "killed", "gc", pace)
    with pytest.raises(StoreBusy), lease(anywhere, "garbage collection", "gc", pace):
        raise AssertionError("went on")
    time.sleep(3)
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
        time.sleep(0.5)
        (renewed,) = here.files("leases")
        assert renewed.modified >= file.modified


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


def test_a_store_that_does_not_answer_for_a_moment_ends_no_run(
    here: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    touch, failures = Store.touch, iter([True, True])

    def flaky(store: Store, key: str) -> None:
        if next(failures, False) and threading.current_thread().name == "lease":
            raise StoreUnavailable("no answer")
        touch(store, key)

    with lease(here, "run-1", "run", QUICK) as held:
        monkeypatch.setattr(Store, "touch", flaky)
        time.sleep(0.5)
        held.check()
    assert [record.getMessage().split(";")[0] for record in caplog.records] == ["the lease of run-1 could not be renewed"] * 2


def test_what_was_done_stays_done_when_the_lease_cannot_be_removed(
    here: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(store: Store, key: str) -> None:
        raise StoreUnavailable("no answer")

    with lease(here, "run-1", "run", QUICK):
        monkeypatch.setattr(Store, "remove", fail)
    assert "could not be removed" in caplog.text


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
