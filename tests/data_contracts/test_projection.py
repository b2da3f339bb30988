"""Contracts of what reaches the target: candidates, what the corpus says of them, projections and carried lines."""

import math

import pytest

from data_contracts import CANDIDATES, CARRIED_LINES, CORPUS_EDGES, MEMORY, PROJECTIONS, Contract, ContractError
from data_contracts.projection import FEATURES

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

CANDIDATE: dict[str, object] = {
    "document": "d1", "source_lang": "es", "target_lang": "en", "mention": "T1", "fragment": 0, "label": "DISEASE",
    "source_first": 4, "source_key": "fiebre alta", "first": [3, 4], "last": [4, 4], "keys": ["high fever", "fever"],
    "types": [7, 2, 1, -1, 1, 7, 1, -1], **{name: [0.5, -1.25] for name in FEATURES}, "paper_first": 3, "paper_last": 4,
    "window_first": 1, "window": [0.25] * 24,
}  # fmt: skip
UNPLACED = CANDIDATE | {
    "first": [], "last": [], "keys": [], "types": [], **{name: [] for name in FEATURES}, "paper_first": None, "paper_last": None,
    "window_first": 0, "window": [],
}  # fmt: skip
CORPUS_EDGE: dict[str, object] = {"type": 0, "opens": -1.0, "precedes": 2.0, "closes": 0.0, "follows": 0.5}
VOTE: dict[str, object] = {"source_key": "fiebre alta", "target_key": "high fever", "votes": 0.25}


@pytest.mark.parametrize(
    ("contract", "row", "other"),
    [
        (CANDIDATES, CANDIDATE, UNPLACED | {"fragment": 1}),
        (CANDIDATES, CANDIDATE, CANDIDATE | {"mention": "T2"}),
        (CANDIDATES, CANDIDATE, CANDIDATE | {"target_lang": "it"}),
        (CORPUS_EDGES, CORPUS_EDGE, CORPUS_EDGE | {"type": 1}),
        (MEMORY, VOTE, VOTE | {"target_key": "fever"}),
        (MEMORY, VOTE, VOTE | {"source_key": "fiebre"}),
    ],
)
def test_the_key_tells_sound_rows_apart(contract: Contract, row: dict[str, object], other: dict[str, object]) -> None:
    contract.check(contract.table([row, other]))
    with pytest.raises(ContractError, match=r"key .*: 1 duplicate rows"):
        contract.check(contract.table([row, row]))


@pytest.mark.parametrize(
    ("contract", "rule", "row"),
    [
        (CANDIDATES, "candidates_are_complete", CANDIDATE | {"last": [4]}),
        (CANDIDATES, "candidates_are_complete", CANDIDATE | {"keys": ["high fever", "fever", "high"]}),
        (CANDIDATES, "candidates_are_complete", UNPLACED | {"keys": ["fever"]}),
        *((CANDIDATES, "candidates_are_complete", CANDIDATE | {name: [0.5]}) for name in FEATURES),
        (CANDIDATES, "window_is_complete", CANDIDATE | {"window": [0.25] * 23}),
        (CANDIDATES, "four_types", CANDIDATE | {"types": [7, 2, 1, -1]}),
        (CANDIDATES, "four_types", UNPLACED | {"types": [7]}),
        *((CANDIDATES, "features_are_numbers", CANDIDATE | {name: [0.5, math.nan]}) for name in FEATURES),
        (CANDIDATES, "features_are_numbers", CANDIDATE | {"share": [-math.inf, 0.0]}),
        (MEMORY, "votes_count", VOTE | {"votes": 0.0}),
        (MEMORY, "votes_count", VOTE | {"votes": -0.5}),
    ],
)
def test_a_broken_rule_of_candidates_or_memory_is_named(contract: Contract, rule: str, row: dict[str, object]) -> None:
    with pytest.raises(ContractError, match=rf"{rule}: 1 rows"):
        contract.check(contract.table([row]))


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
