"""``spanferry score``, as its users meet it."""

import json
from pathlib import Path

import pytest

from tests.flows.commands.terminal import call

HEADER = "filename\tlabel\tstart_span\tend_span\ttext\n"
GOLD = HEADER + "a\tDISEASE\t10\t18\tx\na\tDISEASE\t5\t13\tx\n"
PREDICTED = HEADER + "a\tDISEASE\t10\t18\tx\na\tDISEASE\t5\t12\tx\na\tDISEASE\t100\t110\tx\n"


@pytest.fixture
def tables(tmp_path: Path) -> tuple[str, str]:
    (tmp_path / "gold.tsv").write_text(GOLD, encoding="utf-8")
    (tmp_path / "pred.tsv").write_text(PREDICTED, encoding="utf-8")
    return str(tmp_path / "gold.tsv"), str(tmp_path / "pred.tsv")


def test_the_demos_scores_are_those_of_its_run_tsv(demo: tuple[Path, str]) -> None:
    out = demo[0]
    code, said = call("score", "--gold", str(out / "corpus" / "it"), "--pred", str(out / "results" / "it" / "run.tsv"), "--json")
    assert code == 0
    scored = {(row["label"], row["metric"]): row["score"]["f1"] for row in json.loads(said)}
    reported = json.loads((out / "results" / "scores.json").read_text("utf-8"))
    assert {(row["label"], row["metric"]): row["f1"] for row in reported if row["target_lang"] == "it"} == scored
    assert scored["*", "strict"] > 0.7


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
