"""Contract of the projections."""

import math

import pytest

from data_contracts import PROJECTIONS, ContractError

PROJECTED: dict[str, object] = {
    "document": "d1", "source_lang": "es", "target_lang": "en", "mention": "T1", "label": "DISEASE",
    "source_starts": [0], "source_ends": [6], "source_surface": "fiebre",
    "starts": [3, 12], "ends": [8, 15], "surface": "fever bad", "confidence": 0.8, "reason": None, "aligner": "00ff",
}  # fmt: skip
ABSTAINED = PROJECTED | {"starts": [], "ends": [], "surface": "", "confidence": 0.0, "reason": "no_aligned_unit", "aligner": ""}


def test_projected_and_abstained_rows_pass() -> None:
    PROJECTIONS.check(PROJECTIONS.table([PROJECTED, ABSTAINED | {"mention": "T2"}, PROJECTED | {"target_lang": "it"}]))


@pytest.mark.parametrize(
    ("rule", "row"),
    [
        ("projected_or_reason", PROJECTED | {"reason": "no_aligned_unit"}),
        ("projected_or_reason", ABSTAINED | {"reason": None}),
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
