import os
import sys
import threading

import pytest
from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from flows.runners import shards_on, wanting_gpu
from flows.settings import ConfigError
from flows.watch import Watch
from tests.flows.tiny import quick

pytestmark = pytest.mark.usefixtures("prefect_server")


@task(cache_policy=NO_CACHE, persist_result=False)
def where(_: int) -> tuple[int, str]:
    return os.getpid(), threading.current_thread().name


def places(*settings: str) -> set[tuple[int, str]]:
    config = quick(*settings)

    @flow(persist_result=False)
    def run() -> set[tuple[int, str]]:
        with shards_on(config), wanting_gpu(config):
            return set(Watch().stage("where", {number: where.submit(number) for number in range(4)}).values())

    return run()


def test_threads_work_in_the_runs_own_process() -> None:
    assert {process for process, _ in places("workers=2")} == {os.getpid()}


def test_as_many_threads_as_the_configuration_says() -> None:
    assert len(places("workers=1")) == 1


def test_dask_works_in_other_processes() -> None:
    found = {process for process, _ in places("task_runner=dask", "workers=2")}
    assert os.getpid() not in found and 1 <= len(found) <= 2


def test_without_dask_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prefect_dask.task_runners", None)
    with pytest.raises(ConfigError, match=r"install spanferry\[dask\]"):
        places("task_runner=dask")


def test_outside_of_a_flow_there_is_nothing_to_send_anywhere() -> None:
    with pytest.raises(RuntimeError, match="no flow run"), shards_on(quick()):
        pass
