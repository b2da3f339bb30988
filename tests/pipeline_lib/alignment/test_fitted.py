from collections import Counter

import numpy as np
import pytest
from scipy.sparse import csr_array

from pipeline_lib.alignment.fitted import (
    FitConfig,
    PairTypes,
    Teachers,
    Vectors,
    Vocabulary,
    _ppmi,
    fit_teachers,
)
from pipeline_lib.alignment.segments import Groups
from tests.pipeline_lib.alignment.toys import DICTIONARY, STOP, fitted, swapped, translated, turned

VIEWS = ("sentence", "phrase")


@pytest.fixture(scope="module")
def pairs() -> list[PairTypes]:
    return translated(seed=1)


@pytest.fixture(scope="module")
def teachers(pairs: list[PairTypes]) -> Teachers:
    return fitted(pairs)


def tables(teachers: Teachers, view: str) -> tuple[Vectors, Vectors]:
    source, target = getattr(teachers, f"{view}_source"), getattr(teachers, f"{view}_target")
    return source, target


@pytest.mark.parametrize("view", VIEWS)
def test_translations_are_nearest_in_both_directions(view: str, teachers: Teachers) -> None:
    source, target = tables(teachers, view)
    similarity = source @ target.T
    nearest = {word: teachers.target.types[similarity[row].argmax()] for row, word in enumerate(teachers.source.types) if word != STOP}
    assert nearest == DICTIONARY
    back = {
        word: teachers.source.types[similarity[:, column].argmax()] for column, word in enumerate(teachers.target.types) if word != STOP
    }
    assert back == {translation: word for word, translation in DICTIONARY.items()}


@pytest.mark.parametrize("view", VIEWS)
def test_vectors_have_a_row_a_type_and_unit_length(view: str, teachers: Teachers) -> None:
    for table, vocabulary in zip(tables(teachers, view), (teachers.source, teachers.target), strict=True):
        assert table.dtype == np.float32 and table.shape == (len(vocabulary.types), 24)
        norms = np.linalg.norm(table, axis=1)
        assert (np.isclose(norms, 1, atol=1e-5) | (norms == 0)).all() and (norms > 0).sum() >= len(DICTIONARY)


def test_the_vocabulary_is_sorted_with_the_counts_of_the_texts(pairs: list[PairTypes], teachers: Teachers) -> None:
    counts = Counter(kind for pair in pairs for kind in pair.source)
    assert teachers.source.types == tuple(sorted(counts))
    assert teachers.source.counts.tolist() == [counts[kind] for kind in sorted(counts)]
    assert set(teachers.target.types) == {*DICTIONARY.values(), STOP}
    assert [teachers.source.types[number] for number in teachers.source.ids(pairs[0].source)] == pairs[0].source


def test_an_unknown_type_has_no_id() -> None:
    with pytest.raises(KeyError):
        Vocabulary(("a",), np.ones(1, dtype=np.int64)).ids(["b"])


def test_the_lexical_table_is_fitted_on_the_same_types(teachers: Teachers) -> None:
    best = teachers.lexical.toarray().argmax(axis=1)
    assert {word: teachers.target.types[best[row]] for row, word in enumerate(teachers.source.types)} == DICTIONARY | {STOP: STOP}


def test_the_order_of_the_documents_changes_no_vocabulary(pairs: list[PairTypes]) -> None:
    one, other = fitted(pairs[:6]), fitted(pairs[5::-1])
    assert one.source.types == other.source.types and np.array_equal(one.source.counts, other.source.counts)
    assert np.allclose(one.lexical.toarray(), other.lexical.toarray(), atol=1e-6)


def test_fitting_twice_gives_the_same_teachers(pairs: list[PairTypes]) -> None:
    one, other = fitted(pairs[:6]), fitted(pairs[:6])
    for view in VIEWS:
        assert all(np.array_equal(a, b) for a, b in zip(tables(one, view), tables(other, view), strict=True))
    assert (one.lexical != other.lexical).nnz == 0


def groups(*pairs: tuple[int, int, int, int], sliced: bool = False) -> Groups:
    table = np.array(pairs, dtype=np.int32)
    return Groups(table[:, :2], table[:, 2:], sliced)


@pytest.mark.parametrize(
    "pair",
    [
        PairTypes(["fiebre"], ["fever"], groups((0, 1, 0, 1))),
        PairTypes(["fiebre", "alta"], ["fever"], groups((0, 2, 0, 1))),
        PairTypes(["tos", "."], ["cough"], groups((0, 1, 0, 1), (1, 2, 1, 1))),
        PairTypes(["a"] * 30, ["b"], groups((0, 24, 0, 1), (24, 30, 0, 1), sliced=True)),
    ],
    ids=["a word each", "two for one", "no counterpart", "slices"],
)
def test_the_smallest_corpora_can_be_fitted(pair: PairTypes) -> None:
    teachers = fit_teachers([pair], FitConfig())
    for view in VIEWS:
        for table in tables(teachers, view):
            assert np.isfinite(table).all()
    assert teachers.lexical.shape == (len(set(pair.source)), len(set(pair.target)))


def test_ppmi_is_that_of_a_small_table_by_hand() -> None:
    counts = np.array([[4, 0], [1, 3]])
    found = _ppmi(csr_array(counts), 1.0).toarray()
    assert found == pytest.approx(np.array([[np.log(4 / 8 / (4 / 8 * 5 / 8)), 0], [0, np.log(3 / 8 / (4 / 8 * 3 / 8))]]))
    context = np.array([5.0, 3.0]) ** 0.75 / (5**0.75 + 3**0.75)
    smoothed = _ppmi(csr_array(counts), 0.75).toarray()
    assert smoothed == pytest.approx(np.array([[np.log(1 / context[0]), 0], [0, np.log(3 / 4 / context[1])]]))


def test_swapping_source_and_target_transposes_the_lexical_table(pairs: list[PairTypes]) -> None:
    there, back = fitted(pairs[:6]), swapped(fitted([turned(pair) for pair in pairs[:6]]))
    assert (there.source.types, there.target.types) == (back.source.types, back.target.types)
    assert there.lexical.nnz > 0 and np.allclose(there.lexical.toarray(), back.lexical.toarray())


def test_segments_that_do_not_translate_each_other_teach_nothing_right(pairs: list[PairTypes]) -> None:
    crossed = [PairTypes(p.source, p.target, Groups(p.groups.source, p.groups.target[::-1], sliced=False)) for p in pairs]
    rows = [(row, word) for row, word in enumerate(fitted(pairs).source.types) if word != STOP]
    right = []
    for found in (fitted(pairs), fitted(crossed)):
        best = found.lexical.toarray().argmax(axis=1)
        right.append(np.mean([found.target.types[best[row]] == DICTIONARY[word] for row, word in rows]))
    assert right[0] == 1.0 and right[1] < 0.5
