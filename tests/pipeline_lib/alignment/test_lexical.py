import numpy as np
import numpy.typing as npt
import pytest
from scipy.sparse import csr_array

from pipeline_lib.alignment.band import Floats
from pipeline_lib.alignment.hmm import EMPTY_WORD
from pipeline_lib.alignment.lexical import GroupedText, LexicalConfig, fit_translation
from tests.pipeline_lib.alignment.toys import DICTIONARY, translated

PAIRS = [([0, 1], [0, 1]), ([0, 2], [2, 0]), ([1, 2, 2], [1, 2]), ([3], [1, 3, 3]), ([0, 3], [0])]


def grouped(pairs: list[tuple[list[int], list[int]]]) -> GroupedText:
    def flat(side: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        parts = [pair[side] for pair in pairs]
        return np.array([kind for part in parts for kind in part], dtype=np.int32), np.cumsum([0, *map(len, parts)]).astype(np.int64)

    (source, source_edges), (target, target_edges) = flat(0), flat(1)
    return GroupedText(source, target, source_edges, target_edges)


def ibm1(pairs: list[tuple[list[int], list[int]]], types: int, rounds: int, smoothing: float) -> Floats:
    """``p(target | source)`` by the book, dense, shape (types, types)."""
    met = np.zeros((types, types), dtype=bool)
    for source, target in pairs:
        met[np.ix_(source, target)] = True
    table, empty = np.where(met, 1.0, 0.0), np.full(types, 1 / types)
    for _ in range(rounds):
        counts, empty_counts = np.where(met, smoothing, 0.0), np.full(types, smoothing)
        for source, target in pairs:
            for t in target:
                weights = [(1 - EMPTY_WORD) / len(source) * table[s, t] for s in source]
                total = sum(weights) + EMPTY_WORD * empty[t]
                for s, weight in zip(source, weights, strict=True):
                    counts[s, t] += weight / total
                empty_counts[t] += EMPTY_WORD * empty[t] / total
        sums = counts.sum(axis=1, keepdims=True)
        table, empty = np.divide(counts, sums, out=np.zeros_like(counts), where=sums > 0), empty_counts / empty_counts.sum()
    return table


def table_of(text: GroupedText, source_types: int, target_types: int, config: LexicalConfig) -> csr_array:
    return fit_translation(text, source_types, target_types, config).strength(config.keep)


@pytest.mark.parametrize("rounds", [1, 2, 5])
def test_model_1_is_that_of_the_book_in_both_directions(rounds: int) -> None:
    config = LexicalConfig(ibm1_rounds=rounds, hmm_rounds=0, least=0, keep=0)
    forward = ibm1(PAIRS, 4, rounds, config.smoothing)
    backward = ibm1([(target, source) for source, target in PAIRS], 4, rounds, config.smoothing)
    assert np.allclose(table_of(grouped(PAIRS), 4, 4, config).toarray(), np.sqrt(forward * backward.T))


@pytest.mark.parametrize("hmm_rounds", [0, 3])
def test_swapping_the_texts_transposes_the_table(hmm_rounds: int) -> None:
    text, config = grouped(PAIRS), LexicalConfig(hmm_rounds=hmm_rounds)
    assert np.allclose(table_of(text.reversed(), 4, 4, config).toarray(), table_of(text, 4, 4, config).toarray().T)


def toy_table(config: LexicalConfig) -> tuple[csr_array, list[str], list[str]]:
    source_types, target_types = sorted(DICTIONARY), sorted(DICTIONARY.values())
    pairs = []
    for document in translated(seed=1):
        for first, last in document.groups.source.tolist():
            pairs.append(
                (
                    [source_types.index(word) for word in document.source[first : last - 1]],
                    [target_types.index(word) for word in document.target[first : last - 1]],
                )
            )
    return table_of(grouped(pairs), len(source_types), len(target_types), config), source_types, target_types


@pytest.mark.parametrize("config", [LexicalConfig(hmm_rounds=0), LexicalConfig()], ids=["model 1", "HMM"])
def test_the_dictionary_of_a_toy_corpus_is_found(config: LexicalConfig) -> None:
    table, source_types, target_types = toy_table(config)
    dense = table.toarray()
    assert {word: target_types[dense[row].argmax()] for row, word in enumerate(source_types)} == DICTIONARY
    assert {target_types[column]: source_types[dense[:, column].argmax()] for column in range(len(target_types))} == {
        translation: word for word, translation in DICTIONARY.items()
    }
    right = dense[range(len(source_types)), [target_types.index(DICTIONARY[word]) for word in source_types]]
    assert right.min() > 0.6


def test_strengths_lie_in_the_unit_interval_and_small_ones_are_dropped() -> None:
    table, _, _ = toy_table(LexicalConfig(least=0.0, keep=0.02))
    everything, _, _ = toy_table(LexicalConfig(least=0.0, keep=0.0))
    assert table.data.min() >= 0.02 and everything.data.min() < 0.02 and everything.data.max() <= 1 + 1e-12
    assert np.allclose(table.toarray(), np.where(everything.toarray() < 0.02, 0, everything.toarray()))
    assert table.has_sorted_indices


def test_word_order_tells_the_hmm_apart_what_model_1_cannot() -> None:
    text = grouped([([0, 1, 2], [0, 1, 2])] * 5 + [([3], [3])])
    plain = table_of(text, 4, 4, LexicalConfig(hmm_rounds=0)).toarray()
    assert np.allclose(plain[:3, :3], plain[0, 0])
    ordered = table_of(grouped([([0, 1, 2], [0, 1, 2]), ([0, 1], [0, 1]), ([1, 2], [1, 2])] * 3), 3, 3, LexicalConfig())
    assert (ordered.toarray().argmax(axis=1) == range(3)).all()


def test_a_learnt_forward_step_tells_apart_what_always_stands_together() -> None:
    random = np.random.default_rng(5)
    pairs = []
    for _ in range(60):
        words = [int(word) for word in random.permutation(8)[:5]]
        words[2:2] = [8, 9]  # inseparable, so only the order says which is which
        pairs.append((words, words))
    table = table_of(grouped(pairs), 10, 10, LexicalConfig()).toarray()
    assert table[8, 8] > 0.8 > 0.2 > table[8, 9] and table[9, 9] > 0.8 > 0.2 > table[9, 8]


def test_groups_with_an_empty_side_change_nothing() -> None:
    config = LexicalConfig()
    with_gaps = grouped([([], [1, 2]), *PAIRS, ([0, 1], []), ([], [])])
    assert np.allclose(table_of(with_gaps, 4, 4, config).toarray(), table_of(grouped(PAIRS), 4, 4, config).toarray())


def test_types_that_never_meet_have_no_entry() -> None:
    table = table_of(grouped([([0], [1]), ([2], [0])]), 4, 3, LexicalConfig())
    assert table.shape == (4, 3) and sorted(zip(*(part.tolist() for part in table.nonzero()), strict=True)) == [(0, 1), (2, 0)]
