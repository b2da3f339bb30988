import json
import os
from pathlib import Path

from pipeline_lib.progress.record import RunProgress, place, progress_key, read_progress, write_progress
from pipeline_lib.progress.stage_time import StageTime
from pipeline_lib.storage.store import Store

STAGE = StageTime("align", 10.0, 1, 1, ended=2, shards=4, documents=500, fresh=200, total=1000, curve=((1.0, 200), (2.0, 500)))
PROGRESS = RunProgress(name="corpus es-en embedded", host="here", pid=7, since=100.0, stages=(STAGE,))


def test_what_is_read_is_what_was_written_but_for_the_curve(anywhere: Store) -> None:
    write_progress(anywhere, "run-1", PROGRESS)
    found = read_progress(anywhere, "run-1")
    assert found is not None and found.stages[0].curve == ()
    assert found.model_copy(update={"stages": PROGRESS.stages}) == PROGRESS
    assert "curve" not in json.dumps(anywhere.read_record(progress_key("run-1")))


def test_what_is_no_record_is_none(anywhere: Store) -> None:
    anywhere.write_record(progress_key("run-1"), {"name": 3})
    assert read_progress(anywhere, "run-1") is None
    assert read_progress(anywhere, "run-2") is None


def test_a_folder_is_named_by_its_place_and_by_nothing_that_can_be_read() -> None:
    assert place("out") == place(os.path.abspath("out")) == place(str(Path("other") / ".." / "out"))
    assert place("out") != place("out2") and "out" not in place("out")
