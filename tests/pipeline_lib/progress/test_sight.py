"""Which runs a store shows, and how each of them is."""

import json
import time
from pathlib import Path

import pytest

from pipeline_lib.progress.record import RunProgress, place, write_progress
from pipeline_lib.progress.sight import MOST_ENDED, View, look
from pipeline_lib.progress.stage_time import StageTime
from pipeline_lib.storage.leases import Lease, Pace, lease
from pipeline_lib.storage.place import StoreError
from pipeline_lib.storage.store import Store
from tests.pipeline_lib.storage.toy_store import age

AT_WORK = StageTime("align", 10.0, 1, 0, ended=1, shards=4, documents=100, fresh=100, total=400)


def record(store: Store, name: str, called: str = "corpus es-en", **facts: object) -> None:
    progress = RunProgress(name=called, host="here", pid=7, since=1.0, stages=(AT_WORK,))
    write_progress(store, name, RunProgress.model_validate({**progress.model_dump(), **facts}))


def seen(store: Store) -> View:
    return look(store, time.time())


def test_a_run_with_a_lease_is_at_work_and_one_without_was_killed(anywhere: Store) -> None:
    with lease(anywhere, "corpus es-en", "run") as held:
        record(anywhere, held.id)
        record(anywhere, "run-dead")
        states = {run.id: run.state for run in seen(anywhere).runs()}
    assert states == {held.id: "at work", "run-dead": "killed"}


def test_a_lease_that_is_not_renewed_ends_the_run_and_its_last_renewal_is_the_last_sign_of_life(here: Store) -> None:
    held = Lease(here, "corpus es-en", "run", Pace())
    record(here, held.id)
    age(here, f"progress/{held.id}.json", 900)
    age(here, held.key, 100)
    found = seen(here).find(held.id)
    assert found.state == "at work" and found.quiet == pytest.approx(100, abs=10) and found.age == pytest.approx(900, abs=10)
    age(here, held.key, 200)
    assert seen(here).find(held.id).state == "killed"


def test_the_stage_at_work_has_gone_on_since_the_record_was_written(here: Store) -> None:
    with lease(here, "corpus es-en", "run") as held:
        record(here, held.id)
        age(here, f"progress/{held.id}.json", 30)
        assert seen(here).find(held.id).stages[0].seconds == pytest.approx(40, abs=10)
    assert seen(here).find(held.id).stages[0].seconds == 10, "time stands still for the dead"


@pytest.mark.parametrize("state", ["finished", "failed"])
def test_a_run_that_ended_says_how(state: str, here: Store) -> None:
    record(here, "run-abc", state=state, ended=5.0)
    assert seen(here).find("run-abc").state == state


def test_a_run_is_found_by_id_name_and_output_folder_one_at_work_before_one_that_ended(here: Store, tmp_path: Path) -> None:
    out = tmp_path / "results"
    out.mkdir()
    record(here, "run-abc", out=place(str(out)), state="finished")
    assert {seen(here).find(name).id for name in ("run-abc", "corpus es-en", str(out))} == {"run-abc"}
    with lease(here, "corpus es-en", "run") as held:
        record(here, held.id, out=place(str(out)))
        age(here, f"progress/{held.id}.json", 60)
        assert {seen(here).find(name).id for name in (held.id, "corpus es-en", str(out))} == {held.id}
        assert seen(here).find("run-abc").id == "run-abc"


def test_an_output_folder_that_was_moved_is_known_by_its_record(here: Store, tmp_path: Path) -> None:
    record(here, "run-abc", out="elsewhere")
    (tmp_path / "run.json").write_text(json.dumps({"run": "run-abc"}), encoding="utf-8")
    assert seen(here).find(str(tmp_path)).id == "run-abc"


def test_those_at_work_come_first_then_the_last_that_ended(here: Store) -> None:
    for number in range(MOST_ENDED + 2):
        record(here, f"run-{number}", state="finished")
        age(here, f"progress/run-{number}.json", 10 * number + 10)
    with lease(here, "corpus es-en", "run") as held:
        record(here, held.id)
        assert [run.id for run in seen(here).runs()] == [held.id, *(f"run-{number}" for number in range(MOST_ENDED))]


def test_who_is_at_work_without_a_record_is_named_and_a_collection_is_no_run(here: Store) -> None:
    with lease(here, "order abc", "run"):
        assert [holder.name for holder in seen(here).unrecorded()] == ["order abc"]
    with lease(here, "garbage collection", "gc"):
        assert seen(here).unrecorded() == [] == seen(here).runs()


def test_what_is_not_known_is_one_sentence_and_what_is_no_record_is_passed_over(here: Store) -> None:
    here.write_record("progress/run-bad.json", {"name": 1})
    assert seen(here).runs() == []
    for name in ("run-bad", "run-none", "/no/such/folder"):
        with pytest.raises(StoreError, match=f"no run {name} is at work there"):
            seen(here).find(name)
