"""Scores of each document."""

import io

import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts import ContractError
from data_contracts.evaluation import DOCUMENT_SCORES
from pipeline_lib.evaluation.per_document import document_scores, parquet
from pipeline_lib.evaluation.scorer import char, label_statistics, strict
from tests.pipeline_lib.evaluation.frames import GOLD, PREDICTED, Row, frame

MENTION = st.tuples(st.sampled_from(["d1", "d2", "d3"]), st.sampled_from("AB"), st.integers(0, 12), st.integers(1, 8)).map(
    lambda drawn: (drawn[0], drawn[1], drawn[2], drawn[2] + drawn[3])
)


@settings(deadline=None)
@given(st.lists(MENTION, max_size=10), st.lists(MENTION, max_size=10))
def test_a_documents_rates_are_the_scores_of_that_document_alone(gold: list[Row], pred: list[Row]) -> None:
    table = document_scores(label_statistics(frame(*gold), frame(*pred)), "en")
    DOCUMENT_SCORES.check(table)
    for row in table.to_pylist():
        wanted = (row["document"],) if row["label"] == "*" else (row["document"], row["label"])
        sides = (frame(*(mention for mention in side if mention[: len(wanted)] == wanted)) for side in (gold, pred))
        kept = tuple(sides)
        for metric, official in (("strict", strict(*kept)), ("char", char(*kept))):
            rates = [round(row[f"{metric}_{name}"], 4) for name in ("precision", "recall", "f1")]
            assert rates == pytest.approx([official.precision, official.recall, official.f1], abs=1.01e-4)
            assert (row["gold"], row["predicted"]) == (official.gold, official.predicted)


def test_the_fixture_has_a_row_a_document_and_label() -> None:
    rows = document_scores(label_statistics(GOLD, PREDICTED), "en").to_pylist()
    assert [(row["target_lang"], row["document"], row["label"]) for row in rows] == [
        ("en", "d1", "*"),
        ("en", "d1", "DISEASE"),
        ("en", "d2", "*"),
        ("en", "d2", "DISEASE"),
    ]
    assert rows[3] == pytest.approx(
        {
            "target_lang": "en",
            "document": "d2",
            "label": "DISEASE",
            **{"gold": 1, "predicted": 2, "tp": 0, "fp": 2, "fn": 1, "gold_best": 14 / 15, "pred_best": 14 / 15},
            **{"strict_precision": 0.0, "strict_recall": 0.0, "strict_f1": 0.0},
            **{"char_precision": 7 / 15, "char_recall": 14 / 15, "char_f1": 28 / 45},
        }
    )


def test_no_mentions_give_no_rows() -> None:
    assert document_scores(label_statistics(frame(), frame()), "en").num_rows == 0


def test_the_file_holds_all_languages_and_names_its_contract() -> None:
    statistics = label_statistics(GOLD, PREDICTED)
    content = parquet([document_scores(statistics, lang) for lang in ("cz", "en")])
    assert pl.read_parquet(io.BytesIO(content))["target_lang"].to_list() == ["cz"] * 4 + ["en"] * 4
    assert pq.read_schema(io.BytesIO(content)).metadata[b"spanferry.contract"] == DOCUMENT_SCORES.id.encode()


def test_a_language_written_twice_breaks_the_contract() -> None:
    table = document_scores(label_statistics(GOLD, PREDICTED), "en")
    with pytest.raises(ContractError, match="4 duplicate rows"):
        parquet([table, table])
