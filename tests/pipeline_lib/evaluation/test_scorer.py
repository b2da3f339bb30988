"""Strict and character scores: the official fixture, laws, and a naive reference."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pipeline_lib.evaluation.annotations import ScoreInputError
from pipeline_lib.evaluation.scorer import Score, char, document_statistics, score, strict
from tests.pipeline_lib.evaluation.frames import GOLD, PREDICTED, Row, frame

MENTION = st.tuples(st.sampled_from(["d1", "d2", "d3"]), st.sampled_from("AB"), st.integers(0, 12), st.integers(1, 8)).map(
    lambda drawn: (drawn[0], drawn[1], drawn[2], drawn[2] + drawn[3])
)
MENTIONS = st.lists(MENTION, max_size=14)
# The first query of a process takes longer than hypothesis's deadline.
law = settings(deadline=None)
DISTINCT = st.lists(MENTION, max_size=14, unique=True)


def with_text(*rows: tuple[str, str, int, int, str | None]) -> pl.DataFrame:
    return frame(*(row[:4] for row in rows)).with_columns(pl.Series("text", [row[4] for row in rows], dtype=pl.String))


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


# Rows per label


def test_each_label_is_scored_and_then_all_pooled() -> None:
    gold = frame(("d1", "B", 0, 5), ("d2", "A", 0, 5))
    pred = frame(("d1", "B", 0, 5), ("d2", "C", 0, 5))
    found = [(row.label, row.metric, row.score.f1, row.documents) for row in score(gold, pred) if row.metric == "strict"]
    assert found == [("A", "strict", 0.0, 1), ("B", "strict", 1.0, 1), ("C", "strict", 0.0, 1), ("*", "strict", 0.5, 2)]


def test_labels_restrict_both_sides() -> None:
    pred = pl.concat([PREDICTED, frame(("d1", "OTHER", 0, 5))])
    assert score(GOLD, pred, labels=["DISEASE"])[-1].score == char(GOLD, PREDICTED)
    assert [row.label for row in score(GOLD, pred, labels=["DISEASE"])] == ["DISEASE", "DISEASE", "*", "*"]


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


# Against a naive reference


@law
@given(MENTIONS, MENTIONS)
def test_a_naive_double_loop_agrees(gold: list[Row], pred: list[Row]) -> None:
    distinct = list(dict.fromkeys(pred))
    assert strict(frame(*gold), frame(*pred)).matched == naive_matches(gold, distinct)
    found = char(frame(*gold), frame(*pred))
    assert found.recall == pytest.approx(naive_mean_best(gold, distinct), abs=6e-5)
    assert found.precision == pytest.approx(naive_mean_best(distinct, gold), abs=6e-5)


def naive_matches(gold: list[Row], pred: list[Row]) -> int:
    free = list(pred)
    matched = 0
    for mention in gold:
        if mention in free:
            free.remove(mention)
            matched += 1
    return matched


def naive_mean_best(mentions: list[Row], others: list[Row]) -> float:
    best = [max((naive_overlap(mention, other) for other in others), default=0.0) for mention in mentions]
    return sum(best) / len(best) if best else 0.0


def naive_overlap(left: Row, right: Row) -> float:
    shared = len(set(range(left[2], left[3])) & set(range(right[2], right[3])))
    return 2 * shared / (left[3] - left[2] + right[3] - right[2]) if left[:2] == right[:2] else 0.0
