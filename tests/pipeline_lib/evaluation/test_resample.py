"""Bootstrap intervals and the table of scores."""

import polars as pl
import pytest
from pydantic import ValidationError

from data_contracts.evaluation import SCORES
from pipeline_lib.evaluation.resample import ResampleConfig, intervals, score_table
from pipeline_lib.evaluation.scorer import document_statistics
from tests.pipeline_lib.evaluation.frames import GOLD, PREDICTED, frame

CONFIG = ResampleConfig()
MANY_GOLD = frame(*((f"d{number}", "A", 0, 10) for number in range(200)))
HALF_RIGHT = frame(*((f"d{number}", "A", 0, 10 if number % 2 else 5) for number in range(200)))


def test_the_table_holds_its_contract_and_ends_with_the_pooled_rows() -> None:
    table = score_table(GOLD, PREDICTED, "cz", CONFIG)
    SCORES.check(table)
    assert [(row["target_lang"], row["label"], row["metric"]) for row in table.to_pylist()] == [
        ("cz", "DISEASE", "strict"),
        ("cz", "DISEASE", "char"),
        ("cz", "*", "strict"),
        ("cz", "*", "char"),
    ]


def test_the_table_holds_the_official_figures() -> None:
    strict, char = score_table(GOLD, PREDICTED, "en", CONFIG).to_pylist()[-2:]
    assert (strict["f1"], strict["gold"], strict["predicted"], strict["matched"], strict["documents"]) == (0.4, 2, 3, 1, 2)
    assert (char["precision"], char["recall"], char["f1"], char["matched"]) == (0.6444, 0.9667, 0.7733, None)


def test_no_mentions_on_either_side_give_a_pooled_row_of_zeros() -> None:
    table = score_table(frame(), frame(), "en", CONFIG)
    SCORES.check(table)
    assert [(row["label"], row["f1"], row["low"], row["high"], row["documents"]) for row in table.to_pylist()] == [("*", 0, 0, 0, 0)] * 2


def test_the_profile_decides_what_is_scored() -> None:
    gold, pred = (side.with_columns(text=pl.lit("x")) for side in (GOLD.head(1), PREDICTED))
    assert score_table(gold, pred, "en", CONFIG, "multicardioner").to_pylist()[0]["f1"] == 1.0


def test_one_seed_gives_one_table_and_another_seed_another() -> None:
    first, again = (score_table(MANY_GOLD, HALF_RIGHT, "en", CONFIG) for _ in range(2))
    assert first.equals(again)
    assert not first.equals(score_table(MANY_GOLD, HALF_RIGHT, "en", ResampleConfig(seed=14)))


def test_a_perfect_score_is_certain() -> None:
    assert intervals(document_statistics(MANY_GOLD, MANY_GOLD), CONFIG) == {"strict": (1.0, 1.0), "char": (1.0, 1.0)}


def test_the_interval_of_a_share_is_that_of_the_binomial() -> None:
    """200 documents, half of them right: F1 is the share of right ones, sd sqrt(.25 / 200) = .0354, 1.96 sd = .0693."""
    low, high = intervals(document_statistics(MANY_GOLD, HALF_RIGHT), ResampleConfig(replicates=4000))["strict"]
    assert low == pytest.approx(0.5 - 0.0693, abs=0.01)
    assert high == pytest.approx(0.5 + 0.0693, abs=0.01)


def test_a_lower_level_gives_a_narrower_interval() -> None:
    statistics = document_statistics(MANY_GOLD, HALF_RIGHT)
    (low, high), (inner_low, inner_high) = (intervals(statistics, ResampleConfig(level=level))["char"] for level in (0.95, 0.5))
    assert low < inner_low < inner_high < high


@pytest.mark.parametrize("settings", [{"replicates": 0}, {"level": 1.0}, {"seed": -1}, {"replicate": 10}])
def test_settings_out_of_range_or_unknown_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        ResampleConfig.model_validate(settings)


def test_no_documents_give_replicates_of_nothing() -> None:
    assert intervals(document_statistics(frame(), frame()), CONFIG) == {"strict": (0.0, 0.0), "char": (0.0, 0.0)}
