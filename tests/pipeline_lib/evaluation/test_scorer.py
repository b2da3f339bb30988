"""Strict and character scores: the official fixture, laws, and the definitions restated as loops."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pipeline_lib.evaluation.annotations import ScoreInputError
from pipeline_lib.evaluation.scorer import (
    Score,
    by_label,
    char,
    document_statistics,
    label_statistics,
    macro_mean,
    of_labels,
    score_of,
    strict,
)
from tests.pipeline_lib.evaluation.frames import GOLD, PREDICTED, Row, frame
from tests.pipeline_lib.evaluation.official import official_char, official_strict

MENTION = st.tuples(st.sampled_from(["d1", "d2", "d3"]), st.sampled_from("AB"), st.integers(0, 12), st.integers(1, 8)).map(
    lambda drawn: (drawn[0], drawn[1], drawn[2], drawn[2] + drawn[3])
)
MENTIONS = st.lists(MENTION, max_size=14)
# The first query of a process takes longer than hypothesis's deadline.
law = settings(deadline=None)
DISTINCT = st.lists(MENTION, max_size=14, unique=True)


def with_text(*rows: tuple[str, str, int, int, str | None]) -> pl.DataFrame:
    return frame(*(row[:4] for row in rows)).with_columns(pl.Series("text", [row[4] for row in rows], dtype=pl.String))


@settings(deadline=None, max_examples=30)
@given(MENTIONS, MENTIONS)
def test_how_many_documents_are_looked_at_at_a_time_does_not_show(gold: list[Row], pred: list[Row]) -> None:
    whole = label_statistics(frame(*gold), frame(*pred))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline_lib.evaluation.scorer.DOCUMENTS_AT_ONCE", 1)
        assert_frame_equal(label_statistics(frame(*gold), frame(*pred)), whole, check_exact=True)


# The official fixture and each official detail


def test_the_official_fixture_gives_the_official_figures() -> None:
    assert strict(GOLD, PREDICTED) == Score(0.3333, 0.5, 0.4, gold=2, predicted=3, matched=1)
    assert char(GOLD, PREDICTED) == Score(0.6444, 0.9667, 0.7733, gold=2, predicted=3, matched=None)


def test_a_prediction_written_twice_counts_once() -> None:
    twice = pl.concat([PREDICTED, PREDICTED])
    assert strict(GOLD, twice) == strict(GOLD, PREDICTED)
    assert char(GOLD, twice) == char(GOLD, PREDICTED)


def test_gold_written_twice_beside_one_prediction_is_one_hit_and_one_miss() -> None:
    gold, pred = frame(("d1", "A", 0, 5), ("d1", "A", 0, 5)), frame(("d1", "A", 0, 5))
    assert strict(gold, pred) == Score(1.0, 0.5, 0.6667, gold=2, predicted=1, matched=1)
    assert char(gold, pred) == Score(1.0, 1.0, 1.0, gold=2, predicted=1, matched=None)


def test_a_file_name_with_and_without_txt_is_one_document() -> None:
    gold, pred = frame(("d1.txt", "A", 0, 5)), frame(("d1", "A", 0, 5), ("d1.txt", "A", 0, 5))
    assert strict(gold, pred) == Score(1.0, 1.0, 1.0, gold=1, predicted=1, matched=1)


def test_the_text_is_not_compared() -> None:
    gold, pred = with_text(("d1", "A", 0, 5, "tos")), with_text(("d1", "A", 0, 5, "cough"))
    assert strict(gold, pred).f1 == char(gold, pred).f1 == 1.0


def test_another_label_or_another_document_never_matches() -> None:
    gold = frame(("d1", "A", 0, 5))
    for pred in (frame(("d1", "B", 0, 5)), frame(("d2", "A", 0, 5))):
        assert strict(gold, pred).f1 == char(gold, pred).f1 == 0.0


def test_mentions_that_only_touch_share_nothing() -> None:
    assert char(frame(("d1", "A", 0, 5)), frame(("d1", "A", 5, 9))).f1 == 0.0


def test_one_prediction_may_serve_several_gold_mentions() -> None:
    gold, pred = frame(("d1", "A", 0, 4), ("d1", "A", 6, 10)), frame(("d1", "A", 0, 10))
    assert char(gold, pred) == Score(0.5714, 0.5714, 0.5714, gold=2, predicted=1, matched=None)
    assert strict(gold, pred).matched == 0


def test_predictions_in_documents_without_gold_are_false() -> None:
    pred = pl.concat([PREDICTED, frame(("d3", "DISEASE", 0, 5), ("d4", "DISEASE", 10, 18))])
    assert strict(GOLD, pred) == Score(0.2, 0.5, 0.2857, gold=2, predicted=5, matched=1)
    assert char(GOLD, pred) == Score(0.3867, 0.9667, 0.5524, gold=2, predicted=5, matched=None)


def test_gold_written_twice_weighs_twice() -> None:
    gold = pl.concat([GOLD, GOLD.tail(1)])
    assert strict(gold, PREDICTED) == Score(0.3333, 0.3333, 0.3333, gold=3, predicted=3, matched=1)
    assert char(gold, PREDICTED) == Score(0.6444, 0.9556, 0.7698, gold=3, predicted=3, matched=None)


def test_documents_of_either_side_alone_count() -> None:
    gold, pred = frame(("d1", "A", 0, 5), ("d2", "A", 0, 5)), frame(("d1", "A", 0, 5), ("d3", "A", 0, 5))
    assert strict(gold, pred) == Score(0.5, 0.5, 0.5, gold=2, predicted=2, matched=1)
    assert document_statistics(gold, pred).select("filename", "tp", "fp", "fn").rows() == [
        ("d1", 1, 0, 0),
        ("d2", 0, 0, 1),
        ("d3", 0, 1, 0),
    ]


@pytest.mark.parametrize(("gold", "pred"), [(frame(), PREDICTED), (GOLD, frame()), (frame(), frame())])
def test_an_empty_side_scores_zero(gold: pl.DataFrame, pred: pl.DataFrame) -> None:
    for result in (strict(gold, pred), char(gold, pred)):
        assert (result.precision, result.recall, result.f1) == (0.0, 0.0, 0.0)


def test_statistics_of_a_document_hold_the_best_overlaps() -> None:
    (first, second) = document_statistics(GOLD, PREDICTED).to_dicts()
    assert first == {"filename": "d1", "tp": 1, "fp": 0, "fn": 0, "gold_best": 1.0, "gold": 1, "pred_best": 1.0, "predicted": 1}
    assert (second["gold_best"], second["pred_best"], second["predicted"]) == (pytest.approx(14 / 15), pytest.approx(14 / 15), 2)


# Labels and languages


def test_each_label_is_scored_and_then_all_pooled() -> None:
    gold = frame(("d1", "B", 0, 5), ("d2", "A", 0, 5))
    pred = frame(("d1", "B", 0, 5), ("d2", "C", 0, 5))
    found = [(label, score_of(rows, "strict").f1, rows.height) for label, rows in by_label(label_statistics(gold, pred))]
    assert found == [("A", 0.0, 1), ("B", 1.0, 1), ("C", 0.0, 1), ("*", 0.5, 2)]


def test_labels_that_are_named_restrict_both_sides() -> None:
    statistics = label_statistics(GOLD, pl.concat([PREDICTED, frame(("d1", "OTHER", 0, 5))]))
    assert_frame_equal(of_labels(statistics, ["DISEASE"]), label_statistics(GOLD, PREDICTED))
    assert_frame_equal(of_labels(statistics, []), statistics)


def test_the_macro_mean_weighs_each_language_and_label_the_same() -> None:
    cells = [("en", "A", 1.0), ("en", "B", 0.5), ("cz", "A", 0.25), ("en", "*", 0.9), ("cz", "*", 0.9)]
    scores = pl.DataFrame(
        [
            {"target_lang": lang, "label": label, "metric": metric, "f1": f1 * scale}
            for lang, label, f1 in cells
            for metric, scale in (("strict", 0.5), ("char", 1))
        ]
    )
    assert macro_mean(scores) == {"strict": 0.2917, "char": 0.5833}


def test_the_macro_mean_of_no_label_is_zero() -> None:
    assert macro_mean(pl.DataFrame({"label": ["*"], "metric": ["strict"], "f1": [0.0]})) == {"strict": 0.0, "char": 0.0}


# The profile of MultiCardioNER


def test_multicardioner_compares_the_text_too() -> None:
    gold = with_text(("d1", "A", 0, 3, "tos"), ("d1", "A", 5, 8, "tos"), ("d1", "A", 9, 11, None))
    pred = with_text(("d1", "A", 0, 3, "tos"), ("d1", "A", 5, 8, "TOS"), ("d1", "A", 9, 11, None))
    assert strict(gold, pred, "multicardioner") == Score(0.6667, 0.6667, 0.6667, gold=3, predicted=3, matched=2)
    assert char(gold, pred, "multicardioner").f1 == 1.0


def test_multicardioner_leaves_out_documents_without_gold() -> None:
    gold, pred = with_text(("d1", "A", 0, 3, "tos")), with_text(("d1", "A", 0, 3, "tos"), ("d2", "A", 0, 3, "tos"))
    assert strict(gold, pred, "multicardioner").precision == char(gold, pred, "multicardioner").precision == 1.0
    assert strict(gold, pred).precision == char(gold, pred).precision == 0.5


def test_multicardioner_keeps_the_first_of_equal_predictions() -> None:
    gold, pred = with_text(("d1", "A", 0, 3, "tos")), with_text(("d1", "A", 0, 3, "TOS"), ("d1", "A", 0, 3, "tos"))
    assert strict(gold, pred, "multicardioner") == Score(0.0, 0.0, 0.0, gold=1, predicted=1, matched=0)


def test_multicardioner_on_the_fixture() -> None:
    """d2's two false predictions count, as in the other profile: d2 has gold."""
    gold, pred = (side.with_columns(text=pl.lit("x")) for side in (GOLD, PREDICTED))
    assert strict(gold, pred, "multicardioner") == Score(0.3333, 0.5, 0.4, gold=2, predicted=3, matched=1)
    without = pl.concat([pred, frame(("d3", "DISEASE", 0, 5)).with_columns(text=pl.lit("x"))])
    assert strict(gold, without, "multicardioner") == strict(gold, pred, "multicardioner")


def test_multicardioner_needs_the_text() -> None:
    with pytest.raises(ScoreInputError, match="column text"):
        strict(GOLD, PREDICTED, "multicardioner")


# Laws


@law
@given(st.lists(MENTION, min_size=1, max_size=14, unique=True))
def test_gold_against_itself_is_perfect(rows: list[Row]) -> None:
    gold = frame(*rows)
    for result in (strict(gold, gold), char(gold, gold)):
        assert (result.precision, result.recall, result.f1) == (1.0, 1.0, 1.0)


@law
@given(DISTINCT, DISTINCT)
def test_swapping_the_sides_swaps_precision_and_recall(left: list[Row], right: list[Row]) -> None:
    for metric in (strict, char):
        there, back = metric(frame(*left), frame(*right)), metric(frame(*right), frame(*left))
        assert (there.precision, there.recall, there.gold) == (back.recall, back.precision, back.predicted)


@law
@given(MENTIONS, MENTIONS)
def test_strict_is_never_above_char_where_gold_is_distinct(gold: list[Row], pred: list[Row]) -> None:
    sides = frame(*dict.fromkeys(gold)), frame(*pred)
    assert strict(*sides).f1 <= char(*sides).f1


@law
@given(MENTIONS, MENTIONS)
def test_the_order_of_rows_does_not_matter(gold: list[Row], pred: list[Row]) -> None:
    forwards, backwards = (document_statistics(frame(*gold[::step]), frame(*pred[::step])) for step in (1, -1))
    assert_frame_equal(forwards, backwards)


# Against the definitions, restated as loops


@law
@given(MENTIONS, MENTIONS)
def test_the_literal_definitions_give_the_same_four_decimals(gold: list[Row], pred: list[Row]) -> None:
    for metric, official in ((strict, official_strict), (char, official_char)):
        found = metric(frame(*gold), frame(*pred))
        # Half a unit of the fourth decimal: what rounding takes, and nothing else.
        assert (found.precision, found.recall, found.f1) == pytest.approx(official(gold, pred), abs=0.5e-4 + 1e-12)
