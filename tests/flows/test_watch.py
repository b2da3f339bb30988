import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from prefect import flow, task
from prefect.futures import PrefectFuture
from prefect.task_runners import ThreadPoolTaskRunner

from flows.watch import LISTENER, Progress, Watch
from pipeline_lib.storage.store import ArtifactRef
from tasks.score import Scored

pytestmark = pytest.mark.usefixtures("prefect_server")


def ref(documents: int, reused: bool = False) -> ArtifactRef:
    return ArtifactRef("units", "es", "0" * 24, ".parquet", "", documents, documents, reused)


@task(persist_result=False)
def shard(result: object, seconds: float = 0.0, ended: list[str] | None = None) -> object:
    time.sleep(seconds)
    if ended is not None:
        ended.append(str(result))
    if isinstance(result, Exception):
        raise result
    return result


def watch_stage(
    submit: Callable[[], Mapping[str, PrefectFuture[Any]]], name: str = "stage"
) -> tuple[Watch, list[Progress], dict[str, Any]]:
    """One stage in a flow; the watch, what a listener heard, and the results."""
    watch, heard = Watch(), list[Progress]()

    @flow(persist_result=False, task_runner=ThreadPoolTaskRunner(max_workers=3))
    def run() -> dict[str, Any]:
        return watch.stage(name, submit())

    token = LISTENER.set(heard.append)
    try:
        return watch, heard, run()
    finally:
        LISTENER.reset(token)


def test_results_go_by_key_in_the_order_they_were_asked_for() -> None:
    _, _, results = watch_stage(lambda: {"slow": shard.submit(ref(1), 0.2), "quick": shard.submit(ref(2))})
    assert list(results.items()) == [("slow", ref(1)), ("quick", ref(2))]


def test_a_listener_hears_of_every_shard_as_it_ends() -> None:
    _, heard, _ = watch_stage(lambda: {"slow": shard.submit(ref(3), 0.3), "quick": shard.submit(ref(2, reused=True))}, "cost")
    assert heard == [Progress("cost", 1, 2, 2, True), Progress("cost", 2, 2, 3, False)]


def test_it_remembers_how_long_a_stage_took_and_what_was_reused() -> None:
    results = [ref(1), ref(1, reused=True), ref(1, reused=True)]
    watch, _, _ = watch_stage(lambda: {str(key): shard.submit(result, 0.2) for key, result in enumerate(results)})
    (stage,) = watch.stages
    assert (stage.stage, stage.built, stage.reused) == ("stage", 1, 2)
    assert 0.2 <= stage.seconds < 30


def test_an_artifact_of_several_counts_by_its_main_one() -> None:
    scored = Scored(ref(5), ref(0))
    watch, heard, results = watch_stage(lambda: {"en": shard.submit(scored)})
    assert results == {"en": scored}
    assert [progress.documents for progress in heard] == [5]
    assert watch.stages[0].built == 1


def test_the_first_failure_is_raised_when_all_shards_have_ended() -> None:
    ended: list[str] = []
    watch, heard = Watch(), list[Progress]()

    @flow(persist_result=False, task_runner=ThreadPoolTaskRunner(max_workers=3))
    def run() -> None:
        futures = {
            "good": shard.submit("good", 0.6, ended),
            "first": shard.submit(ValueError("first"), 0.2, ended),
            "second": shard.submit(KeyError("second"), 0.0, ended),
        }
        try:
            watch.stage("cost", futures)
        finally:
            heard.append(Progress("ended", len(ended), 3, 0, False))

    with pytest.raises(ValueError, match="first"):
        run()
    assert heard == [Progress("ended", 3, 3, 0, False)]
    assert watch.stages == []


def test_a_failed_shard_is_not_told_as_done() -> None:
    heard: list[Progress] = []
    token = LISTENER.set(heard.append)

    @flow(persist_result=False)
    def run() -> None:
        Watch().stage("fit", {"good": shard.submit(ref(1)), "bad": shard.submit(ValueError("bad"), 0.2)})

    try:
        with pytest.raises(ValueError, match="bad"):
            run()
    finally:
        LISTENER.reset(token)
    assert heard == [Progress("fit", 1, 2, 1, False)]


def test_stages_are_kept_in_order_and_nobody_has_to_listen() -> None:
    watch = Watch()

    @flow(persist_result=False)
    def run() -> None:
        for name in ("scan", "ingest"):
            watch.stage(name, {0: shard.submit(ref(1))})

    assert LISTENER.get() is None
    run()
    assert [stage.stage for stage in watch.stages] == ["scan", "ingest"]
