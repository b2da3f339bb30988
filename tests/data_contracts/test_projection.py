"""Contracts of what reaches the target: projections and carried lines."""

import math

import pytest

from data_contracts import CARRIED_LINES, PROJECTIONS, ContractError

PROJECTED: dict[str, object] = {
    "document": "d1", "source_lang": "es", "target_lang": "en", "mention": "T1", "target_mention": "T1", "label": "DISEASE",
    "source_starts": [0], "source_ends": [6], "source_surface": "fiebre",
    "starts": [3, 12], "ends": [8, 15], "surface": "fever bad", "confidence": 0.8, "reason": None, "aligner": "00ff",
}  # fmt: skip
ABSTAINED = PROJECTED | {
    "target_mention": None,
    "starts": [],
    "ends": [],
    "surface": "",
    "confidence": 0.0,
    "reason": "no_aligned_unit",
    "aligner": "",
}
CARRIED: dict[str, object] = {
    "document": "d1", "source_lang": "es", "target_lang": "en", "line": 3, "kind": "A",
    "source_id": "A7", "target_id": "A1", "raw": "A1\tNegated T1", "reason": None,
}  # fmt: skip
LEFT = CARRIED | {"target_id": None, "raw": None, "reason": "mention_not_projected"}
EQUIV = CARRIED | {"kind": "*", "source_id": None, "target_id": None, "raw": "*\tEquiv T1 T2"}


def test_projected_and_abstained_rows_pass() -> None:
    PROJECTIONS.check(PROJECTIONS.table([PROJECTED, ABSTAINED | {"mention": "T2"}, PROJECTED | {"target_lang": "it"}]))


@pytest.mark.parametrize(
    ("rule", "row"),
    [
        ("projected_or_reason", PROJECTED | {"reason": "no_aligned_unit"}),
        ("projected_or_reason", ABSTAINED | {"reason": None}),
        ("id_where_projected", PROJECTED | {"target_mention": None}),
        ("id_where_projected", ABSTAINED | {"target_mention": "T1"}),
        ("paired_offsets", PROJECTED | {"ends": [8]}),
        ("positive_extent", PROJECTED | {"starts": [8], "ends": [8]}),
        ("confidence_in_range", PROJECTED | {"confidence": 1.01}),
        ("confidence_in_range", PROJECTED | {"confidence": -0.01}),
        ("confidence_in_range", PROJECTED | {"confidence": math.nan}),
    ],
)
def test_a_broken_rule_is_named(rule: str, row: dict[str, object]) -> None:
    with pytest.raises(ContractError, match=rf"{rule}: 1 rows"):
        PROJECTIONS.check(PROJECTIONS.table([row]))


def test_a_mention_has_one_row_a_target_language() -> None:
    with pytest.raises(ContractError, match=r"key .*: 1 duplicate rows"):
        PROJECTIONS.check(PROJECTIONS.table([PROJECTED, ABSTAINED]))


def test_two_mentions_of_a_target_document_have_two_ids() -> None:
    other = PROJECTED | {"mention": "T2"}
    with pytest.raises(ContractError, match="target_ids_unique: 2 rows"):
        PROJECTIONS.check(PROJECTIONS.table([PROJECTED, other]))
    PROJECTIONS.check(PROJECTIONS.table([PROJECTED, other | {"document": "d2"}, other | {"target_mention": "T2"}]))


def test_carried_lines_and_those_left_behind_pass() -> None:
    rows = [
        CARRIED,
        LEFT | {"line": 4},
        EQUIV | {"line": 5},
        EQUIV | {"line": 6},
        LEFT | {"line": 7, "source_id": None, "reason": "malformed_line"},
    ]
    CARRIED_LINES.check(CARRIED_LINES.table([*rows, *(row | {"target_lang": "it"} for row in rows)]))


@pytest.mark.parametrize(
    ("rule", "row"),
    [
        ("carried_or_reason", CARRIED | {"reason": "malformed_line"}),
        ("carried_or_reason", LEFT | {"reason": None}),
        ("kind_known", CARRIED | {"kind": "T"}),
        ("reason_known", LEFT | {"reason": "why"}),
        ("id_where_carried", CARRIED | {"target_id": None}),
        ("id_where_carried", EQUIV | {"target_id": "*"}),
        ("id_where_carried", LEFT | {"target_id": "A1"}),
        ("line_has_its_id", CARRIED | {"raw": "A10\tNegated T1"}),
        ("line_has_its_id", CARRIED | {"raw": "A1\tNegated T1\nA2\tOld T1"}),
        ("line_has_its_id", EQUIV | {"raw": "A1\tNegated T1"}),
    ],
)
def test_a_broken_rule_of_carried_lines_is_named(rule: str, row: dict[str, object]) -> None:
    with pytest.raises(ContractError, match=rf"{rule}: 1 rows"):
        CARRIED_LINES.check(CARRIED_LINES.table([row]))


def test_two_carried_lines_of_a_target_document_have_two_ids() -> None:
    with pytest.raises(ContractError, match="target_ids_unique: 2 rows"):
        CARRIED_LINES.check(CARRIED_LINES.table([CARRIED, CARRIED | {"line": 4}]))


def test_a_source_line_has_one_row_a_target_language() -> None:
    with pytest.raises(ContractError, match=r"key .*: 1 duplicate rows"):
        CARRIED_LINES.check(CARRIED_LINES.table([CARRIED, CARRIED | {"target_id": "A2", "raw": "A2\tNegated T1"}]))
