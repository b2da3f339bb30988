import json
import shutil
from pathlib import Path

import pytest

from flows.collection import collection_id
from flows.model import ModelError
from flows.pipeline import project, train
from flows.refit import collection, latest_model, outgrown, remember_model
from pipeline_lib.corpus.samples import documents, write_sample
from pipeline_lib.storage.store import Store
from tests.flows.tiny import built, quick, run, small_corpus


@pytest.mark.parametrize(
    ("refit", "fitted_on", "documents", "expected"),
    [
        ("grown:20%", 100, 120, False),
        ("grown:20%", 100, 121, True),
        ("grown:20%", 100, 80, False),
        ("grown:0%", 100, 101, True),
        ("grown:20%", 0, 1, True),
        ("never", 1, 1000, False),
        ("always", 1, 1, False),
    ],
)
def test_a_collection_has_outgrown_its_model_beyond_the_share(refit: str, fitted_on: int, documents: int, expected: bool) -> None:
    assert outgrown(refit, fitted_on, documents) is expected


def test_a_collection_is_the_same_however_its_languages_are_written(tmp_path: Path) -> None:
    corpus = small_corpus(tmp_path / "corpus", langs=("es", "en", "cz"), count=1)
    own = collection_id(str(corpus), "es", ["en", "cz"], "embedded")
    assert collection(str(corpus), "es", ["cs", "en"], quick()) == own
    assert collection(str(corpus), "es", ["en"], quick()) != own


@pytest.mark.parametrize("record", ["{", "[]", '{"run": 3}', "{}"])
def test_a_damaged_memory_of_the_model_is_none(record: str, tmp_path: Path) -> None:
    remember_model(str(tmp_path), "c0", "run-1")
    assert latest_model(str(tmp_path), "c0") == "run-1"
    (tmp_path / "collections" / "c0-model.json").write_text(record, encoding="utf-8")
    assert latest_model(str(tmp_path), "c0") is None


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, prefect_server: None) -> Path:
    root = tmp_path_factory.mktemp("refit")
    run(small_corpus(root / "corpus"), root)
    return root


@pytest.fixture
def root(finished: Path, tmp_path: Path) -> Path:
    """The finished run's corpus and store; the corpus stays where it is, since its place names the collection."""
    shutil.copytree(finished / "store", tmp_path / "store")
    return tmp_path


def model_of(root: Path, out: str = "out") -> tuple[str, str]:
    record = json.loads((root / out / "run.json").read_text("utf-8"))
    return record["run"], record["model"]


@pytest.mark.parametrize(("refit", "more", "fitted"), [("never", 6, 0), ("grown:20%", 1, 0), ("grown:20%", 2, 1), ("always", 1, 1)])
def test_a_model_is_fitted_when_the_policy_asks_for_it(refit: str, more: int, fitted: int, finished: Path, root: Path) -> None:
    first, _ = model_of(finished)
    added = documents()[6 : 6 + more]
    write_sample(finished / "corpus", languages=("es", "en"), documents=added)
    try:
        _, events = run(finished / "corpus", root, config=quick(f"refit={refit}"))
    finally:
        for path in (finished / "corpus" / lang / f"{name}.{end}" for lang in ("es", "en") for name in added for end in ("txt", "ann")):
            path.unlink(missing_ok=True)
    run_id, model = model_of(root)
    assert built(events).get("fit", 0) == fitted
    assert model == (run_id if fitted else first)


def test_a_model_that_is_gone_is_fitted_anew(finished: Path, root: Path) -> None:
    shutil.rmtree(root / "store" / "teachers")
    _, events = run(finished / "corpus", root, config=quick("refit=never"))
    assert built(events)["fit"] == 1


def test_what_was_trained_is_projected_with(finished: Path, tmp_path: Path) -> None:
    corpus, store = str(finished / "corpus"), str(tmp_path / "store")
    with pytest.raises(ModelError, match="has no model yet"):
        project(quick(), corpus, "es", ["en"], store, str(tmp_path / "out"))
    trained = train(quick(), corpus, "es", ["en"], store)
    assert latest_model(store, collection(corpus, "es", ["en"], quick())) == trained
    assert not (tmp_path / "store" / "projections").exists()
    counts = project(quick(), corpus, "es", ["en"], store, str(tmp_path / "out"))
    assert counts.documents == 6 and model_of(tmp_path)[1] == trained
    assert Store(store).read_record(f"runs/{trained}.json") is not None
    assert (tmp_path / "out" / "en" / "run.tsv").read_bytes() == (finished / "out" / "en" / "run.tsv").read_bytes()
