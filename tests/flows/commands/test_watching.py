"""``spanferry status``, as its users meet it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from flows.commands import watching
from pipeline_lib.progress.record import RunProgress, place, progress_key, write_progress
from pipeline_lib.progress.stage_time import StageTime
from pipeline_lib.storage.leases import lease
from pipeline_lib.storage.store import Store
from tests.flows.commands.terminal import call


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with a finished run into ``tmp_path/out``."""
    store = Store(str(tmp_path / "store"))
    write_progress(store, "run-abc", progress(str(tmp_path / "out")).model_copy(update={"state": "finished", "ended": 90.0}))
    return store


def progress(out: str) -> RunProgress:
    stage = StageTime("align", 10.0, 1, 0, 0, 1, 4, 100, 100, 400)
    return RunProgress(name="clinic es-en", host="here", pid=7, since=1.0, out=place(out), stages=(stage,))


def test_a_finished_run_is_shown_by_its_id_and_by_its_folder(store: Store, tmp_path: Path) -> None:
    by_id, by_folder = (call("status", run, "--store", store.root) for run in ("run-abc", str(tmp_path / "out")))
    assert by_id == by_folder and by_id[0] == 0
    assert "run-abc: clinic es-en" in by_id[1] and "100/400" in by_id[1]


def test_without_a_run_all_are_shown_and_one_at_work_is_known_by_its_name(store: Store) -> None:
    with lease(store, "clinic es-it", "run") as held:
        write_progress(store, held.id, progress("elsewhere").model_copy(update={"name": "clinic es-it"}))
        said = call("status", "--store", store.root)[1]
        code, one = call("status", "clinic es-it", "--store", store.root, "--json")
    assert "run-abc" in said and held.id in said
    assert code == 0 and (json.loads(one)["id"], json.loads(one)["state"]) == (held.id, "at work")


def test_all_as_json(store: Store) -> None:
    found = json.loads(call("status", "--store", store.root, "--json")[1])
    assert [run["state"] for run in found["runs"]] == ["finished"]


def test_watching_ends_with_the_run(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with lease(store, "clinic es-it", "run") as held:
        write_progress(store, held.id, progress("elsewhere"))
        looks: list[float] = []

        def wait(seconds: float) -> None:
            looks.append(seconds)
            if len(looks) == 3:
                write_progress(store, held.id, progress("elsewhere").model_copy(update={"state": "failed", "ended": 9.0}))

        monkeypatch.setattr(watching.time, "sleep", wait)
        code, said = call("status", held.id, "--store", store.root, "--watch")
    assert code == 0 and len(looks) == 3 and "failed" in said


def test_whoever_has_seen_enough_ends_it_with_a_key(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(watching.time, "sleep", interrupt)
    assert call("status", "--store", store.root, "--watch")[0] == 0


def test_an_unknown_run_is_one_line_and_exit_code_5_and_looking_creates_nothing(store: Store, tmp_path: Path) -> None:
    for root in (store.root, str(tmp_path / "empty")):
        code, said = call("status", "run-0", "--store", root)
        assert code == 5 and said == f"spanferry: {root}: no run run-0 is at work there, and none has left a record of its progress\n"
    assert not (tmp_path / "empty").exists()


def test_watching_as_json_is_a_usage_error(store: Store) -> None:
    assert call("status", "--store", store.root, "--json", "--watch")[0] == 2
    assert call("status")[0] == 2


def test_a_bucket_is_a_store_as_good(bucket: str) -> None:
    write_progress(Store(bucket), "run-abc", progress("out"))
    assert "run-abc" in call("status", "--store", bucket)[1]
    assert call("status", "--store", "s3://no-such-bucket/x")[0] == 0, "a bucket that is not there holds no run"


def test_a_real_run_leaves_its_progress_under_its_id(demo: tuple[Path, str]) -> None:
    store, out = Store(str(demo[0] / "store")), demo[0] / "results"
    run = json.loads((out / "run.json").read_text("utf-8"))["run"]
    assert [file.key for file in store.files("progress")] == [progress_key(run)]
    figures = json.loads(call("status", str(out), "--store", store.root, "--json")[1])
    stages = {stage["stage"]: stage for stage in figures["stages"]}
    assert (figures["id"], figures["state"]) == (run, "finished")
    assert (stages["ingest"]["documents"], stages["export"]["documents"]) == (24 * 7, 24)
    assert all(stage["ended"] == stage["shards"] and stage["documents"] == stage["total"] for stage in stages.values())
    texts = {line for path in (out / "es").glob("*.txt") for line in path.read_text("utf-8").split() if len(line) > 9}
    record = (Path(store.root) / progress_key(run)).read_text("utf-8")
    assert not [word for word in texts if word in record]


def test_the_command_waits_for_neither_prefect_nor_torch(store: Store) -> None:
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom flows.cli import app\n"
        f"for words in (['status'], ['status', 'run-abc'], ['status', '--json']):\n"
        f"    assert CliRunner().invoke(app, [*words, '--store', {store.root!r}]).exit_code == 0\n"
        "assert not {'prefect', 'torch', 'matplotlib'} & sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
