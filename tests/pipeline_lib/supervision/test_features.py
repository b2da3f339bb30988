"""What a re-ranker sees."""

import numpy as np

from data_contracts.projection import FEATURES, MEMORY
from pipeline_lib.projection.decode import DecodeConfig
from pipeline_lib.projection.memory import Memory
from pipeline_lib.projection.scoring import CorpusKnowledge, Pool, VoteConfig
from pipeline_lib.supervision.features import FAR, NAMES, Texts, rerank_features, weigh
from tests.pipeline_lib.supervision.pools import Mention, grid, nothing_known, pooled

MODEL = DecodeConfig()
TEXT = grid("one two three four five six")
TEXTS = Texts({"a": TEXT, "b": TEXT}, {"a": TEXT, "b": TEXT})
MENTION = Mention("a", "T1", (0, 1), [(1, 1), (1, 2), (2, 2)], [0.1, 0.7, 0.9, 0.2, 0.0])
LONE = Mention("a", "T2", (3, 3), [(4, 4)], [0.0, 0.0, 0.6, 0.0], left=2)


def seen(found: Pool, known: CorpusKnowledge) -> dict[str, list[float]]:
    values = rerank_features(found, known, MODEL, weigh(found, known, MODEL), TEXTS)
    assert values.shape == (len(found.owner), len(NAMES))
    return dict(zip(NAMES, values.T.tolist(), strict=True))


def near(values: list[float], *expected: float) -> bool:
    return bool(np.allclose(values, expected, atol=1e-6))


def test_names_are_unique_and_begin_with_the_candidates_own_features() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert NAMES[: len(FEATURES)] == tuple(FEATURES)


def test_signals_are_read_at_two_units_on_either_side_of_each_end() -> None:
    found = seen(pooled(MENTION, LONE), nothing_known())
    assert near(found["share_before1"], 0.1, 0.1, 0.7, 0.0)
    assert near(found["share_before2"], 0.0, 0.0, 0.1, 0.0)
    assert near(found["share_first"], 0.7, 0.7, 0.9, 0.6)
    assert near(found["share_second"], 0.7, 0.9, 0.9, 0.6)
    assert near(found["share_last"], 0.7, 0.9, 0.9, 0.6)
    assert near(found["share_after1"], 0.9, 0.2, 0.2, 0.0)
    assert near(found["share_after2"], 0.2, 0.0, 0.0, 0.0)
    assert near(found["owned_inside"], 0.7 / 1.9, 1.6 / 1.9, 0.9 / 1.9, 1.0)
    assert near(found["forward_density"], 0.7, 0.8, 0.9, 0.6)
    assert near(found["backward_least"], 0.7, 0.7, 0.9, 0.6)


def test_candidates_stand_against_the_others_of_their_mention_alone() -> None:
    alone, together = seen(pooled(MENTION), nothing_known()), seen(pooled(MENTION, LONE), nothing_known())
    for name in ("score", "margin", "rank", "probability", "rivals"):
        assert together[name][:3] == alone[name]
    assert sorted(alone["rank"]) == [0, 1, 2]
    best = int(np.argmax(alone["score"]))
    assert alone["rank"][best] == 0
    assert alone["margin"][best] > 0
    assert max(margin for number, margin in enumerate(alone["margin"]) if number != best) <= 0
    assert together["margin"][3] == FAR


def test_what_the_corpus_knows_is_seen_at_its_place_and_without_the_own_vote() -> None:
    edges = np.array([[1.0, 2.0, 3.0, 4.0], [0.0] * 4])
    votes = MEMORY.table([{"source_key": key, "target_key": "1 2", "votes": count} for key, count in (("w w", 1.0), ("other", 5.0))])
    found = seen(pooled(MENTION), CorpusKnowledge(edges, Memory.of(votes), VoteConfig()))
    assert [found[f"corpus_{place}"][0] for place in ("opens", "precedes", "closes", "follows")] == [1, 2, 3, 4]
    assert found["target_votes"][0] == found["target_votes"][2] == 0
    assert np.log1p(5.0) <= found["target_votes"][1] <= np.log1p(6.0)


def test_no_candidates_have_no_features() -> None:
    found = pooled()
    assert rerank_features(found, nothing_known(), MODEL, weigh(found, nothing_known(), MODEL), TEXTS).shape == (0, len(NAMES))
