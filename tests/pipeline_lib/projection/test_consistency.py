import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from data_contracts.projection import CORPUS_EDGES, EDGES, MEMORY
from pipeline_lib.projection.consistency import ConsistencyConfig, corpus_tables, edge_log_odds
from pipeline_lib.projection.scoring import MemoryConfig, SpanWeights, VoteConfig, corpus_knowledge, final_scores, pool, probabilities
from tests.pipeline_lib.projection.pairs import Row, candidate_row, candidate_table
from tests.pipeline_lib.projection.rows import checked

ONE_TYPE = np.array([5])
Votes = dict[tuple[str, str], float]


def counted(*parts: pa.Table, counts: list[int] | None = None, config: ConsistencyConfig | None = None) -> tuple[pa.Table, pa.Table]:
    edges, memory = corpus_tables(parts, np.array(counts or [5], dtype=np.int64), config or ConsistencyConfig())
    return checked(CORPUS_EDGES, edges), checked(MEMORY, memory)


def votes(memory: pa.Table) -> Votes:
    return {(row["source_key"], row["target_key"]): row["votes"] for row in memory.to_pylist()}


def mention(number: int, lead: float, *keys: str, source: str = "fiebre") -> Row:
    """A mention whose first candidate has ``lead`` units of share more than the others."""
    spans = [(j, j) for j in range(len(keys))]
    return candidate_row(*spans, mention=f"T{number}", source=source, keys=keys, share=[lead, *[0.0] * (len(keys) - 1)])


def after_memory(*rows: Row, weight: float = 1.0) -> list[list[float]]:
    """Probabilities of every mention's candidates less those that it has without memory."""
    weights, table = SpanWeights(memory=weight), candidate_table(*rows)
    known = corpus_knowledge(*counted(table, config=ConsistencyConfig(votes=VoteConfig(weights=weights))), VoteConfig(weights=weights))
    found = pool(table)
    without = final_scores(found, known, SpanWeights(memory=0.0), MemoryConfig())
    gained = probabilities(final_scores(found, known, weights, MemoryConfig()), found.owner) - probabilities(without, found.owner)
    return [gained[found.owner == number].tolist() for number in range(len(rows))]


@pytest.mark.parametrize("lead", [0.0, 0.3, 1.0, 2.0, 4.0, 9.0])
def test_a_mention_alone_does_not_confirm_itself(lead: float) -> None:
    assert after_memory(mention(1, lead, "fever", "heat")) == [pytest.approx([0.0, 0.0], abs=1e-9)]


@pytest.mark.parametrize("lead", [0.3, 1.0, 2.0])
def test_two_mentions_that_agree_raise_each_other(lead: float) -> None:
    for fever, heat in after_memory(mention(1, lead, "fever", "heat"), mention(2, lead, "fever", "heat")):
        assert fever > 0.01 and heat == pytest.approx(-fever)


@pytest.mark.parametrize("lead", [0.3, 1.0, 2.0])
def test_two_mentions_that_disagree_learn_from_the_other_alone(lead: float) -> None:
    first, second = after_memory(mention(1, lead, "fever", "heat"), mention(2, lead, "heat", "fever"))
    assert first[0] < 0 < first[1] and second[0] < 0 < second[1]


@pytest.mark.parametrize("keys", [("fever", "heat"), ("fever", "heat", "fever")])
@pytest.mark.parametrize("lead", [0.3, 1.0, 2.0])
def test_a_mentions_own_vote_is_taken_back_whole(lead: float, keys: tuple[str, ...]) -> None:
    """The only other mention became something that is no candidate here, so nothing speaks for one candidate more than for another."""
    gained, _ = after_memory(mention(1, lead, *keys), mention(2, 0.0, "ague"))
    assert gained == pytest.approx([0.0] * len(keys), abs=1e-6)


def test_a_surface_that_only_others_use_is_preferred_to_the_mentions_own() -> None:
    gained, *_ = after_memory(mention(1, 0.3, "heat", "fever"), mention(2, 0.3, "fever", "x"), mention(3, 0.3, "fever", "y"))
    assert gained[1] > 0.1


def test_mentions_of_other_surfaces_say_nothing() -> None:
    alone, other = after_memory(mention(1, 1.0, "fever", "heat"), mention(2, 1.0, "fever", "heat", source="tos"))
    assert [*alone, *other] == pytest.approx([0.0] * 4, abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 4), st.sampled_from(["fiebre", "tos"]), st.integers(1, 3)), max_size=6), st.integers(0, 6))
def test_every_mention_casts_one_vote_in_all_however_the_corpus_is_cut(mentions: list[tuple[float, str, int]], at: int) -> None:
    rows = [mention(number, lead, *"abc"[:size], source=source) for number, (lead, source, size) in enumerate(mentions)]
    config = ConsistencyConfig(least_votes=0.0)
    whole, halves = (
        counted(candidate_table(*rows), config=config),
        counted(candidate_table(*rows[:at]), candidate_table(*rows[at:]), config=config),
    )
    assert sum(votes(whole[1]).values()) == pytest.approx(len(rows))
    assert votes(halves[1]) == pytest.approx(votes(whole[1]))
    assert np.stack(halves[0].columns[1:]) == pytest.approx(np.stack(whole[0].columns[1:]))


def test_votes_are_the_first_passs_probabilities_sharpened() -> None:
    rows = [mention(1, 2.0, "fever", "heat"), mention(2, 0.0, "heat", "ague")]
    lead = np.exp(2.0 * SpanWeights().share / 0.5)
    expected = {("fiebre", "fever"): lead / (1 + lead), ("fiebre", "heat"): 1 / (1 + lead) + 0.5, ("fiebre", "ague"): 0.5}
    assert votes(counted(candidate_table(*rows), config=ConsistencyConfig(votes=VoteConfig(temperature=0.5)))[1]) == pytest.approx(expected)


def test_small_votes_are_forgotten() -> None:
    table = candidate_table(mention(1, 3.0, "fever", "heat"))
    least = votes(counted(table)[1])["fiebre", "heat"]
    kept = {limit: set(votes(counted(table, config=ConsistencyConfig(least_votes=limit))[1])) for limit in (least * 0.99, least * 1.01)}
    assert list(kept.values()) == [{("fiebre", "fever"), ("fiebre", "heat")}, {("fiebre", "fever")}]


def test_edges_are_counted_at_the_places_of_likely_spans() -> None:
    """Two types, seen 6 and 2 times; two equally likely spans of one mention, one sure span of another."""
    rows = [
        candidate_row((0, 0), (0, 1), mention="T1", types=[(0, -1, 0, 1), (0, -1, 1, 0)]),
        candidate_row((3, 3), mention="T2", types=[(1, 0, 1, 2)]),
    ]
    edges, _ = counted(candidate_table(*rows), counts=[6, 2], config=ConsistencyConfig(prior_strength=4.0))
    counts = {"opens": [1.0, 1.0, 0.0], "precedes": [1.0, 0.0, 0.0], "closes": [0.5, 1.5, 0.0], "follows": [0.5, 0.5, 1.0]}
    assert edges["type"].to_pylist() == [0, 1, 2]
    for place in EDGES:
        base = (sum(counts[place]) + 0.5) / (8 + 1)
        rates = [(count + 4 * base) / (seen + 4) for count, seen in zip(counts[place][:2], [6, 2], strict=True)]
        odds = [np.log(rate / (1 - rate)) - np.log(base / (1 - base)) for rate in rates]
        assert edges[place].to_pylist() == pytest.approx([*odds, 0.0])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=5), st.integers(0, 2**16), st.floats(0.1, 20))
def test_edges_are_finite_and_types_never_seen_say_nothing(seen: list[int], seed: int, strength: float) -> None:
    at_most = np.array([*seen, 0])[:, None] * np.ones((1, 4))
    counts = np.random.default_rng(seed).random((len(seen) + 1, 4)) * at_most
    odds = edge_log_odds(counts, np.array(seen), strength)
    assert np.isfinite(odds).all() and odds.shape == (len(seen) + 1, 4)
    assert odds[[*(np.array(seen) == 0), True]] == pytest.approx(0.0, abs=1e-9)


def test_an_edge_that_a_type_takes_more_often_than_others_has_positive_odds() -> None:
    counts = np.array([[8.0, 0, 0, 0], [1.0, 0, 0, 0], [0, 0, 0, 0]])
    odds = edge_log_odds(counts, np.array([10, 10]), 4.0)[:, 0]
    assert odds[0] > 0 > odds[1] and odds[2] == 0


def test_a_corpus_without_candidates_says_nothing() -> None:
    edges, memory = counted(candidate_table(), candidate_table(candidate_row()), counts=[3, 0])
    known = corpus_knowledge(edges, memory, VoteConfig())
    assert (known.edges[0] < 0).all() and known.edges[1:] == pytest.approx(0.0, abs=1e-9) and known.memory.rows.height == 0


@pytest.mark.parametrize("wrong", [{"temperature": 1}, {"prior_strength": 0}, {"least_votes": -1}, {"rounds": 2}])
def test_a_senseless_setting_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ConsistencyConfig.model_validate(wrong)
