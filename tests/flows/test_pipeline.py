"""The whole run, end to end, on parts of the bundled corpus."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from flows.pipeline import project
from pipeline_lib.corpus.samples import documents
from pipeline_lib.corpus.scan import shard_of
from tasks.out_folder import TABLES
from tests.flows.tiny import built, contents, quick, run, small_corpus

pytestmark = pytest.mark.usefixtures("prefect_server")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_corpus(tmp_path_factory.mktemp("pipeline") / "corpus")


@pytest.fixture(scope="module")
def finished(corpus: Path, prefect_server: None) -> Path:
    """A finished run: ``corpus``'s folder with ``store`` and ``out`` in it. Tests that write to it work on a copy."""
    run(corpus, corpus.parent)
    return corpus.parent


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Path:
    shutil.copytree(finished, tmp_path / "copy")
    return tmp_path / "copy"


def test_every_source_mention_is_projected_or_abstained_in_every_language(finished: Path) -> None:
    rows = pl.read_parquet(finished / "out" / "projections.parquet")
    mentions = sum(len((finished / "corpus" / "es" / f"{name}.ann").read_text("utf-8").splitlines()) for name in documents()[:6])
    assert rows.height == mentions > 50
    assert rows.select("document", "target_lang", "mention").is_unique().all()
    assert (rows["starts"].list.len() > 0).mean() > 0.9


def test_the_outputs_are_the_promised_ones(finished: Path) -> None:
    names = set(contents(finished / "out")) | {"report.html"}
    expected = {*TABLES, "scores.json", "config.toml", "report.html", "run.json", "en/run.tsv"}
    assert expected | {f"{lang}/{name}.{end}" for lang in ("es", "en") for name in documents()[:6] for end in ("txt", "ann")} == names


def test_scores_are_far_above_chance_although_six_documents_are_few(finished: Path) -> None:
    scores = json.loads((finished / "out" / "scores.json").read_text("utf-8"))
    pooled = {row["metric"]: row["f1"] for row in scores if row["label"] == "*"}
    assert pooled["strict"] > 0.5
    assert pooled["char"] > 0.75


def test_the_same_run_again_builds_nothing_and_hands_over_the_same_bytes(copied: Path) -> None:
    before = contents(copied / "out")
    _, events = run(copied / "corpus", copied)
    assert set(built(events).values()) == {0}
    assert contents(copied / "out") == before


def test_another_store_gives_the_same_bytes(finished: Path, tmp_path: Path) -> None:
    run(finished / "corpus", tmp_path)
    assert contents(tmp_path / "out") == contents(finished / "out")
    assert contents(tmp_path / "store") == contents(finished / "store")


def test_with_the_model_pinned_a_changed_document_rebuilds_its_shard_and_moves_no_other_output(copied: Path) -> None:
    config = quick("shards.small=1")
    run(copied / "corpus", copied, config=config)
    before = contents(copied / "out")
    changed = documents()[0]
    text = copied / "corpus" / "en" / f"{changed}.txt"
    text.write_bytes(text.read_bytes() + b" Unremarkable follow-up.")
    run_name = json.loads((copied / "out" / "run.json").read_text("utf-8"))["run"]
    _, events = run(copied / "corpus", copied, model=run_name, config=config)
    shards = {stage: number for stage, number in built(events).items() if stage not in ("scan", "score")}
    assert "consistency" not in shards and "fit" not in shards
    rebuilt = ("ingest", "units", "segments", "embed", "cost", "sharpen", "candidates", "project", "match")
    assert shards == dict.fromkeys(rebuilt, 1)
    after = contents(copied / "out")
    together = {name for name in documents()[:6] if shard_of(name, 8) == shard_of(changed, 8)}
    others = [name for name in before if name.endswith((".txt", ".ann")) and Path(name).stem not in together]
    assert others
    assert all(after[name] == before[name] for name in others)


@pytest.mark.parametrize("aligner", ["target", "student"])
def test_projecting_alone_hands_over_what_a_run_with_the_same_model_does(copied: Path, aligner: str) -> None:
    config = quick(f"aligner={aligner}")
    run(copied / "corpus", copied, out="run", model=str(copied / "out"), config=config)
    folders = str(copied / "store"), str(copied / "project"), str(copied / "out")
    project(config, str(copied / "corpus"), "es", ["en"], *folders)
    staged, projected = contents(copied / "run"), contents(copied / "project")
    assert {name for name in staged if staged[name] != projected.get(name)} == {"run.json", "config.toml"}  # of shards it makes fewer
    assert staged.keys() == projected.keys()


def test_without_a_pinned_model_a_changed_document_refits_it(copied: Path) -> None:
    text = copied / "corpus" / "en" / f"{documents()[0]}.txt"
    text.write_bytes(text.read_bytes() + b" Unremarkable follow-up.")
    _, events = run(copied / "corpus", copied)
    assert built(events)["fit"] == built(events)["distill"] == built(events)["consistency"] == 1


@pytest.mark.parametrize(
    "contract",
    [
        "documents",
        "units",
        "segment_pairs",
        "embeddings",
        "cost_matrices",
        "posteriors",
        "transport_plans",
        "candidates",
        "corpus_edges",
        "memory",
        "projections",
        "carried_lines",
        "scores",
    ],
)
@pytest.mark.parametrize("damage", ["truncated", "deleted"])
def test_a_damaged_artifact_is_noticed_and_rebuilt(copied: Path, contract: str, damage: str) -> None:
    before = contents(copied)
    artifact = sorted((copied / "store" / contract).rglob("*.parquet"))[0]
    if damage == "deleted":
        artifact.unlink()
    else:
        artifact.write_bytes(artifact.read_bytes()[:-40])
    _, events = run(copied / "corpus", copied)
    assert sum(built(events).values()) == 1
    assert contents(copied) == before


def test_a_damaged_model_is_rebuilt_too(copied: Path) -> None:
    before = contents(copied)
    (weights,) = (copied / "store" / "student").rglob("model.safetensors")
    weights.write_bytes(weights.read_bytes()[:-1])
    run(copied / "corpus", copied)
    assert contents(copied) == before


def test_poisoned_gold_changes_scores_and_nothing_else(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished / "corpus", tmp_path / "corpus")
    for gold in (tmp_path / "corpus" / "en").glob("*.ann"):
        gold.write_text("T1\tDISEASE 0 1\t" + gold.with_suffix(".txt").read_text("utf-8")[0] + "\n", encoding="utf-8")
    run(tmp_path / "corpus", tmp_path)
    clean, poisoned = contents(finished / "out"), contents(tmp_path / "out")
    different = {name for name in clean if clean[name] != poisoned[name]}
    assert different == {"scores.json", "run.json"}


def test_the_student_projects_too(copied: Path) -> None:
    counts, events = run(copied / "corpus", copied, out="student", config=quick("aligner=student"))
    assert counts.projected["en"] > 0.8 * counts.mentions
    assert built(events)["align"] > 0
    assert built(events)["distill"] == 0


def test_the_same_texts_on_both_sides_project_every_mention_onto_itself(tmp_path: Path) -> None:
    corpus = small_corpus(tmp_path / "corpus", langs=("es",), count=24)
    counts, _ = run(corpus, tmp_path, targets=("es",))
    rows = pl.read_parquet(tmp_path / "out" / "projections.parquet")
    wrong = rows.filter((pl.col("starts") != pl.col("source_starts")) | (pl.col("ends") != pl.col("source_ends")))
    assert wrong.select("document", "mention").rows() == []
    pooled = [row for row in json.loads((tmp_path / "out" / "scores.json").read_text("utf-8")) if row["label"] == "*"]
    assert [row["f1"] for row in pooled] == [1.0, 1.0]
    assert counts.projected == {"es": counts.mentions}
