"""Contracts of what is read from a corpus."""

import pytest

from data_contracts import ANNOTATION_LINES, CORPUS_FILES, DOCUMENTS, MENTIONS, REJECTS, UNITS, WARNINGS, Contract, ContractError

FILE: dict[str, object] = {
    "document": "d1", "lang": "es", "name": "d1", "file": "es/d1.txt", "sha256": "ab", "annotations": "es/d1.ann",
    "annotations_sha256": None, "scored": True, "split": None, "entity": None, "shard": 0,
}  # fmt: skip
DOCUMENT: dict[str, object] = {
    "document": "d1", "lang": "es", "file": "es/d1.txt", "text": "año 😀", "reading": "raw", "sha256": "ab", "characters": 5,
}  # fmt: skip
MENTION: dict[str, object] = {
    "document": "d1", "lang": "es", "mention": "T1", "label": "DISEASE", "starts": [0, 8], "ends": [4, 12], "surface": "daño leve",
    "file": "es/d1.ann", "line": 1, "terminator": "\n", "raw": None,
}  # fmt: skip
LINE: dict[str, object] = {"document": "d1", "lang": "es", "line": 2, "kind": "#", "raw": "#1\tnote", "terminator": "\n"}
REJECT: dict[str, object] = {
    "stage": "ingest", "file": "es/d1.ann", "document": None, "lang": None, "line": None, "start": None, "end": None,
    "code": "bad_offsets", "rule": "offsets ascend",
}  # fmt: skip
WARNING = REJECT | {"start": 3, "end": 9, "code": "edge_whitespace", "count": 1}
UNIT: dict[str, object] = {"document": "d1", "lang": "es", "starts": [0, 3, 4], "ends": [3, 4, 7], "breaks": [0, 2]}


@pytest.mark.parametrize(
    ("contract", "row"),
    [
        (CORPUS_FILES, FILE),
        (DOCUMENTS, DOCUMENT),
        (MENTIONS, MENTION),
        (MENTIONS, MENTION | {"starts": [8, 0], "ends": [12, 4]}),
        (ANNOTATION_LINES, LINE),
        (REJECTS, REJECT),
        (WARNINGS, WARNING),
        (UNITS, UNIT),
        (UNITS, UNIT | {"starts": [5], "ends": [6], "breaks": [0]}),
    ],
)
def test_a_sound_row_passes(contract: Contract, row: dict[str, object]) -> None:
    contract.check(contract.table([row]))


@pytest.mark.parametrize(
    ("contract", "rule", "change"),
    [
        (DOCUMENTS, "text_not_empty", {"text": "", "characters": 0}),
        (DOCUMENTS, "characters_is_length", {"characters": len("año 😀".encode("utf-16-le")) // 2}),
        (DOCUMENTS, "reading_known", {"reading": "crlf"}),
        (MENTIONS, "has_fragments", {"starts": [], "ends": []}),
        (MENTIONS, "paired_offsets", {"ends": [4]}),
        (MENTIONS, "positive_extent", {"starts": [4], "ends": [4]}),
        (MENTIONS, "surface_not_empty", {"surface": ""}),
        (REJECTS, "code_is_snake_case", {"code": "Bad offsets"}),
        (WARNINGS, "code_is_snake_case", {"code": "edgeWhitespace"}),
        (WARNINGS, "counted", {"count": 0}),
        (UNITS, "has_units", {"starts": [], "ends": [], "breaks": []}),
        (UNITS, "paired_offsets", {"ends": [3, 4]}),
        (UNITS, "ordered", {"starts": [0, 2, 4]}),
        (UNITS, "ordered", {"starts": [4, 0, 3], "ends": [7, 3, 4]}),
        (UNITS, "first_break_is_zero", {"breaks": [1]}),
        (UNITS, "first_break_is_zero", {"breaks": []}),
    ],
)
def test_a_broken_rule_is_named(contract: Contract, rule: str, change: dict[str, object]) -> None:
    sound = {"documents": DOCUMENT, "mentions": MENTION, "rejects": REJECT, "warnings": WARNING, "units": UNIT}[contract.name]
    with pytest.raises(ContractError, match=rf"{rule}: 1 rows"):
        contract.check(contract.table([sound | change]))


@pytest.mark.parametrize(
    ("contract", "row", "other"),
    [
        (CORPUS_FILES, FILE, {"lang": "en"}),
        (DOCUMENTS, DOCUMENT, {"lang": "en"}),
        (MENTIONS, MENTION, {"mention": "T2"}),
        (ANNOTATION_LINES, LINE, {"line": 3}),
        (UNITS, UNIT, {"document": "d2"}),
    ],
)
def test_the_key_tells_rows_apart(contract: Contract, row: dict[str, object], other: dict[str, object]) -> None:
    contract.check(contract.table([row, row | other]))
    with pytest.raises(ContractError, match=r"key .*: 1 duplicate rows"):
        contract.check(contract.table([row, row]))


def test_the_same_reject_may_be_told_twice() -> None:
    REJECTS.check(REJECTS.table([REJECT, REJECT]))
