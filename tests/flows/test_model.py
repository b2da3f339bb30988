import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from flows.model import Model, ModelError, load_model, model_record, run_id
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.store import Store
from tests.flows.parts import Parts


def run_name(parts: Parts) -> str:
    return str(json.loads((parts.out / "run.json").read_text("utf-8"))["run"])


def load(parts: Parts, run: str, source: str = "es", targets: tuple[str, ...] = ("en", "cz"), store: Store | None = None) -> Model:
    return load_model(store or parts.store, run, source, list(targets))


def same(ref: ArtifactRef) -> ArtifactRef:
    return replace(ref, reused=False, seconds=0.0)


@pytest.fixture
def own(parts: Parts, tmp_path: Path) -> Store:
    """A copy of the store."""
    shutil.copytree(parts.folder / "store", tmp_path / "store")
    return Store(str(tmp_path / "store"))


def test_it_is_found_by_the_runs_id_and_by_its_output_folder(parts: Parts) -> None:
    by_id, by_folder = load(parts, run_name(parts)), load(parts, str(parts.out))
    assert by_id == by_folder
    assert (by_id.run, by_id.shards) == (run_name(parts), 2)


def test_it_is_the_one_that_the_run_made(parts: Parts) -> None:
    loaded = load(parts, run_name(parts)).pairs
    assert list(loaded) == ["en", "cz"]
    for lang, pair in loaded.items():
        made = parts.models[lang]
        assert (pair.teachers, pair.edges, pair.student) == (same(made.teachers), same(made.edges), same(made.student))
        assert (pair.corpus_edges, pair.memory) == (same(made.corpus_edges), same(made.memory))


def test_its_parts_go_by_language(parts: Parts) -> None:
    model = load(parts, run_name(parts))
    assert list(model.counted) == list(model.pairs) == ["en", "cz"]
    for lang, pair in model.pairs.items():
        assert (model.teachers[lang], model.edges[lang], model.students[lang]) == (pair.teachers, pair.edges, pair.student)
        assert (model.counted[lang].edges, model.counted[lang].memory) == (pair.corpus_edges, pair.memory)


@pytest.mark.parametrize("lacking", [["corpus_edges", "memory"], ["memory"]])
def test_the_record_of_an_earlier_release_is_refused_with_what_it_lacks(parts: Parts, tmp_path: Path, lacking: list[str]) -> None:
    record = json.loads((parts.out / "run.json").read_text("utf-8"))
    for name in lacking:
        del record["models"]["en"][name]
    (tmp_path / "run.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(ModelError, match=f"made by an earlier release and has no {', '.join(lacking)}: run without --model"):
        load(parts, str(tmp_path))
    assert list(load(parts, str(tmp_path), targets=("cz",)).pairs) == ["cz"]


def test_only_the_languages_asked_for_are_loaded(parts: Parts, own: Store) -> None:
    shutil.rmtree(Path(own.root) / "teachers" / "es-cz")
    assert list(load(parts, run_name(parts), targets=("en",), store=own).pairs) == ["en"]


def test_another_source_language_is_refused(parts: Parts) -> None:
    with pytest.raises(ModelError, match="carries from es, not from en"):
        load(parts, run_name(parts), source="en", targets=("cz",))


def test_a_language_that_was_not_learnt_is_refused_with_those_that_were(parts: Parts) -> None:
    with pytest.raises(ModelError, match="has no it, nl; it has cz, en"):
        load(parts, run_name(parts), targets=("en", "it", "nl"))


@pytest.mark.parametrize(
    "file",
    [
        "teachers/es-en/*/lexical_values.safetensors",
        "edge_statistics/es-en/*.parquet",
        "student/es-en/*/model.safetensors",
        "corpus_edges/es-en/*.parquet",
        "memory/es-en/*.parquet",
    ],
)
@pytest.mark.parametrize(
    "damage", [lambda path: path.write_bytes(path.read_bytes()[:-1]), lambda path: path.unlink()], ids=["damaged", "missing"]
)
def test_a_damaged_or_missing_artifact_is_named(parts: Parts, own: Store, file: str, damage: Callable[[Path], object]) -> None:
    (path,) = Path(own.root).glob(file)
    damage(path)
    name = f"{file.split('/')[0]}/es-en/"
    with pytest.raises(ModelError, match=f"artifact {name}[0-9a-f]+ of the model is missing or damaged"):
        load(parts, run_name(parts), store=own)
    with pytest.raises(ModelError, match=name):
        load(parts, str(parts.out), store=own)


def test_an_output_folder_needs_the_store_of_its_run(parts: Parts, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="missing or damaged"):
        load(parts, str(parts.out), store=Store(str(tmp_path)))


@pytest.mark.parametrize(
    "name", ["../../secret", "../runs/{run}", "./{run}", "{run}.json", "/{run}", "", "..", "-", "{run}/../{run}", "{run}\0"]
)
def test_what_is_no_runs_name_never_becomes_a_path_of_the_store(
    parts: Parts, own: Store, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Path(own.root) / "runs" / f"{run_name(parts)}.json"
    shutil.copy(record, Path(own.root).parent / "secret.json")
    shutil.copy(record, Path(own.root) / "runs" / f"{run_name(parts)}.json.json")
    shutil.copy(record, Path(own.root) / "runs" / ".json")
    monkeypatch.chdir(own.root)
    with pytest.raises(ModelError, match="give a run's id"):
        load(parts, name.format(run=run_name(parts)), store=own)


def test_an_unknown_run_is_named(parts: Parts) -> None:
    with pytest.raises(ModelError, match="no run run-ffffffffffff"):
        load(parts, "run-ffffffffffff")


def test_a_runs_id_depends_on_its_artifacts_their_order_the_config_and_the_model() -> None:
    others = [(["b", "a"], "x = 1", None), (["a", "b"], "x = 2", None), (["ab"], "x = 1", None), (["a", "b"], "x = 1", "run-0")]
    names = {run_id(["a", "b"], "x = 1", None), *(run_id(*other) for other in others)}
    assert len(names) == 5
    assert run_id(["a", "b"], "x = 1", None) in names
    assert all(name.startswith("run-") and len(name) == 16 for name in names)


def test_the_record_is_json_and_knows_no_times(parts: Parts) -> None:
    record = model_record(parts.models)
    assert json.loads(json.dumps(record)) == record
    assert "seconds" not in json.dumps(record) and "reused" not in json.dumps(record)


@pytest.mark.parametrize("content", ["{}", "not json", "[]"])
def test_a_run_json_of_somebody_else_is_no_model(parts: Parts, tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_text(content, encoding="utf-8")
    with pytest.raises(ModelError, match="not the record of a run"):
        load(parts, str(tmp_path))
