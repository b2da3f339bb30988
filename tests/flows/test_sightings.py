"""What the terminal and JSON say of a store's runs."""

import io
import time
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from flows.sightings import run_figures, run_view, view, view_figures
from pipeline_lib.progress.record import RunProgress, write_progress
from pipeline_lib.progress.sight import look
from pipeline_lib.progress.stage_time import StageTime
from pipeline_lib.storage.leases import lease
from pipeline_lib.storage.store import Store
from tests.pipeline_lib.storage.toy_store import age

INGEST = StageTime("ingest", 400.0, 420, 0, 0, 420, 420, 210000, 210000, 210000, 1234, began=1000.0)
DISTIL = StageTime("distill with gold", 4000.0, 1, 0, 0, 1, 6, began=1400.0)
ALIGN = StageTime("align", 180.0, 11, 1, 0, 12, 64, 5640, 5616, 13128, 0, began=5400.0)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(str(tmp_path / "store"))


def record(store: Store, name: str, **facts: object) -> None:
    progress = RunProgress(name="background es-en+it+nl+sv+ro+cz embedded", host="worker-7", pid=4242, since=1000.0)
    given = {**progress.model_dump(), "stages": (INGEST, DISTIL, ALIGN), **facts}
    write_progress(store, name, RunProgress.model_validate(given))


def shown(what: RenderableType) -> list[str]:
    file = io.StringIO()
    Console(file=file, width=80, color_system=None).print(what)
    return file.getvalue().splitlines()


def words(lines: list[str], first: str) -> list[str]:
    (found,) = [line.split() for line in lines if line.strip().startswith(first)]
    return found


def test_a_run_at_work_is_shown_stage_by_stage_in_80_columns(store: Store) -> None:
    with lease(store, "background", "run") as held:
        record(store, held.id)
        lines = shown(run_view(look(store, time.time()).find(held.id)))
    assert max(map(len, lines)) <= 80
    assert "at work on worker-7 (pid 4242) since 1970-01-01" in "\n".join(lines) and "last sign of life" in "\n".join(lines)
    assert words(lines, "ingest") == ["ingest", "210,000", "525", "7", "min", "420", "0", "1,234"]
    assert words(lines, "align") == ["align", "5,640/13,128", "31.2", "4", "min", "left", "11", "1"]
    assert words(lines, "distill") == ["distill", "with", "gold", "1/6", "shards", "5", "h", "33", "min", "left", "1", "0"]


def test_a_killed_run_says_since_when_there_is_no_sign_of_life(store: Store) -> None:
    record(store, "run-dead")
    age(store, "progress/run-dead.json", 1000)
    found = look(store, time.time()).find("run-dead")
    lines = shown(run_view(found))
    assert "no sign of life since" in " ".join(lines) and "it goes on where it was" in " ".join(" ".join(lines).split())
    assert words(lines, "align") == ["align", "5,640/13,128", "31.2", "3", "min", "11", "1"], "nothing is left to wait for"
    assert run_figures(found)["state"] == "killed"


@pytest.mark.parametrize(
    ("state", "said"), [("finished", "finished at 1970-01-01"), ("failed", "it began on worker-7 (pid 4242) at 1970-01-01")]
)
def test_a_run_that_ended_says_how(state: str, said: str, store: Store) -> None:
    record(store, "run-0123456789ab", state=state, ended=8800.0)
    text = " ".join(shown(run_view(look(store, time.time()).find("run-0123456789ab"))))
    assert said in " ".join(text.split())
    assert ("after 2 h 10 min" in text) is (state == "finished")


def test_the_same_as_json(store: Store) -> None:
    record(store, "run-0123456789ab", state="finished", ended=8800.0)
    figures = run_figures(look(store, time.time()).find("run-0123456789ab"))
    assert (figures["id"], figures["name"]) == ("run-0123456789ab", "background es-en+it+nl+sv+ro+cz embedded")
    stage = figures["stages"][2]
    assert (stage["stage"], stage["documents"], stage["total"], stage["rejects"]) == ("align", 5640, 13128, 0)
    assert stage["documents_per_second"] == pytest.approx(31.2) and stage["seconds_left"] == pytest.approx(240)
    assert stage["began"].startswith("1970-01-01T") and "curve" not in stage


def test_all_runs_of_a_store_are_a_row_each_and_who_has_no_record_is_named(store: Store) -> None:
    record(store, "run-0123456789ab", state="finished", ended=8800.0)
    with lease(store, "background", "run") as held, lease(store, "order [abc]", "run"):
        record(store, held.id)
        seen = look(store, time.time())
        lines, figures = shown(view(seen)), view_figures(seen)
    assert "align: 12 of 64 shards: 11 built, 1 reused; 5,640 documents, 31.2 a second, 4 min left" in " ".join(" ".join(lines).split())
    assert [line for line in lines if line.startswith("run-")] == [
        f"{held.id}: background es-en+it+nl+sv+ro+cz embedded",
        "run-0123456789ab: background es-en+it+nl+sv+ro+cz embedded",
    ]
    assert "at work: order [abc] on " in " ".join(lines)
    assert [run["id"] for run in figures["runs"]] == [held.id, "run-0123456789ab"]
    assert [holder["name"] for holder in figures["without_progress"]] == ["order [abc]"]


def test_a_store_without_runs_says_so(store: Store) -> None:
    assert shown(view(look(store, time.time()))) == ["no run is at work, and none has left a record of its progress"]
