"""``spanferry demo`` and ``spanferry run``, as their users meet them."""

import json
import shutil
from pathlib import Path

from tests.flows.commands.terminal import call
from tests.flows.tiny import QUICK, small_corpus

SETTINGS = [word for setting in QUICK for word in ("--set", setting)]


def test_the_demo_ends_with_its_verdict(demo: tuple[Path, str]) -> None:
    last = demo[1].rstrip().splitlines()[-1]
    assert last.startswith("demo: OK 24 documents, 6 languages, ")


def test_the_demo_shows_scores_and_paths_that_exist(demo: tuple[Path, str]) -> None:
    out, said = demo
    assert "strict F1" in said and all(f"\n {lang} " in said for lang in ("en", "it", "nl", "sv", "ro", "cz"))
    wrote = [Path(line.removeprefix("wrote ")) for line in said.splitlines() if line.startswith("wrote ")]
    assert out / "results" / "cz" / "run.tsv" in wrote
    assert all(path.is_file() for path in wrote)


def test_a_run_with_json_prints_one_object_and_nothing_else(tmp_path: Path, prefect_server: None) -> None:
    corpus = small_corpus(tmp_path / "corpus", count=2)
    arguments = ["run", "embedded", "--corpus", str(corpus), "--targets", "en", "--store", str(tmp_path / "store"), *SETTINGS]
    code, said = call(*arguments, "--out", str(tmp_path / "out"), "--json")
    figures = json.loads(said)
    assert code == 0
    assert figures["documents"] == 2 and figures["run"].startswith("run-") and figures["rejects"] == []
    code, said = call(*arguments, "--out", str(tmp_path / "again"), "--model", figures["run"])
    assert code == 0
    assert f"model: taken from {figures['run']}" in said


def test_projecting_takes_the_languages_of_its_model_and_any_corpus_that_has_them(
    demo: tuple[Path, str], tmp_path: Path, prefect_server: None
) -> None:
    corpus = small_corpus(tmp_path / "corpus", langs=("es", "en", "it", "nl", "sv", "ro", "cz"), count=2)
    shutil.copytree(demo[0] / "store", tmp_path / "store")
    places = ["--corpus", str(corpus), "--store", str(tmp_path / "store"), "--out", str(tmp_path / "out")]
    arguments = ["project", "embedded", *places, *SETTINGS]
    code, said = call(*arguments, "--model", str(demo[0] / "results"), "--memory", "8GB", "--json")
    figures = json.loads(said)
    assert code == 0
    assert figures["documents"] == 2 and list(figures["projected"]) == ["en", "it", "nl", "sv", "ro", "cz"]
    assert figures["model"] == json.loads((demo[0] / "results" / "run.json").read_text("utf-8"))["run"]


def test_projecting_without_model_and_languages_is_a_usage_error(tmp_path: Path) -> None:
    code, said = call("project", "embedded", "--corpus", str(tmp_path), "--store", str(tmp_path / "s"), "--out", str(tmp_path / "o"))
    assert code == 2
    assert "--targets" in said


def test_projecting_with_a_model_that_is_not_there_ends_with_a_sentence(tmp_path: Path) -> None:
    corpus = small_corpus(tmp_path / "corpus", count=1)
    places = ["--corpus", str(corpus), "--store", str(tmp_path / "s"), "--out", str(tmp_path / "o")]
    code, said = call("project", "embedded", *places, "--model", "run-none")
    assert code == 5
    assert "no run run-none" in said


def test_no_target_language_is_a_usage_error(tmp_path: Path) -> None:
    code, said = call(
        "run", "embedded", "--corpus", str(tmp_path), "--targets", " , ", "--store", str(tmp_path / "s"), "--out", str(tmp_path / "o")
    )
    assert code == 2
    assert "--targets" in said
