import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from prefect import flow

from flows import events
from flows.collection import LastRun, collection_id, last_run, remember
from flows.config import RunConfig
from flows.handover import hand_over
from flows.model import model_record, run_id
from flows.watch import Watch, references
from pipeline_lib.evaluation.summary import Counts
from pipeline_lib.storage.artifact import ArtifactRef
from tests.flows.parts import CONFIG, NAMES, Parts
from tests.flows.tiny import contents, quick


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
    record.pop("made_of")  # tells of the folder
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


@pytest.mark.parametrize("stage", ["scan", "segments", "embed", "distill", "candidates", "consistency", "score"])
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


def test_the_record_lists_every_artifact_that_the_run_used(parts: Parts) -> None:
    record = record_of(parts.out)
    made = [parts.corpus, parts.segments, parts.teachers, parts.edges, parts.targets, parts.students, parts.candidates, parts.counted]
    used = {ref.key for ref in references([*made, parts.projected, parts.scores])}
    assert used <= set(record["used"])
    assert record["used"] == sorted(set(record["used"]))
    assert all((Path(parts.store.root) / key).exists() for key in record["used"])


def test_the_model_that_a_run_was_given_counts_as_used(parts: Parts, tmp_path: Path) -> None:
    hand_over_again(replace(parts, watch=Watch()), tmp_path, pinned="run-earlier")
    assert record_of(tmp_path)["used"] == sorted({ref.key for ref in references(parts.models)})


def test_built_or_reused_makes_no_other_record(parts: Parts, tmp_path: Path) -> None:
    reused = Watch(stages=parts.watch.stages, used=parts.watch.used, repaired={"units/es/a.parquet"})
    hand_over_again(replace(parts, watch=reused), tmp_path)
    assert (tmp_path / "run.json").read_bytes() == (parts.out / "run.json").read_bytes()


def collection(parts: Parts) -> str:
    return collection_id(str(parts.folder / "corpus"), "es", ["en", "cz"], "embedded")


def remembered(parts: Parts) -> LastRun:
    found = last_run(parts.store, collection(parts))
    assert found is not None
    return found


def test_the_collection_remembers_the_run(parts: Parts, tmp_path: Path) -> None:
    hand_over_again(parts, tmp_path)
    found, record = remembered(parts), record_of(parts.out)
    assert (found.run, found.model, found.manifest) == (record["run"], record["model"], parts.corpus.scanned.files.fingerprint)
    assert (found.corpus, found.source, found.targets, found.profile) == ("corpus", "es", ("en", "cz"), "embedded")
    assert (found.documents, found.mentions) == (parts.counts.documents, parts.counts.mentions) == (record["documents"], found.mentions)
    assert {(lang, reason): n for lang, by in found.abstentions.items() for reason, n in by.items()} == parts.counts.abstentions
    scores = json.loads((parts.out / "scores.json").read_text("utf-8"))
    assert {(row["target_lang"], row["label"], row["f1"]) for row in scores if row["metric"] == "char"} == {
        (lang, label, f1.char) for lang, labels in found.scores.items() for label, f1 in labels.items()
    }


def test_a_run_worse_than_the_last_one_is_alerted_and_its_outputs_are_the_same(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[tuple[str, dict[str, str]]] = []
    monkeypatch.setattr(events, "emit_event", lambda event, resource, payload: heard.append((event, resource)))
    hand_over_again(parts, tmp_path / "as-good")
    assert heard == []
    better = {lang: {"*": {"strict": 1.0, "char": 1.0}} for lang in ("en", "cz")}
    remember(
        parts.store, collection(parts), LastRun.model_validate(remembered(parts).model_dump() | {"run": "run-better", "scores": better})
    )
    hand_over_again(parts, tmp_path / "worse")
    assert [(event, resource["prefect.resource.id"]) for event, resource in heard] == [
        ("spanferry.quality.dropped", f"spanferry.collection.{collection(parts)}")
    ]
    assert contents(tmp_path / "worse") == contents(tmp_path / "as-good")
    assert remembered(parts).run == record_of(parts.out)["run"]
