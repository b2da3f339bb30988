"""What other mentions say of a candidate."""

import numpy as np

from pipeline_lib.supervision.claims import CLAIMS, claim_features
from tests.pipeline_lib.supervision.pools import Mention, pooled

EVIDENCE = [1.0] * 6


def claims(*mentions: Mention, likely: list[float]) -> list[dict[str, float]]:
    return [dict(zip(CLAIMS, row, strict=True)) for row in claim_features(pooled(*mentions), np.array(likely)).tolist()]


def test_units_that_mentions_elsewhere_claim_are_counted() -> None:
    one, other = Mention("a", "T1", (0, 1), [(0, 1), (0, 3)], EVIDENCE), Mention("a", "T2", (3, 4), [(3, 4), (2, 4)], EVIDENCE)
    rows = claims(one, other, likely=[0.1, 0.9, 0.2, 0.8])
    assert [row["claimed"] for row in rows] == [0, 2, 1, 2]
    assert [row["left_out"] for row in rows] == [0] * 4


def test_an_outer_mention_that_leaves_out_its_inner_one_is_noticed() -> None:
    outer, inner = Mention("a", "T1", (0, 2), [(0, 2), (0, 1)], EVIDENCE), Mention("a", "T2", (1, 2), [(1, 2)], EVIDENCE)
    rows = claims(outer, inner, likely=[0.5, 0.5, 1.0])
    assert [row["left_out"] for row in rows] == [0, 1, 0]
    assert [row["claimed"] for row in rows] == [0] * 3
    assert [row["same_end"] for row in rows] == [1, 0, 1]
    assert [row["same_begin"] for row in rows] == [0] * 3


def test_a_span_that_another_mention_takes_is_noticed() -> None:
    one, other = Mention("a", "T1", (0, 0), [(0, 0), (5, 5)], EVIDENCE), Mention("a", "T2", (4, 4), [(5, 5)], EVIDENCE)
    assert [row["taken"] for row in claims(one, other, likely=[0.5, 0.5, 1.0])] == [0, 1, 0]


def test_the_same_mention_under_another_label_and_other_documents_claim_nothing() -> None:
    mentions = [
        Mention("a", "T1", (0, 1), [(0, 1), (1, 1)], EVIDENCE),
        Mention("a", "T2", (0, 1), [(0, 1)], EVIDENCE, label="SYMPTOM"),
        Mention("b", "T1", (4, 5), [(0, 1)], EVIDENCE),
    ]
    assert not claim_features(pooled(*mentions), np.array([0.9, 0.1, 1.0, 1.0])).any()
