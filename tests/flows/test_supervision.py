"""Runs that learn from the gold of declared documents."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from flows.config import RunConfig
from flows.model import ModelError
from flows.pipeline import run_pipeline
from pipeline_lib.corpus.files import CorpusError
from pipeline_lib.corpus.samples import documents
from tests.flows.tiny import contents, quick, small_corpus

pytestmark = pytest.mark.usefixtures("prefect_server")

DECLARED, OTHERS = documents()[:3], documents()[3:6]
CONFIG = quick("rerank.trees=5", "rerank.folds=2", "score.replicates=20")


def supervised(corpus: Path, root: Path, out: str = "out", model: str | None = None, config: RunConfig = CONFIG) -> Path:
    listed = root / "train.txt"
    listed.write_text("".join(f"{name}\n" for name in DECLARED), "utf-8")
    run_pipeline(config, str(corpus), "es", ["en"], str(root / "store"), str(root / out), model, None if model else str(listed))
    return root / out


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, prefect_server: None) -> Path:
    """A finished run: a folder with ``corpus``, ``store`` and ``out``."""
    root = tmp_path_factory.mktemp("supervised")
    supervised(small_corpus(root / "corpus"), root)
    return root


def record(out: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((out / "run.json").read_text("utf-8"))
    return found


def gold_mentions(corpus: Path, names: list[str]) -> int:
    return sum(len((corpus / "en" / f"{name}.ann").read_text("utf-8").splitlines()) for name in names)


def test_declared_documents_are_projected_and_not_scored(finished: Path) -> None:
    scores = json.loads((finished / "out" / "scores.json").read_text("utf-8"))
    assert {row["gold"] for row in scores if row["label"] == "*"} == {gold_mentions(finished / "corpus", OTHERS)}
    assert max(row["documents"] for row in scores) == len(OTHERS)
    files = pl.read_parquet(finished / "out" / "corpus_files.parquet").filter(pl.col("lang") == "en")
    assert set(files.filter("scored")["document"]) == set(OTHERS)
    projected = pl.read_parquet(finished / "out" / "projections.parquet")
    assert set(projected["document"]) == {*DECLARED, *OTHERS}


def test_the_record_says_which_documents_trained_and_keeps_the_reranker(finished: Path) -> None:
    found = record(finished / "out")
    assert found["gold_train"] == sorted(DECLARED)
    reranker = found["models"]["en"]["reranker"]  # type: ignore[index]
    folder = finished / "store" / "reranker" / "es-en" / reranker["fingerprint"]
    assert {path.name for path in folder.iterdir()} == {"lessons.safetensors", "reranker.json"}


def test_poisoned_gold_of_undeclared_documents_changes_scores_and_nothing_else(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished / "corpus", tmp_path / "corpus")
    for name in OTHERS:
        (tmp_path / "corpus" / "en" / f"{name}.ann").write_bytes(b"T1\tPOISON 0 1\t\xff")
    clean, poisoned = contents(finished / "out"), contents(supervised(tmp_path / "corpus", tmp_path))
    different = {name for name in clean if clean[name] != poisoned[name]}
    assert different == {"scores.json", "run.json", "rejects.parquet"}


def test_gold_of_declared_documents_matters(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished, tmp_path / "copy")
    gold = tmp_path / "copy" / "corpus" / "en" / f"{DECLARED[0]}.ann"
    gold.write_text("\n".join(gold.read_text("utf-8").splitlines()[:2]) + "\n", "utf-8")
    out = supervised(tmp_path / "copy" / "corpus", tmp_path / "copy", "other")
    before, after = (record(folder)["models"]["en"] for folder in (finished / "out", out))  # type: ignore[index]
    assert {part for part in before if before[part] != after[part]} == {"reranker"}


def test_where_the_student_projects_it_may_learn_from_declared_gold(tmp_path: Path) -> None:
    config = quick("aligner=student", "rerank.trees=5", "rerank.folds=2", "score.replicates=20", "mcai.scales=[2.0]")
    out = supervised(small_corpus(tmp_path / "corpus"), tmp_path, config=config)
    scales = pl.read_parquet(*(tmp_path / "store" / "mcai_scales" / "es-en").glob("*.parquet"))
    assert scales["scale"].to_list() == [0.0, 2.0] and scales["chosen"].sum() == 1
    students = {path.stem for path in (tmp_path / "store" / "student" / "es-en").glob("*.json")}
    assert len(students) == 2 and record(out)["models"]["en"]["student"]["fingerprint"] in students  # type: ignore[index]
    spans = pl.read_parquet(*(tmp_path / "store" / "mapped_spans" / "es-en").glob("*.parquet"))
    assert set(spans["document"]) == set(DECLARED)


def test_a_pinned_model_brings_its_reranker_and_still_does_not_score_what_trained_it(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished, tmp_path / "copy")
    root = tmp_path / "copy"
    out = supervised(root / "corpus", root, "pinned", model=str(record(root / "out")["run"]))
    assert record(out)["models"] == record(root / "out")["models"]
    assert record(out)["gold_train"] == sorted(DECLARED)
    for name in ("projections.parquet", "scores.json", "en/run.tsv"):
        assert (out / name).read_bytes() == (root / "out" / name).read_bytes()


def test_a_model_and_gold_to_train_on_exclude_each_other(finished: Path) -> None:
    arguments = (str(finished / "store"), str(finished / "never"))
    with pytest.raises(ModelError, match="--gold-train"):
        run_pipeline(CONFIG, str(finished / "corpus"), "es", ["en"], *arguments, "run-1", str(finished / "train.txt"))


def test_an_unknown_document_is_refused_with_file_and_line(finished: Path, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(f"{DECLARED[0]}\nnobody\n", "utf-8")
    with pytest.raises(CorpusError, match=r"list\.txt: line 2: the corpus has no document nobody"):
        run_pipeline(
            CONFIG, str(finished / "corpus"), "es", ["en"], str(tmp_path / "store"), str(tmp_path / "out"), None, str(tmp_path / "list.txt")
        )
