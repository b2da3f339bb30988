"""The aligner on sentence pairs."""

import pytest

from pipeline_lib.alignment.fitted import FitConfig, Teachers
from pipeline_lib.alignment.lexical import LexicalConfig
from pipeline_lib.alignment.links import Links
from pipeline_lib.alignment.sentences import SentenceConfig, SentencePair, fit_sentences, link_sentences
from tests.pipeline_lib.alignment.toy_sentences import sentence_pairs
from tests.pipeline_lib.alignment.toys import DICTIONARY

CONFIG = SentenceConfig(fit=FitConfig(dimensions=24, lexical=LexicalConfig(ibm1_rounds=5, hmm_rounds=2)))
PAIRS = sentence_pairs(1, 150)


@pytest.fixture(scope="module")
def teachers() -> Teachers:
    return fit_sentences(PAIRS, CONFIG)


def linked(pairs: list[SentencePair], teachers: Teachers) -> list[Links]:
    return list(link_sentences(pairs, teachers, CONFIG))


def test_words_are_linked_to_their_translations(teachers: Teachers) -> None:
    found = linked(PAIRS, teachers)
    right = sum(target[j] == DICTIONARY.get(source[i], ".") for (source, target), links in zip(PAIRS, found, strict=True) for i, j in links)
    made, words = sum(map(len, found)), sum(len(source) for source, _ in PAIRS)
    assert right / made > 0.95
    assert right / words > 0.95


def test_swapping_the_sides_transposes_the_links(teachers: Teachers) -> None:
    turned = [(target, source) for source, target in PAIRS]
    backward = linked(turned, fit_sentences(turned, CONFIG))
    agreeing = [links == {(j, i) for i, j in other} for links, other in zip(linked(PAIRS, teachers), backward, strict=True)]
    # Randomised SVDs of a matrix and of its transpose are not equal to the last bit, so a pair on the threshold may fall either way.
    assert sum(agreeing) >= 0.97 * len(agreeing)


def test_the_same_sentence_twice_is_linked_word_by_word() -> None:
    same: list[SentencePair] = [(source, source) for source, _ in PAIRS if len(set(source)) == len(source)]
    assert linked(same, fit_sentences(same, CONFIG)) == [{(i, i) for i in range(len(source))} for source, _ in same]


def test_words_that_were_never_fitted_are_linked_by_their_letters(teachers: Teachers) -> None:
    source, target = PAIRS[0]
    (links,) = linked([([*source, "Hipertensión"], [*target, "hipertension"])], teachers)
    assert (len(source), len(target)) in links


def test_tokens_keep_their_indices_whatever_is_in_them(teachers: Teachers) -> None:
    source, target = PAIRS[1]
    (plain,) = linked([(source, target)], teachers)
    (cased,) = linked([([word.upper() for word in source], target)], teachers)
    assert cased == plain
