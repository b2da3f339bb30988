import os
import signal
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows.processes import ProcessTaskRunner, WorkerLost
from flows.runners import MANY_PAIRS, hire, shards_on
from flows.watch import Watch
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.store import KNOWN
from tests.flows.tiny import contents, quick, run, small_corpus

pytestmark = pytest.mark.usefixtures("prefect_server")


@pytest.fixture(autouse=True)
def begin_with_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process of these tests works on no stage, so it need not import any."""
    monkeypatch.setattr("flows.processes.STAGES", "json")


@task(cache_policy=NO_CACHE, persist_result=False)
def where(_: int) -> int:
    time.sleep(0.2)
    return os.getpid()


@task(cache_policy=NO_CACHE, persist_result=False)
def known(root: str) -> list[str]:
    return sorted(KNOWN.get(root, {}))


@task(cache_policy=NO_CACHE, persist_result=False, retries=1, retry_delay_seconds=0)
def fail_once(marker: str) -> int:
    if not Path(marker).exists():
        Path(marker).touch()
        raise OSError(5, "Input/output error")
    return os.getpid()


@task(cache_policy=NO_CACHE, persist_result=False)
def die(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def results(called: Any, arguments: list[Any], *settings: str, pairs: int = 0) -> list[Any]:
    """What the task returns for each argument within a flow of that configuration."""
    config = quick(*settings)

    @flow(persist_result=False)
    def calls() -> list[Any]:
        with shards_on(config):
            hire(config, pairs)
            return list(Watch().stage("calls", {number: called.submit(argument) for number, argument in enumerate(arguments)}).values())

    return calls()


def test_processes_do_the_work_side_by_side() -> None:
    found = set(results(where, [1, 2, 3, 4], "task_runner=processes", "workers=2"))
    assert os.getpid() not in found and len(found) == 2
    assert not [process for process in found if psutil.pid_exists(process)]


@pytest.mark.parametrize(
    ("settings", "pairs", "hired"),
    [
        (["task_runner=auto"], MANY_PAIRS, 1),
        (["task_runner=auto"], MANY_PAIRS - 1, 0),
        (["task_runner=auto", "workers=1"], MANY_PAIRS, 0),
        (["task_runner=auto", "teachers.kind=transformers"], MANY_PAIRS, 0),
        (["task_runner=threads"], MANY_PAIRS, 0),
        (["task_runner=processes"], 1, 1),
    ],
)
def test_processes_are_hired_for_many_pairs(settings: list[str], pairs: int, hired: int, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[ProcessTaskRunner] = []
    monkeypatch.setattr(ProcessTaskRunner, "hire", lambda runner: calls.append(runner))
    results(where, [1], "workers=2", *settings, pairs=pairs)
    assert len(calls) == hired


def test_hired_processes_start_at_once() -> None:
    before = {process.pid for process in psutil.Process().children()}
    with ProcessTaskRunner(2) as runner:
        runner.hire()
        new = {process.pid for process in psutil.Process().children() if "spawn_main" in " ".join(process.cmdline())} - before
    assert len(new) == 2


def test_processes_know_of_the_store_what_the_run_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    ref = ArtifactRef("beats", "es/0", "0" * 24, ".parquet", "", 0, 0)
    monkeypatch.setitem(KNOWN, "s3://bucket", {ref.key: ref})
    assert results(known, ["s3://bucket"], "task_runner=processes") == [[ref.key]]


def test_what_a_flaky_disk_does_there_is_tried_again(tmp_path: Path) -> None:
    assert results(fail_once, [str(tmp_path / "marker")], "task_runner=processes")[0] != os.getpid()


def test_a_process_that_is_killed_ends_the_run_with_a_sentence() -> None:
    with pytest.raises(WorkerLost, match="ended from outside"):
        results(die, [1], "task_runner=processes")


def test_a_run_in_processes_gives_the_bytes_of_one_in_threads(tmp_path: Path) -> None:
    corpus = small_corpus(tmp_path / "corpus", count=3)
    for kind in ("threads", "processes"):
        run(corpus, tmp_path / kind, config=quick(f"task_runner={kind}", "workers=2"))
    assert contents(tmp_path / "threads") == contents(tmp_path / "processes")
