from typing import Any

import pytest

from data_contracts import SUPPORT, ContractError


def row(**changes: object) -> dict[str, Any]:
    return {"document": "a", "lang": "en", "label": "DISEASE", "starts": [0], "ends": [4], "file": "en/a.ann", "line": 1} | changes


def test_two_mentions_may_lie_in_one_place() -> None:
    SUPPORT.check(SUPPORT.table([row(), row(line=2)]))


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("has_fragments", {"starts": [], "ends": []}),
        ("paired_offsets", {"starts": [0, 6]}),
        ("positive_extent", {"starts": [4]}),
    ],
)
def test_a_broken_rule_is_named(rule: str, changes: dict[str, object]) -> None:
    with pytest.raises(ContractError, match=rf"{rule}: 1 rows"):
        SUPPORT.check(SUPPORT.table([row(**changes)]))


def test_one_line_is_one_mention() -> None:
    with pytest.raises(ContractError, match="key"):
        SUPPORT.check(SUPPORT.table([row(), row(starts=[1])]))
