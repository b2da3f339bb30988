"""``spanferry demo`` and ``spanferry run``, as their users meet them."""

import json
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


def test_no_target_language_is_a_usage_error(tmp_path: Path) -> None:
    code, said = call(
        "run", "embedded", "--corpus", str(tmp_path), "--targets", " , ", "--store", str(tmp_path / "s"), "--out", str(tmp_path / "o")
    )
    assert code == 2
    assert "--targets" in said
