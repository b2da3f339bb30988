"""The progress record of a run while it works, when it ends, and when its store fails."""

import logging
import time
from collections.abc import Callable, Iterator

import pytest

from pipeline_lib.progress import logbook as keeping
from pipeline_lib.progress.logbook import logbook
from pipeline_lib.progress.record import FOLDER, RunProgress, place, read_progress
from pipeline_lib.progress.stage_time import StageTime
from pipeline_lib.storage.place import StoreUnavailable
from pipeline_lib.storage.store import Store


@pytest.fixture
def stages() -> list[StageTime]:
    return [StageTime("ingest", 1.0, 2, 0, ended=2, shards=2, documents=10)]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(keeping, "REFRESH", 0.01)
    yield


def wait_for(known: Callable[[], object]) -> None:
    for _ in range(500):
        if known():
            return
        time.sleep(0.02)
    pytest.fail("it did not come")


def recorded(store: Store, name: str = "run-1") -> RunProgress:
    found = read_progress(store, name)
    assert found is not None
    return found


def names(store: Store) -> list[str]:
    return [file.key for file in store.files(FOLDER)]


def test_a_run_is_recorded_while_it_works_and_under_its_id_when_it_has_ended(anywhere: Store, stages: list[StageTime]) -> None:
    with logbook(anywhere, "run-1", "corpus es-en", "out", lambda: stages) as book:
        wait_for(lambda: read_progress(anywhere, "run-1"))
        working = recorded(anywhere)
        book.run = "run-abc"
    assert (working.state, working.run, working.out, [stage.stage for stage in working.stages]) == ("at work", "", place("out"), ["ingest"])
    assert names(anywhere) == [f"{FOLDER}/run-abc.json"]
    ended = recorded(anywhere, "run-abc")
    assert (ended.state, ended.run) == ("finished", "run-abc") and ended.ended is not None and ended.ended >= ended.since


def test_a_run_that_fails_says_so_where_it_was(here: Store, stages: list[StageTime]) -> None:
    with pytest.raises(ValueError, match="bad"), logbook(here, "run-1", "corpus", None, lambda: stages) as book:
        book.run = "run-abc"
        raise ValueError("bad")
    assert names(here) == [f"{FOLDER}/run-1.json"]
    assert (recorded(here).state, recorded(here).out) == ("failed", "")


def test_the_end_of_a_stage_is_recorded_at_once(here: Store, stages: list[StageTime], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "REFRESH", 3600.0)
    with logbook(here, "run-1", "corpus", None, lambda: stages) as book:
        wait_for(lambda: read_progress(here, "run-1"))
        stages.append(StageTime("units", 1.0, 1, 0))
        book.stage_ended()
        wait_for(lambda: len(recorded(here).stages) == 2)


@pytest.mark.usefixtures("quick")
def test_what_has_not_changed_is_not_written_again(here: Store, stages: list[StageTime], monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    monkeypatch.setattr(keeping, "write_progress", lambda store, name, progress: written.append(name))
    looks = 0

    def look() -> list[StageTime]:
        nonlocal looks
        looks += 1
        return [StageTime("fit", float(looks), 0, 0, shards=3)]

    with logbook(here, "run-1", "corpus", None, look):
        wait_for(lambda: looks > 5)
    assert written == ["run-1", "run-1"], "when it began and when it ended"


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("error", [StoreUnavailable("store: away"), OSError(28, "No space left on device")])
def test_a_store_that_fails_fails_no_run_and_is_told_again_when_it_is_back(
    error: Exception, here: Store, stages: list[StageTime], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    away, write = True, keeping.write_progress

    def flaky(store: Store, name: str, progress: RunProgress) -> None:
        if away:
            raise error
        write(store, name, progress)

    monkeypatch.setattr(keeping, "write_progress", flaky)
    with caplog.at_level(logging.WARNING), logbook(here, "run-1", "corpus", None, lambda: stages):
        wait_for(lambda: caplog.messages)
        away = False
        wait_for(lambda: names(here))
    assert f"could not be recorded: {type(error).__name__}" in caplog.text


@pytest.mark.usefixtures("quick")
def test_a_store_that_stays_away_fails_no_run_either(here: Store, stages: list[StageTime], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise StoreUnavailable("store: away")

    monkeypatch.setattr(keeping, "write_progress", fail)
    with logbook(here, "run-1", "corpus", None, lambda: stages) as book:
        book.run = "run-abc"
    assert names(here) == []
