import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from prefect.runtime import flow_run

from data_contracts import SCORES
from flows import artifacts
from flows.artifacts import RunPage, reject_rows, report_text, score_rows
from pipeline_lib.progress.stage_time import StageTime
from tests.flows.lastly import went


def score(label: str, metric: str, f1: float, lang: str = "en") -> dict[str, object]:
    counts = {"gold": 10, "predicted": 10, "documents": 2, "matched": 5 if metric == "strict" else None}
    return {
        "target_lang": lang,
        "label": label,
        "metric": metric,
        "precision": f1,
        "recall": f1,
        "f1": f1,
        "low": 0.0,
        "high": 1.0,
        **counts,
    }


TABLE = SCORES.table([score(label, metric, f1) for label in ("DISEASE", "*", "DRUG") for metric, f1 in (("strict", 0.75), ("char", 0.95))])


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float, str]]:
    """(key, percent, description) of every call for a bar, without a server."""
    calls: list[tuple[str, float, str]] = []
    keys: dict[object, str] = {}

    def create(percent: float, key: str, said: str) -> object:
        made = uuid4()
        keys[made] = key
        calls.append((key, percent, said))
        return made

    monkeypatch.setattr(artifacts, "create_progress_artifact", create)
    monkeypatch.setattr(artifacts, "update_progress_artifact", lambda made, percent, said: calls.append((keys[made], percent, said)))
    return calls


def at(stage: str, ended: int, shards: int, built: int = 0, reused: int = 0, failed: int = 0) -> StageTime:
    return StageTime(stage, 0.0, built, reused, failed, ended, shards)


def test_scores_are_shown_a_row_a_label_with_all_pooled_first_and_how_far_they_moved() -> None:
    rows = score_rows(TABLE, went(char=0.9))
    assert [row["label"] for row in rows] == ["all", "DISEASE", "DRUG"]
    pooled, known, new = ([row[name] for name in ("strict F1", "strict change", "char F1", "char change")] for row in rows)
    assert pooled == ["0.7500", "-0.0500", "0.9500", "+0.0500"]
    assert known == ["0.7500", "-0.0500", "0.9500", "+0.0500"]
    assert new == ["0.7500", "", "0.9500", ""]


def test_no_change_has_no_minus_sign_and_a_first_run_no_change() -> None:
    same = went(scores={"en": {"*": {"strict": 0.75, "char": 0.95}}})
    assert score_rows(TABLE, same)[0]["char change"] == "+0.0000"
    assert {row["char change"] for row in score_rows(TABLE, None)} == {""}


def test_reasons_of_either_run_are_shown_the_most_frequent_first() -> None:
    now = went(rejects={"scan": {"not_utf8": 2}}, abstentions={"en": {"no_aligned_unit": 5}, "it": {"too_wide": 21}})
    assert [tuple(row.values()) for row in reject_rows(now, went())] == [
        ("rejected", "scan", "not_utf8", 2, "+2"),
        ("rejected", "ingest", "surface_mismatch", 0, "-10"),
        ("not projected", "it", "too_wide", 21, "+1"),
        ("not projected", "en", "no_aligned_unit", 5, "-15"),
    ]
    assert {row["change"] for row in reject_rows(now, None)} == {""}


def test_the_report_is_named_by_link_and_by_path(tmp_path: Path) -> None:
    text = report_text(tmp_path / "my results", went("run-0000000000bb", model="run-0000000000cc"), went())
    assert f"[report](file://{tmp_path}/my%20results/report.html): `{tmp_path}/my results/report.html`" in text
    assert "100 documents, 1000 mentions, 40 not projected, 10 rejects" in text
    assert "model: run-0000000000cc" in text and "last run of the collection: run-0000000000aa" in text


def test_a_stage_is_told_when_it_begins_and_when_it_ends_and_no_more_than_once_a_second(called: list[Any]) -> None:
    page = RunPage()
    page.stage(at("embed", 0, 500))
    page.flush()
    for ended in range(1, 501):
        page.stage(at("embed", ended, 500, built=ended))
    page.flush()
    assert called[0] == ("spanferry-embed", 0.0, "0 of 500 shards: 0 built, 0 reused")
    assert called[-1] == ("spanferry-embed", 100.0, "500 of 500 shards: 500 built, 0 reused")
    assert len(called) == 2


def test_shards_that_take_their_time_are_told_as_they_end(called: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "SECONDS_BETWEEN_UPDATES", 0.0)
    page = RunPage()
    for ended in range(5):
        page.stage(at("fit", ended, 4, reused=ended))
        page.flush()
    assert [percent for _, percent, _ in called] == [0, 25, 50, 75, 100]


def test_a_slow_server_hears_the_newest_and_not_every_step(called: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "SECONDS_BETWEEN_UPDATES", 0.0)
    page = RunPage()
    busy = page._teller.submit(page.flush)  # nothing is told before this thread is free
    page._teller.submit(time.sleep, 0.3)
    for ended in range(100):
        page.stage(at("fit", ended, 100, built=ended))
    page.flush()
    assert busy.done() and [percent for _, percent, _ in called] == [99.0]


def test_failed_shards_are_no_progress_and_a_stage_without_shards_is_done(called: list[Any]) -> None:
    page = RunPage()
    page.stage(at("fit", 4, 4, built=1, reused=1, failed=2))
    page.stage(at("edges", 0, 0))
    page.flush()
    assert called == [
        ("spanferry-fit", 50.0, "4 of 4 shards: 1 built, 1 reused, 2 failed"),
        ("spanferry-edges", 100.0, "0 of 0 shards: 0 built, 0 reused"),
    ]


def test_a_bar_says_how_many_documents_how_fast_and_how_long_still(called: list[Any]) -> None:
    page = RunPage()
    page.stage(replace(at("align", 12, 64, built=11, reused=1), seconds=180.0, documents=5640, fresh=5616, total=13128, rejects=3))
    page.flush()
    said = "12 of 64 shards: 11 built, 1 reused; 5,640 documents, 31.2 a second, 4 min left, 3 rejects"
    assert called == [("spanferry-align", 18.75, said)]


@pytest.mark.usefixtures("prefect_server")
def test_a_run_goes_on_without_artifacts_once_the_server_does_not_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tries = []

    def refuse(*told: object) -> None:
        tries.append(told)
        raise httpx.ConnectError("refused")

    for name in ("create_progress_artifact", "create_table_artifact", "create_markdown_artifact"):
        monkeypatch.setattr(artifacts, name, refuse)

    @flow(persist_result=False)
    def run() -> str:
        page = RunPage()
        page.stage(at("scan", 0, 1))
        page.flush()
        page.stage(at("ingest", 0, 1))
        page.result(tmp_path, TABLE, went(), None)
        return "ended"

    assert run() == "ended"
    assert len(tries) == 1


@pytest.mark.usefixtures("prefect_server")
def test_an_error_of_our_own_is_not_taken_for_a_silent_server(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*told: object) -> None:
        raise TypeError("ours")

    monkeypatch.setattr(artifacts, "create_progress_artifact", fail)
    page = RunPage()
    page.stage(at("scan", 0, 1))
    with pytest.raises(TypeError, match="ours"):
        page.flush()


@pytest.mark.usefixtures("prefect_server")
def test_the_server_shows_bars_tables_and_report_of_the_run(tmp_path: Path) -> None:
    @flow(persist_result=False)
    def run() -> str:
        page = RunPage()
        page.stage(at("page test", 0, 2))
        page.stage(at("page test", 2, 2, built=1, reused=1))
        page.result(tmp_path, TABLE, went("run-0000000000bb"), went())
        return str(flow_run.id)

    made = run()
    keys = ["spanferry-page-test", "spanferry-scores", "spanferry-rejects", "spanferry-report"]
    with get_client(sync_client=True) as client:
        found = client.read_artifacts(artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=keys)), limit=200)
    shown = {str(artifact.key): artifact for artifact in found if str(artifact.flow_run_id) == made}
    assert sorted(shown) == sorted(keys)
    assert (shown["spanferry-page-test"].data, shown["spanferry-page-test"].description) == (100, "2 of 2 shards: 1 built, 1 reused")
    assert json.loads(str(shown["spanferry-scores"].data)) == score_rows(TABLE, went())
    assert shown["spanferry-scores"].description == "F1 of run-0000000000bb, against run-0000000000aa"
    assert shown["spanferry-report"].data == report_text(tmp_path, went("run-0000000000bb"), went())
