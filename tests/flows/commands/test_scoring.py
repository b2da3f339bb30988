"""``spanferry score``, as its users meet it."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline_lib.evaluation.resample import ResampleConfig
from tests.flows.commands.terminal import call

HEADER = "filename\tlabel\tstart_span\tend_span\ttext\n"
GOLD = HEADER + "d1\tDISEASE\t10\t18\tx\nd2\tDISEASE\t5\t13\tx\n"
PREDICTED = HEADER + "d1\tDISEASE\t10\t18\tx\nd2\tDISEASE\t5\t12\tx\nd2\tDISEASE\t100\t110\tx\n"
FIXTURE = [0.3333, 0.5, 0.4, 0.6444, 0.9667, 0.7733]
# gold, predictions, profile, then strict P, R, F1 and char P, R, F1
PARITY = {
    "the scorer's fixture": (GOLD, PREDICTED, "multiclin", FIXTURE),
    "the fixture, set equality with text": (GOLD, PREDICTED, "multicardioner", FIXTURE),
    "another text": (GOLD, PREDICTED.replace("\tx", "\ty"), "multiclin", FIXTURE),
    "another text, compared": (GOLD, PREDICTED.replace("\tx", "\ty"), "multicardioner", [0.0, 0.0, 0.0, *FIXTURE[3:]]),
    "a leading quote, quoted": (GOLD.replace("\tx", '\t"""x"'), PREDICTED.replace("\tx", '\t"""x"'), "multicardioner", FIXTURE),
    "gold written twice": (GOLD + "d2\tDISEASE\t5\t13\tx\n", PREDICTED, "multiclin", [0.3333, 0.3333, 0.3333, 0.6444, 0.9556, 0.7698]),
    "predictions written twice": (GOLD, PREDICTED + "d2\tDISEASE\t5\t12\ty\n", "multiclin", FIXTURE),
    "an unknown document": (GOLD, PREDICTED + "d3\tDISEASE\t0\t5\tx\n", "multiclin", [0.25, 0.5, 0.3333, 0.4833, 0.9667, 0.6444]),
    "an unknown document, left out": (GOLD, PREDICTED + "d3\tDISEASE\t0\t5\tx\n", "multicardioner", FIXTURE),
    "the header typo": (GOLD.replace("start_span", "strat_span"), PREDICTED, "multiclin", FIXTURE),
    "extra columns": (GOLD.replace("\ttext", "\ttext\tcode").replace("\tx", "\tx\t38341003"), PREDICTED, "multiclin", FIXTURE),
}


@pytest.fixture
def tables(tmp_path: Path) -> tuple[str, str]:
    return written(tmp_path / "gold.tsv", GOLD), written(tmp_path / "pred.tsv", PREDICTED)


def written(path: Path, content: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return str(path)


def figures(*arguments: str) -> dict[str, Any]:
    code, said = call("score", *arguments, "--json")
    assert code == 0, said
    found: dict[str, Any] = json.loads(said)
    return found


def rates(found: dict[str, Any], lang: str = "") -> list[float]:
    """Strict P, R, F1 and char P, R, F1 of all labels."""
    rows = [row for row in found["scores"] if (row["target_lang"], row["label"]) == (lang, "*")]
    return [row[name] for row in rows for name in ("precision", "recall", "f1")]


def test_the_demos_scores_are_those_of_its_run_tsv(demo: tuple[Path, str]) -> None:
    out = demo[0]
    found = figures("--gold", str(out / "corpus" / "it"), "--pred", str(out / "results" / "it" / "run.tsv"))["scores"]
    reported = json.loads((out / "results" / "scores.json").read_text("utf-8"))
    assert [row | {"target_lang": "it"} for row in found] == [row for row in reported if row["target_lang"] == "it"]


def test_the_demos_folders_are_scored_a_language_at_a_time(demo: tuple[Path, str]) -> None:
    """The source is left out, though its annotations lie in both folders: nothing was predicted there."""
    out = demo[0]
    found = figures("--gold", str(out / "corpus"), "--pred", str(out / "results"))
    reported = json.loads((out / "results" / "scores.json").read_text("utf-8"))
    assert found["scores"] == sorted(reported, key=lambda row: row["target_lang"])
    assert found["unpaired_languages"] == ["es"]
    strict = [row["f1"] for row in reported if row["metric"] == "strict" and row["label"] != "*"]
    assert len(strict) == 18
    assert found["mean_f1"]["strict"] == pytest.approx(sum(strict) / 18, abs=5.1e-5)


@pytest.mark.parametrize("case", PARITY)
def test_score_gives_the_official_figures(tmp_path: Path, case: str) -> None:
    gold, pred, profile, expected = PARITY[case]
    sides = ("--gold", written(tmp_path / "gold.tsv", gold), "--pred", written(tmp_path / "pred.tsv", pred))
    assert rates(figures(*sides, "--profile", profile)) == expected


def test_a_fragmented_mention_is_scored_by_its_envelope(tmp_path: Path) -> None:
    written(tmp_path / "gold" / "d1.ann", "T1\tDISEASE 10 12;15 18\tab cde\n")
    written(tmp_path / "gold" / "d2.ann", "T1\tDISEASE 5 8;9 13\tabc defg\n")
    assert rates(figures("--gold", str(tmp_path / "gold"), "--pred", written(tmp_path / "pred.tsv", PREDICTED))) == FIXTURE


def test_the_terminal_shows_four_decimals_and_the_interval(tables: tuple[str, str]) -> None:
    code, said = call("score", "--gold", tables[0], "--pred", tables[1])
    assert code == 0
    rows = [line.split() for line in said.splitlines() if line.split()[:1] == ["all"]]
    assert rows == [
        ["all", "strict", "0.3333", "0.5000", "0.4000", ".000-1.000", "2", "3", "1"],
        ["all", "char", "0.6444", "0.9667", "0.7733", ".622-1.000", "2", "3"],
    ]


def test_the_defaults_of_the_bootstrap_are_its_configs(tables: tuple[str, str]) -> None:
    config, sides = ResampleConfig(), ("--gold", tables[0], "--pred", tables[1])
    plain = figures(*sides)
    assert plain == figures(*sides, "--replicates", str(config.replicates), "--seed", str(config.seed))
    assert plain != figures(*sides, "--replicates", "1")


def test_score_of_one_label_leaves_the_others_out(tables: tuple[str, str]) -> None:
    found = figures("--gold", tables[0], "--pred", tables[1], "--label", "SYMPTOM")
    assert [row["gold"] for row in found["scores"]] == [0, 0]


def test_score_refuses_a_table_without_a_column(tables: tuple[str, str]) -> None:
    Path(tables[1]).write_text("filename\tlabel\tstart_span\n", encoding="utf-8")
    code, said = call("score", "--gold", tables[0], "--pred", tables[1])
    assert code == 6
    assert "end_span" in said


def test_score_refuses_a_text_whose_quote_was_not_quoted(tables: tuple[str, str]) -> None:
    written(Path(tables[1]), HEADER + 'd1\tDISEASE\t10\t18\t"secreto\nd2\tDISEASE\t5\t12\tb"\n')
    code, said = call("score", "--gold", tables[0], "--pred", tables[1])
    assert code == 6
    assert "pred.tsv: row 1 swallows the rows below it" in said
    assert "secreto" not in said


def test_only_listed_documents_count_on_both_sides(tables: tuple[str, str], tmp_path: Path) -> None:
    listed = written(tmp_path / "scored.txt", "d1.txt\nd7\nd8\n")
    sides = ("--gold", tables[0], "--pred", tables[1], "--scored", listed)
    found = figures(*sides)
    assert rates(found) == [1.0] * 6
    assert found["absent_documents"] == 2
    assert "listed documents without a mention on either side: 2" in call("score", *sides)[1]


def test_a_list_of_other_documents_is_refused(tables: tuple[str, str], tmp_path: Path) -> None:
    code, said = call("score", "--gold", tables[0], "--pred", tables[1], "--scored", written(tmp_path / "scored.txt", "d7\nd8\n"))
    assert code == 6
    assert "none of the 2 listed documents" in said


def test_a_list_that_cannot_be_read_is_an_error_of_the_corpus(tables: tuple[str, str], tmp_path: Path) -> None:
    code, said = call("score", "--gold", tables[0], "--pred", tables[1], "--scored", str(tmp_path / "none.txt"))
    assert code == 4
    assert "none.txt: unreadable" in said


def test_the_scores_of_each_document_are_written(tables: tuple[str, str], tmp_path: Path) -> None:
    file = tmp_path / "new" / "scores.parquet"
    code, _ = call("score", "--gold", tables[0], "--pred", tables[1], "--per-document", str(file))
    assert code == 0
    assert pl.read_parquet(file).select("document", "label", "tp", "fp", "strict_f1").rows() == [
        ("d1", "*", 1, 0, 1.0),
        ("d1", "DISEASE", 1, 0, 1.0),
        ("d2", "*", 0, 2, 0.0),
        ("d2", "DISEASE", 0, 2, 0.0),
    ]


def test_a_file_that_cannot_be_written_is_said_in_one_line(tables: tuple[str, str], tmp_path: Path) -> None:
    code, said = call("score", "--gold", tables[0], "--pred", tables[1], "--per-document", str(tmp_path))
    assert code == 5
    assert "cannot be written" in said
    assert not list(tmp_path.parent.glob(".writing-*"))


def test_folders_of_languages_are_scored_one_after_another(tmp_path: Path) -> None:
    for lang, pred in (("en", PREDICTED), ("cz", GOLD)):
        written(tmp_path / "gold" / lang / "gold.tsv", GOLD)
        written(tmp_path / "pred" / lang / "run.tsv", pred)
    written(tmp_path / "pred" / "it" / "run.tsv", GOLD)
    sides = ("--gold", str(tmp_path / "gold"), "--pred", str(tmp_path / "pred"))
    found = figures(*sides)
    assert (rates(found, "cz"), rates(found, "en")) == ([1.0] * 6, FIXTURE)
    assert found["mean_f1"] == {"strict": 0.7, "char": 0.8866}
    said = call("score", *sides)[1]
    assert "mean F1 over languages and labels: strict 0.7000 char 0.8866" in said
    assert "not scored, on one side only: it" in said


def test_gold_beside_its_text_is_scored_as_a_run_scores_it(tmp_path: Path) -> None:
    """Counted without the BOM, under a label of its own, with a mention that its text does not hold."""
    written(tmp_path / "gold" / "d1.txt", "\ufeffhigh fever")
    written(tmp_path / "gold" / "d1.ann", "T1\tENFERMEDAD 5 10\tfever\nT2\tENFERMEDAD 90 95\tfever\n")
    pred = written(tmp_path / "pred.tsv", HEADER + "d1\tDISEASE\t6\t11\tfever\n")
    sides = ("--gold", str(tmp_path / "gold"), "--pred", pred, "--set", "corpus.aliases.ENFERMEDAD=DISEASE")
    found = figures(*sides)
    assert (rates(found), found["gold_left_out"]) == ([1.0] * 6, 1)
    assert "annotations of the gold that a run rejects, left out: 1" in call("score", *sides)[1]


def test_a_setting_that_changes_no_score_is_refused(tables: tuple[str, str]) -> None:
    code, said = call("score", "--gold", tables[0], "--pred", tables[1], "--set", "corpus.layout=plain")
    assert code == 2
    assert "corpus.layout" in said
