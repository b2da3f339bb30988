"""A run at work on a store: registered there, knowing what the last run used, and gone without a trace when it ends."""

import time
from pathlib import Path

import pytest
from prefect import flow

from flows.collection import LastRun, remember, tables_key
from flows.watch import Watch
from flows.workplace import at_work
from pipeline_lib.progress.sight import look
from pipeline_lib.storage.leases import FOLDER
from pipeline_lib.storage.recall import remember_tables
from pipeline_lib.storage.store import KNOWN, Store
from tests.flows.tiny import quick
from tests.pipeline_lib.storage.test_store import BEATS, MADE_OF, Maker, beats

pytestmark = pytest.mark.usefixtures("prefect_server")


def test_a_run_is_registered_and_knows_of_the_last_ones_tables(bucket: str) -> None:
    store = Store(bucket)
    table = store.table(BEATS, "es/s0", MADE_OF, Maker(beats(d1=60)))
    remember_tables(store, tables_key("c1"), [table])

    @flow(persist_result=False)
    def run() -> tuple[list[object], set[str]]:
        with at_work(bucket, "corpus es-en embedded", "c1", quick()):
            leases = [store.read_record(file.key) for file in store.files(FOLDER)]
            return [lease and lease["name"] for lease in leases], set(KNOWN[bucket])

    assert run() == (["corpus es-en embedded"], {table.key})
    assert store.files(FOLDER) == [] and KNOWN[bucket] == {}


def test_its_progress_is_recorded_while_it_works_and_kept_under_its_id(bucket: str) -> None:
    watch = Watch()

    @flow(persist_result=False)
    def run() -> list[str]:
        with at_work(bucket, "corpus es-en embedded", "c1", quick(), watch, "out"):
            for _ in range(200):
                if found := look(Store(bucket), time.time()).runs():
                    break
                time.sleep(0.05)
            watch.know("run-abc")
            return [f"{each.progress.name} {each.state}" for each in found]

    assert run() == ["corpus es-en embedded at work"]
    ended = look(Store(bucket), time.time()).find("out")
    assert (ended.id, ended.state) == ("run-abc", "finished")


def test_where_the_last_run_was_large_processes_start_with_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hired: list[int] = []
    monkeypatch.setattr("flows.workplace.hire", lambda config, pairs: hired.append(pairs))

    @flow(persist_result=False)
    def run() -> None:
        with at_work(str(tmp_path), "corpus es-en+it embedded", "c1", quick()):
            pass

    run()
    assert hired == []
    last = {
        "run": "run-1",
        "model": "run-1",
        "manifest": "m",
        "corpus": "corpus",
        "source": "es",
        "targets": ("en", "it"),
        "profile": "embedded",
    }
    counted = {"documents": 1500, "mentions": 9, "shards": 8, "rejects": {}, "abstentions": {}, "scores": {}}
    remember(Store(str(tmp_path)), "c1", LastRun.model_validate(last | counted))
    run()
    assert hired == [3000]
