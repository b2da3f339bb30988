import numpy as np
import pytest
from scipy.sparse import csr_array

from data_contracts import EDGE_STATISTICS, MENTIONS
from pipeline_lib.alignment.fitted import Vocabulary
from pipeline_lib.alignment.units import GridText
from pipeline_lib.projection.edges import (
    CLOSES,
    FOLLOWS,
    OPENS,
    PRECEDES,
    EdgeConfig,
    SourceEdges,
    edge_log_odds,
    edges_array,
    edges_table,
    source_edges,
)

IDENTITY = csr_array(np.eye(4))
EVERYWHERE = np.ones(4, dtype=np.int64)


def text(*ids: int, mentions: list[tuple[int, int]]) -> SourceEdges:
    return SourceEdges(np.array(ids, dtype=np.int32), mentions)


def rates(*documents: SourceEdges, lexical: csr_array = IDENTITY, strength: float = 4.0) -> np.ndarray:
    odds = edge_log_odds(documents, lexical, np.ones(lexical.shape[1], dtype=np.int64), EdgeConfig(prior_strength=strength))
    return 1 / (1 + np.exp(-odds))


def test_rates_are_counts_over_occurrences_drawn_to_the_base_rate() -> None:
    # "the 1 2 the 1": two mentions, 1..2 and 4..4, of types 1 2 and 1
    found = rates(text(0, 1, 2, 0, 1, mentions=[(1, 2), (4, 4)]), strength=2.0)
    base = {OPENS: 2.5 / 6, PRECEDES: 2.5 / 6, CLOSES: 2.5 / 6, FOLLOWS: 1.5 / 6}
    counted = {(1, OPENS): 2, (0, PRECEDES): 2, (2, CLOSES): 1, (1, CLOSES): 1, (0, FOLLOWS): 1}
    for kind, occurrences in enumerate([2, 2, 1, 0]):
        for place in range(4):
            assert found[kind, place] == pytest.approx((counted.get((kind, place), 0) + 2 * base[place]) / (occurrences + 2))
    assert found[4] == pytest.approx([base[place] for place in range(4)])


def test_nothing_stands_before_the_first_unit_or_after_the_last() -> None:
    found = rates(text(0, 1, mentions=[(0, 1)]))
    assert np.allclose(found[:, PRECEDES], found[0, PRECEDES] * np.array([1, 1, 5 / 4, 5 / 4, 5 / 4]))
    assert found[0, OPENS] > found[1, OPENS] and found[1, CLOSES] > found[0, CLOSES]


@pytest.mark.parametrize("nested", [[(1, 1), (1, 2)], [(1, 2), (1, 2)], [(1, 3), (2, 3), (1, 1)]])
def test_nested_mentions_make_no_rate_above_one(nested: list[tuple[int, int]]) -> None:
    found = rates(*[text(0, 1, 2, 3, mentions=nested)] * 50)
    assert found[1, OPENS] < 1 - 1e-5 and found.max() < 1 - 1e-5
    assert found[1, OPENS] == pytest.approx(1, abs=0.08)


def test_a_target_type_behaves_as_the_types_that_it_translates() -> None:
    lexical = csr_array(np.array([[0.0, 0.0, 0.3], [0.8, 0.0, 0.1], [0.0, 0.0, 0.0]]))
    documents = [text(0, 1, 0, 2, mentions=[(1, 1)])]
    source, found = rates(*documents, lexical=csr_array(np.eye(3))), rates(*documents, lexical=lexical)
    assert found[0] == pytest.approx(source[1]), "one translation"
    assert found[1] == pytest.approx(source[3]), "none: the base rate"
    assert found[2] == pytest.approx(0.75 * source[0] + 0.25 * source[1]), "two"


def test_types_that_the_target_does_not_hold_have_the_base_rate() -> None:
    documents = [text(0, 1, mentions=[(1, 1)])]
    absent = edge_log_odds(documents, IDENTITY, np.array([3, 0, 1, 1]), EdgeConfig())
    assert np.array_equal(absent[1], absent[4]) and not np.array_equal(absent[0], absent[4])


def test_without_mentions_every_type_is_as_unlikely_as_another() -> None:
    found = rates(text(0, 1, 2, 3, mentions=[]), text(1, mentions=[]))
    assert np.isfinite(found).all() and found[:4].max() <= found[4, 0] and found[4] == pytest.approx([0.5 / 6] * 4)


def test_log_odds_survive_their_table() -> None:
    odds = edge_log_odds([text(0, 1, 2, mentions=[(1, 1)])], IDENTITY, EVERYWHERE, EdgeConfig())
    table = edges_table(odds)
    EDGE_STATISTICS.check(table)
    assert table["type"].to_pylist() == [0, 1, 2, 3, 4]
    assert np.array_equal(edges_array(table), odds)


def test_mentions_become_first_and_last_units_fragment_by_fragment() -> None:
    texts = {
        "d1": GridText("dolor de pie", [0, 6, 9], [5, 8, 12], [0]),
        "d2": GridText("tos", [0], [3], [0]),
        "d3": GridText("pie", [0], [3], [0]),
    }
    row = {"lang": "es", "label": "X", "surface": "x", "file": "f", "line": 1, "terminator": "", "raw": None}
    mentions = MENTIONS.table(
        [
            row | {"document": "d1", "mention": "T1", "starts": [0], "ends": [12]},
            row | {"document": "d3", "mention": "T1", "starts": [1], "ends": [2]},
            row | {"document": "d1", "mention": "T2", "starts": [0, 9], "ends": [5, 11]},
            row | {"document": "d1", "mention": "T3", "starts": [5], "ends": [6]},
        ]
    )
    vocabulary = Vocabulary(("de", "dolor", "pie", "tos"), EVERYWHERE)
    found = list(source_edges(texts, mentions, vocabulary))
    assert [(document.ids.tolist(), document.mentions) for document in found] == [
        ([1, 0, 2], [(0, 2), (0, 0), (2, 2)]),
        ([2], [(0, 0)]),
    ]


def test_types_that_the_pair_has_not_seen_count_for_the_base_rate_alone() -> None:
    """A source document without a translation into this language is annotated all the same."""
    seen, unseen = text(0, 1, 2, mentions=[(1, 1)]), text(0, 4, 2, mentions=[(1, 1)])
    found = rates(seen, unseen)
    assert found.shape == (5, 4)
    assert found[1, OPENS] < rates(seen, seen)[1, OPENS]
    assert found[4] == pytest.approx(rates(seen, seen)[4])


def test_a_document_with_unseen_words_gets_one_id_for_all_of_them() -> None:
    texts = {"d": GridText("a x b y", np.array([0, 2, 4, 6]), np.array([1, 3, 5, 7]), np.array([0]))}
    row = {"document": "d", "starts": [2], "ends": [3]}
    mentions = MENTIONS.table([dict.fromkeys(MENTIONS.schema.names, "") | row | {"line": 1, "raw": None}])
    (found,) = source_edges(texts, mentions, Vocabulary(("a", "b"), np.array([1, 1])))
    assert found.ids.tolist() == [0, 2, 1, 2] and found.mentions == [(1, 1)]
