"""The contracts of scores: what a table of them must hold."""

import pytest

from data_contracts.contract import ContractError
from data_contracts.evaluation import DOCUMENT_SCORES, SCORES

STRICT: dict[str, object] = {
    "target_lang": "en",
    "label": "DISEASE",
    "metric": "strict",
    "precision": 0.3333,
    "recall": 0.5,
    "f1": 0.4,
    "low": 0.0,
    "high": 0.8,
    "gold": 2,
    "predicted": 3,
    "matched": 1,
    "documents": 2,
}
DOCUMENT: dict[str, object] = {
    "target_lang": "",
    "document": "d2",
    "label": "DISEASE",
    "gold": 1,
    "predicted": 2,
    "tp": 0,
    "fp": 2,
    "fn": 1,
    "gold_best": 14 / 15,
    "pred_best": 14 / 15,
    **{f"{metric}_{rate}": 0.0 for metric in ("strict", "char") for rate in ("precision", "recall", "f1")},
}
CHAR = STRICT | {"metric": "char", "matched": None}


def test_both_metrics_of_a_label_pass() -> None:
    SCORES.check(SCORES.table([STRICT, CHAR]))


def test_no_rows_pass() -> None:
    SCORES.check(SCORES.table([]))


def test_a_score_outside_its_percentile_interval_passes() -> None:
    SCORES.check(SCORES.table([STRICT | {"f1": 0.4, "low": 0.41, "high": 0.8}]))


def test_a_label_has_one_row_per_metric() -> None:
    with pytest.raises(ContractError, match=r"key .*: 1 duplicate rows"):
        SCORES.check(SCORES.table([STRICT, STRICT]))


@pytest.mark.parametrize(
    ("rule", "row"),
    [
        ("metric_known", STRICT | {"metric": "lenient"}),
        ("rates_in_unit_interval", STRICT | {"recall": 1.01}),
        ("rates_in_unit_interval", STRICT | {"low": -0.01}),
        ("rates_in_unit_interval", STRICT | {"f1": float("nan")}),
        ("low_not_above_high", STRICT | {"low": 0.9}),
        ("matched_is_strict_only", STRICT | {"matched": None}),
        ("matched_is_strict_only", CHAR | {"matched": 1}),
        ("counts_agree", STRICT | {"matched": 3}),
        ("counts_agree", CHAR | {"gold": -1}),
        ("documents_hold_mentions", STRICT | {"documents": 0}),
        ("documents_hold_mentions", CHAR | {"gold": 0, "predicted": 0}),
    ],
)
def test_a_broken_rule_is_named_and_counted(rule: str, row: dict[str, object]) -> None:
    with pytest.raises(ContractError, match=f"{rule}: 1 rows"):
        SCORES.check(SCORES.table([row]))


def test_a_document_has_one_row_a_language_and_label() -> None:
    DOCUMENT_SCORES.check(DOCUMENT_SCORES.table([DOCUMENT, DOCUMENT | {"target_lang": "en"}, DOCUMENT | {"label": "*"}]))
    with pytest.raises(ContractError, match=r"key .*: 1 duplicate rows"):
        DOCUMENT_SCORES.check(DOCUMENT_SCORES.table([DOCUMENT, DOCUMENT]))


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("counts_not_negative", {"tp": -1, "fp": 3, "fn": 2}),
        ("predictions_add_up", {"fp": 1}),
        ("gold_adds_up", {"fn": 2}),
        ("document_holds_mentions", {"gold": 0, "predicted": 0, "fp": 0, "fn": 0, "gold_best": 0.0, "pred_best": 0.0}),
        ("overlaps_in_range", {"gold_best": 1.01}),
        ("overlaps_in_range", {"pred_best": -0.01}),
        ("rates_in_unit_interval", {"char_f1": 1.01}),
        ("rates_in_unit_interval", {"strict_recall": float("nan")}),
    ],
)
def test_a_broken_rule_of_a_documents_scores_is_named(rule: str, change: dict[str, object]) -> None:
    with pytest.raises(ContractError, match=f"document_scores@1: {rule}: 1 rows$"):
        DOCUMENT_SCORES.check(DOCUMENT_SCORES.table([DOCUMENT | change]))
