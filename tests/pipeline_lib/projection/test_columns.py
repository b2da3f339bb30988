from typing import Any

import numpy as np

from data_contracts.projection import CANDIDATES, FEATURES, WINDOW
from pipeline_lib.projection.candidates import Candidates
from pipeline_lib.projection.columns import Found, Fragment, candidates_table
from tests.pipeline_lib.projection.rows import checked


def found(document: str, spans: list[list[tuple[int, int]]], keys: list[str], seed: int) -> Found:
    """Random numbers for as many fragments as there are lists of spans."""
    random, flat = np.random.default_rng(seed), [span for some in spans for span in some]
    candidates = Candidates(
        np.array([len(some) for some in spans], np.int32),
        np.array(flat, np.int32).reshape(-1, 2),
        random.random((len(flat), len(FEATURES))),
        np.array([some[0] if some else (-1, -1) for some in spans], np.int32),
        np.array([(number, len(some)) for number, some in enumerate(spans)], np.int32),
        random.random(len(WINDOW) * len(flat)),
    )
    fragments = [
        Fragment({"document": document, "mention": f"T{number}", "label": "SYMPTOM"}, 0, range(number, number + 1), f"key {number}")
        for number in range(len(spans))
    ]
    return Found(fragments, candidates, keys, np.arange(4 * len(flat), dtype=np.int32).reshape(-1, 4))


def test_a_fragments_lists_hold_what_belongs_to_its_own_candidates() -> None:
    one, other = found("a", [[(0, 1), (2, 2)], []], ["x y", "z"], 0), found("b", [[], [(3, 4)]], ["v w"], 1)
    rows: list[dict[str, Any]] = checked(CANDIDATES, candidates_table([one, other], ("es", "en"))).to_pylist()
    names = ("document", "mention", "first", "last", "keys", "types", "window_first", "paper_first", "paper_last")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("a", "T0", [0, 2], [1, 2], ["x y", "z"], [0, 1, 2, 3, 4, 5, 6, 7], 0, 0, 1),
        ("a", "T1", [], [], [], [], 1, None, None),
        ("b", "T0", [], [], [], [], 0, None, None),
        ("b", "T1", [3], [4], ["v w"], [0, 1, 2, 3], 1, 3, 4),
    ]
    for number, name in enumerate(FEATURES):
        expected = [one.candidates.features[:, number], [], [], other.candidates.features[:, number]]
        assert [row[name] for row in rows] == [np.array(values, np.float32).tolist() for values in expected]
    windows = [one.candidates.signals, [], [], other.candidates.signals]
    assert [row["window"] for row in rows] == [np.array(values, np.float32).tolist() for values in windows]


def test_no_document_is_an_empty_table() -> None:
    assert checked(CANDIDATES, candidates_table([], ("es", "en"))).num_rows == 0
