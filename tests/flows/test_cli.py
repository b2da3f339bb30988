"""The console script, as its users meet it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli import app
from tests.flows.tiny import QUICK, small_corpus

HEADER = "filename\tlabel\tstart_span\tend_span\ttext\n"
GOLD = HEADER + "a\tDISEASE\t10\t18\tx\na\tDISEASE\t5\t13\tx\n"
PREDICTED = HEADER + "a\tDISEASE\t10\t18\tx\na\tDISEASE\t5\t12\tx\na\tDISEASE\t100\t110\tx\n"
SETTINGS = [word for setting in QUICK for word in ("--set", setting)]


def call(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "80"})
    assert "Traceback" not in result.output
    return result.exit_code, result.output


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, prefect_server: None) -> tuple[Path, str]:
    """The demo with a small student: its folder and what it printed."""
    out = tmp_path_factory.mktemp("demo")
    code, said = call("demo", "--out", str(out), *SETTINGS)
    assert code == 0, said
    return out, said


def test_the_demo_ends_with_its_verdict(demo: tuple[Path, str]) -> None:
    last = demo[1].rstrip().splitlines()[-1]
    assert last.startswith("demo: OK 24 documents, 6 languages, ")


def test_the_demo_shows_scores_and_paths_that_exist(demo: tuple[Path, str]) -> None:
    out, said = demo
    assert "strict F1" in said and all(f"\n {lang} " in said for lang in ("en", "it", "nl", "sv", "ro", "cz"))
    wrote = [Path(line.removeprefix("wrote ")) for line in said.splitlines() if line.startswith("wrote ")]
    assert out / "results" / "cz" / "run.tsv" in wrote
    assert all(path.is_file() for path in wrote)


def test_the_demos_scores_are_those_of_its_run_tsv(demo: tuple[Path, str]) -> None:
    out = demo[0]
    code, said = call("score", "--gold", str(out / "corpus" / "it"), "--pred", str(out / "results" / "it" / "run.tsv"), "--json")
    assert code == 0
    scored = {(row["label"], row["metric"]): row["score"]["f1"] for row in json.loads(said)}
    reported = json.loads((out / "results" / "scores.json").read_text("utf-8"))
    assert {(row["label"], row["metric"]): row["f1"] for row in reported if row["target_lang"] == "it"} == scored
    assert scored["*", "strict"] > 0.7


def test_show_prints_both_texts(demo: tuple[Path, str]) -> None:
    out = demo[0]
    code, said = call("show", "case-01", "--target", "en", "--out", str(out / "results"))
    assert code == 0
    for lang in ("es", "en"):
        assert (out / "corpus" / lang / "case-01.txt").read_text("utf-8").split()[0] in said


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


@pytest.fixture
def tables(tmp_path: Path) -> tuple[str, str]:
    (tmp_path / "gold.tsv").write_text(GOLD, encoding="utf-8")
    (tmp_path / "pred.tsv").write_text(PREDICTED, encoding="utf-8")
    return str(tmp_path / "gold.tsv"), str(tmp_path / "pred.tsv")


def test_score_gives_the_official_figures(tables: tuple[str, str]) -> None:
    code, said = call("score", "--gold", tables[0], "--pred", tables[1])
    assert code == 0
    assert all(figure in said for figure in ("0.3333", "0.5000", "0.4000", "0.6444", "0.9667", "0.7733"))


def test_score_of_one_label_leaves_the_others_out(tables: tuple[str, str]) -> None:
    code, said = call("score", "--gold", tables[0], "--pred", tables[1], "--label", "SYMPTOM", "--json")
    assert code == 0
    assert all(row["score"]["gold"] == 0 for row in json.loads(said))


def test_score_refuses_a_table_without_a_column(tables: tuple[str, str]) -> None:
    Path(tables[1]).write_text("filename\tlabel\tstart_span\n", encoding="utf-8")
    code, said = call("score", "--gold", tables[0], "--pred", tables[1])
    assert code == 6
    assert "end_span" in said


def test_check_is_content_with_a_good_corpus(tmp_path: Path) -> None:
    code, said = call("check", str(small_corpus(tmp_path / "corpus", count=3)))
    assert code == 0
    assert "nothing rejected" in said


def test_check_changes_nothing_and_exits_with_three_when_something_is_rejected(tmp_path: Path) -> None:
    corpus = small_corpus(tmp_path / "corpus", count=1)
    (corpus / "es" / "empty.txt").write_text(" ", encoding="utf-8")
    before = {path: path.read_bytes() for path in corpus.rglob("*") if path.is_file()}
    code, said = call("check", str(corpus))
    assert code == 3
    assert "empty_document" in said
    assert {path: path.read_bytes() for path in corpus.rglob("*") if path.is_file()} == before


def test_no_target_language_is_a_usage_error(tmp_path: Path) -> None:
    code, said = call(
        "run", "embedded", "--corpus", str(tmp_path), "--targets", " , ", "--store", str(tmp_path / "s"), "--out", str(tmp_path / "o")
    )
    assert code == 2
    assert "--targets" in said


def test_help_names_every_command() -> None:
    code, said = call("--help")
    assert code == 0
    assert all(f" {command} " in said for command in ("demo", "run", "score", "check", "show"))
