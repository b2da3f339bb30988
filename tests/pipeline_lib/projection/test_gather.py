import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.projection import FEATURES
from pipeline_lib.alignment.band import Band
from pipeline_lib.projection.candidates import CandidateConfig, candidates
from pipeline_lib.projection.evidence import Aligned
from tests.pipeline_lib.projection.pairs import aligned, gather, gather_identity, pair_texts, plan_row, posterior_row
from tests.pipeline_lib.projection.rows import mentions

SICK = "Fiebre alta, tos 2,5 d"
UNITS = 6


def the_spans(row: dict[str, list[int]]) -> list[tuple[int, int]]:
    return list(zip(row["first"], row["last"], strict=True))


def test_a_fragment_is_a_row_that_says_where_it_stands_and_what_it_reads() -> None:
    found = mentions({"d": SICK}, ("d", "T1", [(0, 6), (17, 20)]), ("d", "T2", [(1, 11)]), label="SYMPTOM")
    rows = gather_identity(found, {"d": SICK}).to_pylist()
    named = [(row["mention"], row["fragment"], row["label"], row["source_first"], row["source_key"]) for row in rows]
    assert named == [
        ("T1", 0, "SYMPTOM", 0, "fiebre"),
        ("T1", 1, "SYMPTOM", 4, "2.5"),
        ("T2", 0, "SYMPTOM", 0, "fiebre alta"),
    ]
    assert {(row["document"], row["source_lang"], row["target_lang"]) for row in rows} == {("d", "es", "en")}


def test_candidates_say_their_units_folded_types_and_the_papers_span() -> None:
    (row,) = gather_identity(mentions({"d": SICK}, ("d", "T1", [(0, 11)])), {"d": SICK}, config=CandidateConfig(reach=1)).to_pylist()
    assert dict(zip(the_spans(row), row["keys"], strict=True)) == {
        (0, 0): "fiebre",
        (0, 1): "fiebre alta",
        (0, 2): "fiebre alta ,",
        (1, 1): "alta",
        (1, 2): "alta ,",
    }
    assert (row["paper_first"], row["paper_last"]) == (0, 1)


def test_types_are_those_that_open_precede_close_and_follow() -> None:
    """Unit j is of type 10 + j; unseen types share the last row of the statistics."""
    edges = np.zeros((15, 4))
    texts = pair_texts({"d": SICK}, {"d": SICK}, edges, {"d": [10, 11, 12, 13, 14, 99]})
    (row,) = gather(mentions({"d": SICK}, ("d", "T1", [(0, 16)])), texts, [plan_row("d", np.eye(UNITS))]).to_pylist()
    types = dict(zip(the_spans(row), np.array(row["types"]).reshape(-1, 4).tolist(), strict=True))
    assert types[0, 3] == [10, -1, 13, 14]
    assert types[2, 3] == [12, 11, 13, 14]
    assert types[1, 4] == [11, 10, 14, 14]
    assert types[1, 5] == [11, 10, 14, -1]


def test_carried_edges_are_over_those_of_unseen_types() -> None:
    edges = np.array([[2.0, 3.0, 5.0, 7.0], [1.0, 1.0, 1.0, 1.0]])
    texts = pair_texts({"d": "uno"}, {"d": "a b c"}, edges, {"d": [0, 0, 8]})
    found = gather(mentions({"d": "uno"}, ("d", "T1", [(0, 3)])), texts, [plan_row("d", np.ones((1, 3)))])
    (row,) = found.to_pylist()
    inner = dict(zip(the_spans(row), row["carried_inner"], strict=True))
    outer = dict(zip(the_spans(row), row["carried_outer"], strict=True))
    assert (inner[0, 1], inner[1, 2], inner[2, 2]) == (1 + 4, 1 + 0, 0)
    assert (outer[0, 0], outer[1, 1], outer[1, 2], outer[0, 2]) == (6, 2 + 0, 2, 0)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**16), st.integers(0, UNITS - 1), st.integers(1, 3))
def test_features_are_those_of_the_plans_shares_and_the_posteriors(seed: int, first: int, length: int) -> None:
    random = np.random.default_rng(seed)
    plan, forward, backward = random.random((3, UNITS, UNITS)).astype(np.float32).astype(np.float64)
    forward[forward < 0.3], backward[backward < 0.3] = 0, 0
    spelt = pair_of(plan, forward, backward)
    units = range(first, min(first + length, UNITS))
    texts = {"d": SICK}
    fragment = (spelt.source.starts[units[0]], spelt.source.ends[units[-1]])
    (row,) = gather(
        mentions(texts, ("d", "T1", [fragment])), pair_texts(texts, texts), [plan_row("d", plan)], [posterior_row("d", forward, backward)]
    ).to_pylist()
    expected = candidates(np.array([[units.start, units.stop]], dtype=np.int32), ["DISEASE"], spelt, CandidateConfig())
    assert the_spans(row) == [(first, last) for first, last in expected.spans.tolist()]
    features = np.array([row[name] for name in FEATURES]).T
    assert features == pytest.approx(expected.features, abs=1e-4)


def pair_of(plan: np.ndarray, forward: np.ndarray, backward: np.ndarray) -> Aligned:  # type: ignore[type-arg]
    owned, kept = plan / plan.sum(axis=0), plan / plan.sum(axis=1, keepdims=True)
    return aligned(SICK, SICK, np.stack([np.sqrt(owned * kept), owned, kept, forward, backward]))


def test_mentions_come_in_the_order_of_their_lines_whatever_order_their_rows_have() -> None:
    found = mentions({"d": SICK}, ("d", "T9", [(0, 6)]), ("d", "T2", [(7, 11)]), ("d", "T5", [(13, 16)]))
    for order in ([0, 1, 2], [2, 0, 1], [1, 2, 0]):
        assert gather_identity(found.take(order), {"d": SICK}).equals(gather_identity(found, {"d": SICK}))


def test_white_space_and_documents_without_a_plan_have_no_rows() -> None:
    source = {"a": SICK, "b": SICK, "c": SICK}
    found = mentions(source, ("a", "T1", [(6, 7)]), ("a", "T2", [(0, 6), (6, 7)]), ("b", "T1", [(0, 6)]))
    rows = gather_identity(found, {"a": SICK, "c": SICK}).to_pylist()
    assert [(row["document"], row["mention"], row["fragment"]) for row in rows] == [("a", "T2", 0)]


def test_a_mention_without_candidates_keeps_its_row() -> None:
    nowhere = Band(np.array([1], dtype=np.int32), np.array([1], dtype=np.int32), 1)
    texts = pair_texts({"d": "uno"}, {"d": "one"})
    (row,) = gather(mentions({"d": "uno"}, ("d", "T1", [(0, 3)])), texts, [plan_row("d", [[1.0]], nowhere)]).to_pylist()
    assert (row["first"], row["keys"], row["types"], row["share"], row["paper_first"]) == ([], [], [], [], None)


def test_support_is_found_by_document_and_label() -> None:
    source, target = {"d": "uno", "e": "uno"}, {"d": "a b", "e": "a b"}
    found = mentions(source, ("d", "T1", [(0, 3)]), ("e", "T1", [(0, 3)]))
    plans = [plan_row(name, [[0.9, 0.1]]) for name in "de"]
    seen = {"d": {"DISEASE": np.array([1.0, 0.0]), "SYMPTOM": np.array([0.0, 1.0])}, "e": {"SYMPTOM": np.array([1.0, 1.0])}}
    rows = gather(found, pair_texts(source, target), plans, support=seen).to_pylist()
    support = [dict(zip(the_spans(row), row["support"], strict=True)) for row in rows]
    assert support == [{(0, 0): 0.5, (0, 1): 0.0, (1, 1): -0.5}, {(0, 0): 0.0, (0, 1): 0.0, (1, 1): 0.0}]
