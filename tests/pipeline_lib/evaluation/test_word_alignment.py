"""Precision, recall, F1 and AER of word links."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline_lib.alignment.links import Links
from pipeline_lib.evaluation.word_alignment import score_links
from pipeline_lib.evaluation.word_links import LinkedPair
from tests.pipeline_lib.evaluation.linked import link_sets, linked_pairs

GUESSED = linked_pairs().flatmap(lambda pair: st.tuples(st.just(pair), link_sets(len(pair.source), len(pair.target))))


def turned(links: Links) -> Links:
    return frozenset((j, i) for i, j in links)


@given(pairs=st.lists(linked_pairs(), min_size=1, max_size=4).filter(lambda pairs: any(pair.sure for pair in pairs)))
def test_perfect_links_give_f1_1_and_aer_0(pairs: list[LinkedPair]) -> None:
    score = score_links(pairs, [pair.sure for pair in pairs])
    assert (score.precision, score.recall, score.f1, score.aer) == (1.0, 1.0, 1.0, 0.0)


@given(guessed=st.lists(GUESSED, min_size=1, max_size=4))
def test_swapping_the_sides_changes_no_figure(guessed: list[tuple[LinkedPair, Links]]) -> None:
    gold, predicted = [pair for pair, _ in guessed], [links for _, links in guessed]
    assert score_links([pair.swapped() for pair in gold], [*map(turned, predicted)]) == score_links(gold, predicted)


@given(guessed=st.lists(GUESSED, min_size=1, max_size=4))
def test_possible_links_never_raise_the_error_rate(guessed: list[tuple[LinkedPair, Links]]) -> None:
    gold, predicted = [pair for pair, _ in guessed], [links for _, links in guessed]
    strict = score_links([LinkedPair(pair.source, pair.target, pair.sure) for pair in gold], predicted)
    score = score_links(gold, predicted)
    assert score.aer <= strict.aer
    assert (score.f1, score.recall) == (strict.f1, strict.recall)
    if strict.predicted + strict.sure:
        assert strict.aer == pytest.approx(1 - strict.f1, abs=1e-4)


def test_the_figures_of_och_and_ney() -> None:
    pair = LinkedPair(("a", "b", "c"), ("x", "y", "z"), frozenset({(0, 0), (1, 1)}), frozenset({(2, 2), (2, 1)}))
    score = score_links([pair], [frozenset({(0, 0), (2, 2), (1, 2), (0, 1)})])
    # |A| = 4, |S| = 2, |A & S| = 1, |A & P| = 2
    assert (score.precision, score.recall, score.f1, score.aer) == (0.5, 0.5, 0.3333, 0.5)
    assert (score.sentences, score.predicted, score.sure, score.possible) == (1, 4, 2, 4)
    assert (score.matched_sure, score.matched_possible) == (1, 2)


def test_pairs_are_pooled_before_rates_are_taken() -> None:
    full = LinkedPair(("a",), ("x",), frozenset({(0, 0)}))
    missed = LinkedPair(("a", "b", "c"), ("x", "y", "z"), frozenset({(0, 0), (1, 1), (2, 2)}))
    assert score_links([full, missed], [full.sure, frozenset()]).recall == 0.25


def test_nothing_linked_is_no_division_by_zero() -> None:
    score = score_links([LinkedPair(("a",), ("x",), frozenset())], [frozenset()])
    assert (score.precision, score.recall, score.f1, score.aer) == (0.0, 0.0, 0.0, 0.0)


def test_a_prediction_for_another_number_of_pairs_is_refused() -> None:
    with pytest.raises(ValueError, match="1 gold sentence pairs, 0 predicted"):
        score_links([LinkedPair(("a",), ("x",), frozenset())], [])
