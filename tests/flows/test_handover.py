import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from prefect import flow

from flows.config import RunConfig
from flows.handover import hand_over
from flows.model import model_record, run_id
from pipeline_lib.evaluation.summary import Counts
from pipeline_lib.storage.store import ArtifactRef
from tests.flows.parts import CONFIG, NAMES, Parts
from tests.flows.tiny import quick


def record_of(out: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((out / "run.json").read_text("utf-8"))
    return record


def _tables(parts: Parts) -> list[ArtifactRef]:
    return [ref for made in parts.projected.values() for ref in (made.projections, made.carried)]


def hand_over_again(parts: Parts, out: Path, pinned: str | None = None, config: RunConfig = CONFIG) -> Counts:
    @flow(persist_result=False)
    def last() -> Counts:
        scores = dict(parts.scores)
        return hand_over(
            parts.store.root,
            str(parts.folder / "corpus"),
            str(out),
            parts.corpus,
            parts.models,
            pinned,
            parts.projected,
            scores,
            config,
            parts.watch,
        )

    return last()


def test_the_store_and_the_outputs_hold_the_same_record(parts: Parts) -> None:
    record = record_of(parts.out)
    files = record.pop("files")
    assert parts.store.read_record(f"runs/{record['run']}.json") == record
    assert {"projections.parquet", "scores.json", "en/run.tsv", "cz/run.tsv", "es/case-01.ann"} <= set(files)


def test_the_record_says_what_the_run_was_made_of(parts: Parts) -> None:
    record = record_of(parts.out)
    made = [parts.corpus.scanned.files, *_tables(parts), *(scored.main for scored in parts.scores.values())]
    assert record["artifacts"] == [ref.key for ref in made]
    assert record["models"] == model_record(parts.models)
    assert (record["source"], record["targets"], record["shards"]) == ("es", ["en", "cz"], 2)
    assert RunConfig.model_validate(record["config"]) == CONFIG


def test_the_run_is_named_by_its_artifacts_and_config(parts: Parts) -> None:
    record = record_of(parts.out)
    assert record["run"] == record["model"] == run_id(record["artifacts"], CONFIG.toml(), None)


def test_counts_are_those_of_the_projections(parts: Parts) -> None:
    rows = pl.read_parquet(parts.out / "projections.parquet")
    found = rows.filter(pl.col("reason").is_null())
    assert (parts.counts.documents, parts.counts.mentions) == (len(NAMES), rows.height // 2)
    assert parts.counts.projected == {lang: found.filter(pl.col("target_lang") == lang).height for lang in ("en", "cz")}


def test_scores_of_all_languages_are_handed_over(parts: Parts) -> None:
    scores = json.loads((parts.out / "scores.json").read_text("utf-8"))
    assert {row["target_lang"] for row in scores} == {"en", "cz"}


@pytest.mark.parametrize("stage", ["scan", "segments", "embed target", "distill", "candidates", "consistency", "score"])
def test_the_report_tells_the_time_of_every_stage(parts: Parts, stage: str) -> None:
    assert stage in (parts.out / "report.html").read_text("utf-8")


def test_a_pinned_model_keeps_its_name_and_the_run_gets_its_own(parts: Parts, tmp_path: Path) -> None:
    counts = hand_over_again(parts, tmp_path, pinned="run-earlier", config=quick("workers=1"))
    record = record_of(tmp_path)
    assert counts == parts.counts
    assert record["model"] == "run-earlier"
    assert record["run"] not in ("run-earlier", record_of(parts.out)["run"])


def test_handing_over_again_gives_the_same_bytes(parts: Parts, tmp_path: Path) -> None:
    hand_over_again(parts, tmp_path)
    for path in parts.out.rglob("*"):
        if path.is_file() and path.name != "report.html":
            assert (tmp_path / path.relative_to(parts.out)).read_bytes() == path.read_bytes()
