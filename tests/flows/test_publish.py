"""A run's student in a folder for others: whole, the same bytes each time, readable without us, and silent about texts."""

import json
from pathlib import Path
from typing import Any

import pytest

from flows.model import ModelError
from flows.publish import PROVENANCE, publish
from pipeline_lib.corpus.samples import documents
from pipeline_lib.storage.catalog import fingerprint_of
from pipeline_lib.storage.store import Store, StoreError
from pipeline_lib.storage.whole_folder import FolderError
from tests.card_lines import run_lines
from tests.flows.students import FITTED, PAPER, PINNED

FILES = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "training_log.json"}


@pytest.fixture(scope="module")
def published(students: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The paper run's student."""
    out = tmp_path_factory.mktemp("published") / "model"
    publish(students, PAPER, out)
    return out


def read(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def record(students: Store, run: str) -> dict[str, Any]:
    found = students.read_record(f"runs/{run}.json")
    assert found is not None
    return found


def changed(students: Store, **changes: object) -> str:
    """A further run, which is the paper run but for ``changes``; its id."""
    found = {**record(students, PAPER), "run": "run-dddddddddddd", "model": "run-dddddddddddd", **changes}
    students.write_record("runs/run-dddddddddddd.json", found)
    return "run-dddddddddddd"


def test_the_folder_holds_the_student_as_the_store_has_it_with_card_curve_and_provenance(students: Store, published: Path) -> None:
    student = Path(students.root) / "student" / "es-en" / record(students, PAPER)["models"]["en"]["student"]["fingerprint"]
    found = read(published)
    assert set(found) == FILES | {"README.md", "training_curve.png", PROVENANCE}
    assert {name: found[name] for name in FILES} == read(student)


def test_the_lines_of_the_card_run_in_it_where_spanferry_is_not(published: Path) -> None:
    (pairs,) = run_lines([published])
    assert len(pairs) >= 3
    assert all(ours in "El tren sale mañana a las ocho." and theirs in "The train leaves tomorrow at eight." for ours, theirs in pairs)


def test_the_same_run_gives_the_same_bytes_by_its_id_and_by_its_output_folder(students: Store, published: Path, tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "run.json").write_text(json.dumps(record(students, PAPER)), encoding="utf-8")
    publish(students, str(tmp_path / "results"), tmp_path / "another name")
    assert read(tmp_path / "another name") == read(published)


def test_the_card_tells_manifest_student_code_licence_and_scores(students: Store, published: Path) -> None:
    run, card = record(students, PAPER), (published / "README.md").read_text("utf-8")
    manifest = fingerprint_of(run["artifacts"][0].removesuffix(".parquet"))
    student = run["models"]["en"]["student"]["fingerprint"]
    made_of = json.loads((Path(students.root) / "student" / "es-en" / f"{student}.json").read_text("utf-8"))["made_of"]
    assert all(f"`{told}`" in card for told in (manifest, student, made_of["code"], "apache-2.0"))
    assert f"torch {made_of['libraries']['torch']}" in card
    assert "| en | 3 | 40 | 0.7500 (0.7500 to 0.7500) | 0.8750 (0.8750 to 0.8750) |" in card


def test_provenance_lists_the_artifacts_that_a_training_reads_and_no_others(students: Store, published: Path) -> None:
    """Mentions share the fingerprint of the documents that they were read with, and a teacher that is the start's model has the start's."""
    told = json.loads((published / PROVENANCE).read_text("utf-8"))
    assert [address.rsplit("/", 2)[0] for address in told["inputs"]] == [
        "documents/en", "documents/es", "encoders", "segment_pairs/es-en", "units/en", "units/es",
    ]  # fmt: skip
    assert told["student"] == f"student/es-en/{record(students, PAPER)['models']['en']['student']['fingerprint']}"


def test_no_line_of_a_text_no_document_and_no_place_is_told(students: Store, published: Path) -> None:
    root = Path(students.root).parent
    lines = {line for path in (root / "corpus").rglob("*.txt") for line in path.read_text("utf-8").splitlines() if line.strip()}
    surfaces = {line.split("\t")[2] for path in (root / "corpus").rglob("*.ann") for line in path.read_text("utf-8").splitlines()}
    said = "".join((published / name).read_text("utf-8") for name in ("README.md", PROVENANCE, "training_log.json", "config.json"))
    private = {*lines, *documents(), str(root), *(surface for surface in surfaces if len(surface) > 8)}
    assert len(private) > 50 and not [text for text in private if text in said]


def test_a_run_with_a_pinned_model_publishes_that_model_with_its_own_scores(students: Store, tmp_path: Path) -> None:
    published = publish(students, PINNED, tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert (published.run, published.model) == (PINNED, PAPER)
    assert f"student of run `{PAPER}`" in card and f"run `{PINNED}` projected" in card and "0.5000 (" in card


def test_a_run_that_has_no_scores_says_so(students: Store, tmp_path: Path) -> None:
    publish(students, changed(students, artifacts=record(students, PAPER)["artifacts"][:1]), tmp_path / "out")
    assert "had no gold" in (tmp_path / "out" / "README.md").read_text("utf-8")


def test_the_student_of_fitted_teachers_is_refused_in_one_sentence(students: Store, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=f"^the student of run {FITTED} is that of fitted teachers.* plain transformers cannot read"):
        publish(students, FITTED, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_of_languages_whose_students_differ_one_has_to_be_chosen(students: Store, tmp_path: Path) -> None:
    models, fitted = record(students, PAPER)["models"], record(students, FITTED)["models"]
    run = changed(students, models={**models, "it": fitted["en"]})
    with pytest.raises(ModelError, match="has 2 students: choose one with --target en or it"):
        publish(students, run, tmp_path / "out")
    with pytest.raises(ModelError, match="has no model into nl; it has en, it"):
        publish(students, run, tmp_path / "out", "nl")
    assert publish(students, run, tmp_path / "out", "en").student == publish(students, PAPER, tmp_path / "same").student


def test_nothing_is_written_into_a_folder_that_holds_something_or_from_damaged_files(students: Store, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine", encoding="utf-8")
    with pytest.raises(FolderError, match="is not empty: choose another --out"):
        publish(students, PAPER, tmp_path)
    models = record(students, PAPER)["models"]
    damaged = {"en": {"student": {**models["en"]["student"], "sha256": "0" * 64}}}
    with pytest.raises(StoreError, match="is damaged"):
        publish(students, changed(students, models=damaged), tmp_path / "out")
    without_scores = [record(students, PAPER)["artifacts"][0], f"scores/es-en/{'0' * 24}.parquet"]
    with pytest.raises(ModelError, match=r"^artifact scores/es-en/0+ is missing or damaged"):
        publish(students, changed(students, artifacts=without_scores), tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
