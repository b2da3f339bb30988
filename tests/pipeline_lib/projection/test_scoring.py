import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from data_contracts.projection import EDGES, FEATURES
from pipeline_lib.alignment.band import Floats
from pipeline_lib.projection.scoring import (
    MemoryConfig,
    Pool,
    SpanWeights,
    VoteConfig,
    corpus_edges,
    final_scores,
    first_scores,
    first_votes,
    likeliest,
    memory_scores,
    pool,
    probabilities,
)
from tests.pipeline_lib.projection.pairs import candidate_row, candidate_table, corpus_says, nothing_known

NO_WEIGHT = SpanWeights(**dict.fromkeys(SpanWeights.model_fields, 0.0))
SIZES = st.lists(st.integers(0, 4), max_size=6)


def owners(sizes: list[int]) -> np.ndarray:  # type: ignore[type-arg]
    return np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)


def some_pool(sizes: list[int], seed: int) -> Pool:
    """Mentions of random features and types 0 to 2 or none; the features have halves only, which 32 bits hold exactly."""
    random = np.random.default_rng(seed)
    rows = []
    for number, size in enumerate(sizes):
        features = {name: (random.integers(-4, 5, size) / 2).tolist() for name in FEATURES}
        types = [tuple(random.integers(-1, 3, 4).tolist()) for _ in range(size)]
        rows.append(candidate_row(*[(j, j) for j in range(size)], mention=f"T{number}", types=types, **features))
    return pool(candidate_table(*rows))


@settings(max_examples=100, deadline=None)
@given(SIZES, st.integers(0, 2**16))
def test_a_pool_is_the_tables_candidates_one_after_the_other(sizes: list[int], seed: int) -> None:
    found = some_pool(sizes, seed)
    rows = found.table.to_pylist()
    flat = [(number, place) for number, size in enumerate(sizes) for place in range(size)]
    assert found.owner.tolist() == [number for number, _ in flat]
    assert found.first.tolist() == found.last.tolist() == [place for _, place in flat]
    assert found.features.tolist() == [[rows[number][name][place] for name in FEATURES] for number, place in flat]
    assert found.types.tolist() == [rows[number]["types"][4 * place : 4 * place + 4] for number, place in flat]
    assert found.keys.rows() == [("fiebre", f"{place}-{place}") for _, place in flat]


@settings(max_examples=200, deadline=None)
@given(SIZES, st.integers(0, 2**16), st.sampled_from([1.0, 700.0]))
def test_probabilities_are_a_softmax_a_mention_that_a_shift_of_its_scores_does_not_move(sizes: list[int], seed: int, scale: float) -> None:
    random = np.random.default_rng(seed)
    owner = owners(sizes)
    scores = scale * random.normal(size=len(owner))
    likely = probabilities(scores, owner)
    for number, size in enumerate(sizes):
        own = scores[owner == number]
        if size:
            assert likely[owner == number].sum() == pytest.approx(1)
            assert likely[owner == number] == pytest.approx(np.exp(own - np.logaddexp.reduce(own)))
    shift = 50 * random.normal(size=len(sizes))
    assert probabilities(scores + shift[owner], owner) == pytest.approx(likely, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(SIZES, st.integers(0, 2**16))
def test_without_weights_all_candidates_of_a_mention_are_equally_likely(sizes: list[int], seed: int) -> None:
    found = some_pool(sizes, seed)
    known = corpus_says({("fiebre", "0-0"): 5.0}, np.random.default_rng(seed).normal(size=(3, 4)))
    expected = [1 / size for size in sizes for _ in range(size)]
    for scores in (first_scores(found, NO_WEIGHT), final_scores(found, known, NO_WEIGHT, MemoryConfig())):
        assert probabilities(scores, found.owner) == pytest.approx(np.array(expected))


@settings(max_examples=60, deadline=None)
@given(SIZES, st.integers(0, 2**16))
def test_first_scores_are_the_weighted_features_and_carried_edges_stand_in_for_the_corpuss(sizes: list[int], seed: int) -> None:
    found = some_pool(sizes, seed)
    weights = SpanWeights()
    values = weights.model_dump() | {
        "carried_inner": weights.carried_inner + weights.corpus_inner,
        "carried_outer": weights.carried_outer + weights.corpus_outer,
    }
    expected = [sum(values.get(name, 0.0) * x for name, x in zip(FEATURES, row, strict=True)) for row in found.features]
    assert first_scores(found, weights) == pytest.approx(np.array(expected))


@settings(max_examples=60, deadline=None)
@given(SIZES, st.integers(0, 2**16))
def test_corpus_edges_are_the_log_odds_of_the_four_types_and_nothing_outside_the_text(sizes: list[int], seed: int) -> None:
    found = some_pool(sizes, seed)
    edges = np.random.default_rng(seed).normal(size=(3, 4))
    inner, outer = corpus_edges(found, edges)

    def odds(types: list[int], place: str) -> float:
        number = EDGES.index(place)
        return float(edges[types[number], number]) if types[number] >= 0 else 0.0

    four = found.types.tolist()
    assert inner == pytest.approx(np.array([odds(types, "opens") + odds(types, "closes") for types in four]))
    assert outer == pytest.approx(np.array([odds(types, "precedes") + odds(types, "follows") for types in four]))


@settings(max_examples=30, deadline=None)
@given(SIZES, st.integers(0, 2**16))
def test_final_scores_put_what_the_corpus_says_in_place_of_what_stood_in_for_it(sizes: list[int], seed: int) -> None:
    found = some_pool(sizes, seed)
    edges = np.random.default_rng(seed).normal(size=(3, 4))
    inner, outer = corpus_edges(found, edges)
    weights = SpanWeights()
    plain = weights.model_copy(update={"corpus_inner": 0.0, "corpus_outer": 0.0})
    expected = first_scores(found, plain) + weights.corpus_inner * inner + weights.corpus_outer * outer
    assert final_scores(found, corpus_says({}, edges), weights, MemoryConfig()) == pytest.approx(expected)


@settings(max_examples=30, deadline=None)
@given(SIZES, st.integers(0, 2**16))
def test_votes_are_one_a_mention_and_sharper_the_lower_the_temperature(sizes: list[int], seed: int) -> None:
    found = some_pool(sizes, seed)
    warm, cold = (first_votes(found, VoteConfig(temperature=temperature)) for temperature in (1.0, 0.5))
    assert warm == pytest.approx(probabilities(first_scores(found, SpanWeights()), found.owner))
    for number in {*found.owner.tolist()}:
        own = found.owner == number
        assert cold[own].sum() == pytest.approx(1) and cold[own].max() >= warm[own].max() - 1e-12


@given(st.lists(st.lists(st.sampled_from([0.0, 0.5, 1.0]), max_size=4), max_size=6))
def test_the_likeliest_candidate_of_a_mention_is_the_first_of_the_greatest(values: list[list[float]]) -> None:
    owner = owners([len(own) for own in values])
    starts = np.cumsum([0, *map(len, values)])
    expected = [start + own.index(max(own)) for start, own in zip(starts, values, strict=False) if own]
    assert likeliest(np.array([value for own in values for value in own]), owner).tolist() == expected


@given(SIZES)
def test_bounds_part_the_candidates_of_the_mentions_that_have_some(sizes: list[int]) -> None:
    found = some_pool(sizes, 0)
    assert found.bounds.tolist() == [0, *np.cumsum([size for size in sizes if size])]


def remembered(votes: dict[tuple[str, str], float], own: list[float], keys: list[str]) -> Floats:
    """Memory scores of one mention of "fiebre" with the given candidates."""
    found = pool(candidate_table(candidate_row(*[(j, j) for j in range(len(keys))], keys=keys)))
    return memory_scores(found, corpus_says(votes).memory, np.array(own), MemoryConfig(strength=1.0, share=0.02))


@pytest.mark.parametrize(
    ("votes", "own", "expected"),
    [
        ({}, [0.5, 0.5], [0.0, 0.0]),
        ({("fiebre", "fever"): 0.9, ("fiebre", "heat"): 0.1}, [0.9, 0.1], [0.0, 0.0]),
        ({("tos", "fever"): 9.0}, [0.9, 0.1], [0.0, 0.0]),
        ({("fiebre", "fever"): 1.9, ("fiebre", "heat"): 0.1}, [0.9, 0.1], [np.log(1.02 / 2 / 0.02), np.log(0.02 / 2 / 0.02)]),
        ({("fiebre", "fever"): 0.9, ("fiebre", "heat"): 0.1, ("fiebre", "ague"): 1.0}, [0.9, 0.1], [np.log(1 / 2)] * 2),
    ],
    ids=["nothing", "only itself", "another source", "another agrees", "another disagrees"],
)
def test_memory_is_the_share_of_the_others_votes_over_that_of_a_surface_never_met(
    votes: dict[tuple[str, str], float], own: list[float], expected: list[float]
) -> None:
    assert remembered(votes, own, ["fever", "heat"]) == pytest.approx(np.array(expected))


def test_a_surface_that_only_others_use_is_preferred() -> None:
    others = {("fiebre", "fever"): 8.1, ("fiebre", "heat"): 0.9}
    fever, heat = remembered(others, [0.1, 0.9], ["fever", "heat"])
    assert fever > 0 > heat


def test_two_candidates_that_read_the_same_share_their_votes() -> None:
    """An occurrence elsewhere in the document is another candidate with the same key."""
    here, there = remembered({("fiebre", "fever"): 2.0}, [0.6, 0.4], ["fever", "fever"])
    assert here == there == pytest.approx(np.log((1.0 + 0.02) / 2 / 0.02))


def test_memory_weighs_in_the_final_scores() -> None:
    found = pool(candidate_table(candidate_row((0, 0), (1, 1), keys=["fever", "heat"])))
    known = corpus_says({("fiebre", "heat"): 20.0})
    without = final_scores(found, nothing_known(), SpanWeights(), MemoryConfig())
    once, twice = (final_scores(found, known, SpanWeights(memory=weight), MemoryConfig()) - without for weight in (1.0, 2.0))
    assert once[1] > 0 > once[0] and twice == pytest.approx(2 * once)


@pytest.mark.parametrize("wrong", [{"temperature": 1}, {"strength": 0}, {"share": 0}, {"share": 1}, {"weight": 1}])
def test_a_senseless_setting_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        MemoryConfig.model_validate(wrong)
