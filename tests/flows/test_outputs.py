import json
from dataclasses import replace
from pathlib import Path

import pytest

from flows.outputs import read_outputs
from pipeline_lib.evaluation.summary import Counts

COUNTS = Counts(
    2,
    7,
    {"en": 6, "it": 5},
    {("it", "no_span"): 2, ("en", "no_target_document"): 1},
    {"en": 3, "it": 0},
    {("it", "malformed_line"): 4},
    {("ingest", "bad_line"): 3},
    {"tab": 4, "bom": 1},
)
SCORE = {"target_lang": "en", "label": "*", "metric": "strict", "f1": 0.8123, "matched": 5}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "scores.json").write_text(json.dumps([SCORE, {**SCORE, "metric": "char", "matched": None}]), encoding="utf-8")
    (tmp_path / "run.json").write_text(json.dumps({"run": "run-1", "model": "run-1", "files": {}}), encoding="utf-8")
    return tmp_path


def test_the_figures_are_one_json_object(out: Path) -> None:
    figures = read_outputs(out, COUNTS).figures
    assert json.loads(json.dumps(figures)) == {
        "run": "run-1",
        "model": "run-1",
        "out": str(out),
        "documents": 2,
        "mentions": 7,
        "projected": {"en": 6, "it": 5},
        "abstentions": [
            {"target_lang": "it", "reason": "no_span", "mentions": 2},
            {"target_lang": "en", "reason": "no_target_document", "mentions": 1},
        ],
        "carried": {"en": 3, "it": 0},
        "stayed": [{"target_lang": "it", "reason": "malformed_line", "lines": 4}],
        "rejects": [{"stage": "ingest", "code": "bad_line", "count": 3}],
        "warnings": {"tab": 4, "bom": 1},
        "scores": [SCORE, {**SCORE, "metric": "char", "matched": None}],
    }


def test_the_rows_of_the_tables_end_in_their_number(out: Path) -> None:
    outputs = read_outputs(out, COUNTS)
    assert outputs.abstentions() == [("it", "no_span", 2), ("en", "no_target_document", 1)]
    assert outputs.rejects() == [("ingest", "bad_line", 3)]
    assert outputs.carried_sentence().startswith("3 ") and "; 4 stayed behind" in outputs.carried_sentence()
    assert outputs.warning_sentence().startswith("5 places of 2 kinds")
    assert outputs.counts == COUNTS


def test_scores_are_a_table(out: Path) -> None:
    assert read_outputs(out, COUNTS).scores.select("metric", "f1").rows() == [("strict", 0.8123), ("char", 0.8123)]


def test_without_gold_there_are_no_scores(out: Path) -> None:
    (out / "scores.json").write_text("[]", encoding="utf-8")
    outputs = read_outputs(out, replace(COUNTS, abstentions={}, rejects={}))
    assert outputs.scores.height == 0
    assert (outputs.figures["scores"], outputs.figures["abstentions"], outputs.figures["rejects"]) == ([], [], [])


def test_it_says_how_to_use_a_model_again(out: Path) -> None:
    assert read_outputs(out, COUNTS).model_sentence() == "fitted on this corpus, use it again with --model run-1"


def test_it_says_whose_model_was_used(out: Path) -> None:
    (out / "run.json").write_text(json.dumps({"run": "run-2", "model": "run-1"}), encoding="utf-8")
    assert read_outputs(out, COUNTS).model_sentence() == "taken from run-1"
