import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from prefect import flow, task
from prefect.futures import PrefectFuture
from prefect.task_runners import ThreadPoolTaskRunner

from flows import watch as watching
from flows.watch import ENDS, LISTENER, Progress, Watch, references
from pipeline_lib.progress.stage_time import StageTime
from pipeline_lib.storage.artifact import ArtifactRef
from tasks.match import Matched

pytestmark = pytest.mark.usefixtures("prefect_server")


def ref(documents: int, reused: bool = False, repaired: bool = False, name: str = "units") -> ArtifactRef:
    return ArtifactRef(name, "es", "0" * 24, ".parquet", "", documents, documents, reused=reused, repaired=repaired)


def key(name: str) -> str:
    return f"{name}/es/{'0' * 24}.parquet"


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
    scored = Matched(ref(5), ref(0))
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


@dataclass(frozen=True)
class Made:
    """A task's result of all shapes that a reference may have in one."""

    main: ArtifactRef
    several: list[ArtifactRef]
    by_lang: dict[str, tuple[ArtifactRef, int]]
    within: Matched
    absent: ArtifactRef | None = None
    note: str = "no reference"


def test_references_are_found_wherever_a_result_holds_them() -> None:
    names = ["main", "first", "second", "by_lang", "score", "rejects"]
    main, first, second, by_lang, score, rejects = (ref(1, name=name) for name in names)
    made = Made(main, [first, second], {"en": (by_lang, 3)}, Matched(score, rejects))
    assert [found.contract for found in references(made)] == names
    assert [found.contract for found in references({"a": [made.main, None, 3, "text"]})] == ["main"]


def test_it_remembers_every_artifact_that_was_used_whether_built_or_reused() -> None:
    watch, _, _ = watch_stage(
        lambda: {"en": shard.submit(Matched(ref(1, name="scores"), ref(0, name="rejects"))), "it": shard.submit(ref(1, reused=True))}
    )
    assert watch.used.keys() == {key("scores"), key("rejects"), key("units")}


def test_an_artifact_that_was_repaired_is_told_once_and_counted_in_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(watching, "tell_repaired", lambda stage, keys: told.append((stage, keys)))
    student = ref(1, repaired=True, name="student")
    watch = Watch()

    @flow(persist_result=False)
    def run() -> None:
        watch.stage("distill", {0: shard.submit(student), 1: shard.submit(ref(1))})
        watch.stage("choose", {0: shard.submit(student)})  # hands an artifact of the stage before on

    said: list[str] = []
    monkeypatch.setattr(watching, "get_run_logger", lambda: SimpleNamespace(info=lambda text, *facts: said.append(text % facts)))
    run()
    assert said == ["distill: 2 shards built, 0 reused, 1 artifacts repaired", "choose: 1 shards built, 0 reused, 0 artifacts repaired"]
    assert told == [("distill", [key("student")]), ("choose", [])]
    assert watch.repaired == {key("student")}


def counted(stage: StageTime) -> tuple[object, ...]:
    return stage.stage, stage.ended, stage.shards, stage.built, stage.reused, stage.failed


def test_a_stage_is_shown_from_its_begin_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[object] = []
    monkeypatch.setattr(watching.RunPage, "stage", lambda page, so_far: shown.append(counted(so_far)))
    watch_stage(lambda: {"slow": shard.submit(ref(1), 0.3), "quick": shard.submit(ref(1, reused=True))}, "cost")
    assert shown == [("cost", 0, 2, 0, 0, 0), ("cost", 1, 2, 0, 1, 0), ("cost", 2, 2, 1, 1, 0)]


def test_a_stage_that_fails_is_shown_so_before_the_run_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[object] = []
    monkeypatch.setattr(watching.RunPage, "stage", lambda page, so_far: shown.append(counted(so_far)))
    monkeypatch.setattr(watching.RunPage, "flush", lambda page: shown.append("flushed"))
    with pytest.raises(ValueError, match="bad"):
        watch_stage(lambda: {"good": shard.submit(ref(1)), "bad": shard.submit(ValueError("bad"), 0.3)}, "cost")
    assert shown == [("cost", 0, 2, 0, 0, 0), ("cost", 1, 2, 1, 0, 0), ("cost", 2, 2, 1, 0, 1), "flushed"]


def test_of_a_stage_that_goes_on_with_what_the_last_one_did_the_documents_are_known_from_the_start() -> None:
    watch, totals = Watch(), list[tuple[str, int, int]]()

    @flow(persist_result=False)
    def run() -> None:
        watch.stage("ingest", {(lang, number): shard.submit(ref(number + 3)) for lang in ("es", "en") for number in (0, 1)}, 14)
        watch.stage("embed", {("source", "en", number): shard.submit(ref(number + 3), number * 0.3) for number in (0, 1)})
        watch.stage("bias", {(0.5, ("en", 1)): shard.submit(ref(4))})
        watch.stage("fit", {"en": shard.submit(ref(0))})

    token = ENDS.set(lambda stage: totals.append((stage.stage, stage.ended, stage.total)))
    try:
        run()
    finally:
        ENDS.reset(token)
    assert totals == [
        ("ingest", 0, 14),
        ("ingest", 4, 14),
        ("embed", 0, 7),
        ("embed", 2, 7),
        ("bias", 0, 4),
        ("bias", 1, 4),
        ("fit", 0, 0),
        ("fit", 1, 0),
    ]


def test_documents_rejects_and_the_time_of_every_shard_are_kept() -> None:
    results = [Matched(ref(5), ref(2)), Matched(ref(3, reused=True), ref(1))]
    watch, heard, _ = watch_stage(lambda: {number: shard.submit(result, 0.2 * number) for number, result in enumerate(results)})
    (stage,) = watch.stages
    assert (stage.documents, stage.fresh, stage.rejects, stage.total) == (8, 5, 3, 8)
    assert [done for _, done in stage.curve] == [0, 5, 8] and 0 < stage.curve[1][0] < stage.curve[2][0] <= stage.seconds
    assert [told.so_far and told.so_far.documents for told in heard] == [5, 8]


def test_who_looks_sees_the_stages_that_ended_and_the_one_at_work() -> None:
    watch, seen = Watch(), list[list[StageTime]]()

    @flow(persist_result=False)
    def run() -> None:
        watch.stage("scan", {0: shard.submit(ref(1))})
        with watch.alone("export", 7):
            seen.append(watch.so_far())

    run()
    ((scan, export),) = seen
    assert (scan.ended, export.stage, export.ended, export.total) == (1, "export", 0, 7)
    assert [(stage.stage, stage.documents) for stage in watch.so_far()] == [("scan", 1), ("export", 7)]


def test_a_stage_costs_less_than_a_millisecond_a_shard() -> None:
    """Without Prefect's own share: what is done for each shard that has ended."""
    watch, futures = Watch(), dict[tuple[str, int], None](dict.fromkeys(("en", number) for number in range(5000)))
    meter = watch._begin("cost", futures, 0)
    started = time.perf_counter()
    for key in futures:
        watch._end_shard(meter, "cost", key, ref(30))
    assert (time.perf_counter() - started) / 5000 < 0.001
