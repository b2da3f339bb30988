import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import HashingVectorizer

from pipeline_lib.alignment.ngrams import ngram_counts, products, unit_rows

TEXTS = [
    "hipertension",
    "a",
    "",
    "\u00e9",
    "\u75c7\u72b6 ab",
    "\U0001d4b3y",
    "38.5",
    "tos tos  tos",
    "\u00a0x\u2003y\n",
    ".",
    "nbsp\u00df\u00b4",
]
SIZES = [(2, 5, 2**18), (3, 5, 2**16), (1, 4, 1000), (5, 5, 7)]


def by_sklearn(texts: list[str], shortest: int, longest: int, width: int, norm: str | None = None) -> np.ndarray:
    sizes = (shortest, longest)
    reference = HashingVectorizer(analyzer="char_wb", ngram_range=sizes, n_features=width, norm=norm, alternate_sign=False, lowercase=False)
    return np.asarray(reference.transform(texts).toarray())


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_ngrams_are_counted_as_scikit_learn_counts_them(size: tuple[int, int, int]) -> None:
    found = ngram_counts(TEXTS, *size)
    assert found.nnz > len(TEXTS) and np.array_equal(found.toarray(), by_sklearn(TEXTS, *size))


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=12), max_size=4), st.sampled_from([(2, 5, 1009), (3, 5, 512)]))
def test_ngrams_of_any_text_are_those_of_scikit_learn(texts: list[str], size: tuple[int, int, int]) -> None:
    found = ngram_counts(texts, *size)
    assert found.shape == (len(texts), size[2])
    if texts:
        assert np.array_equal(found.toarray(), by_sklearn(texts, *size))


def test_the_columns_of_a_text_ascend_and_stand_there_once() -> None:
    found = ngram_counts(TEXTS, 2, 5, 64)
    assert found.data.max() > 1
    for row in range(len(TEXTS)):
        assert (np.diff(found.indices[found.indptr[row] : found.indptr[row + 1]]) > 0).all()


def test_products_are_those_of_the_dense_tables() -> None:
    one, other = ngram_counts(TEXTS, 2, 5, 64), ngram_counts(TEXTS[3:], 2, 5, 64)
    found = products(one, other)
    assert found.shape == (len(TEXTS), len(TEXTS) - 3)
    assert np.array_equal(found, one.toarray() @ other.toarray().T)


def test_unit_rows_make_products_cosines_and_empty_rows_stay_empty() -> None:
    unit = unit_rows(ngram_counts(["", *TEXTS, ""], 2, 5, 2**18))
    assert unit.toarray() == pytest.approx(by_sklearn(["", *TEXTS, ""], 2, 5, 2**18, norm="l2"))
    assert np.diag(products(unit, unit)) == pytest.approx([float(bool(text)) for text in ["", *TEXTS, ""]])
