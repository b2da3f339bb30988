import numpy as np
import pytest
from scipy.sparse import csr_array

from pipeline_lib.alignment.features import lexicon, salience, spelling, type_tables
from pipeline_lib.alignment.fitted import Vocabulary
from pipeline_lib.alignment.pooled import SIF
from pipeline_lib.alignment.views import character_view, local_types, typed
from tests.pipeline_lib.alignment.pupils import DICTIONARY, teachers

WORDS = ["hepatologia", "hepatologie", "fiebre", "febre", "tos", ".", "2.5", "", "\u75c7\u72b6"]
EMPTY = Vocabulary((), np.zeros(0, dtype=np.int64))


def test_inner_products_of_spellings_are_the_character_view_but_for_the_noise_of_hashing() -> None:
    one = local_types(typed(WORDS, EMPTY), EMPTY)
    view = character_view(one, one)
    errors = []
    for width in (128, 2048, 32768):
        found = spelling(one.strings, width)
        assert found.shape == (len(WORDS), width) and found.dtype == np.float32
        errors.append(np.abs(found @ found.T - view).max())
    assert errors[0] < 0.5 and errors[1] < 0.12 and errors[2] < 0.03
    assert errors[0] > errors[1] > errors[2]


def test_the_noise_of_hashing_has_no_mean() -> None:
    random = np.random.default_rng(7)
    words = ["".join(random.choice(list("abcdefghijklmnopqrstuvwxyz"), 8)) for _ in range(120)]
    one = local_types(typed(words, EMPTY), EMPTY)
    errors = (spelling(one.strings, 64) @ spelling(one.strings, 64).T - character_view(one, one))[~np.eye(120, dtype=bool)]
    assert errors.std() > 0.05 and abs(errors.mean()) < 0.02


def test_a_type_without_any_letters_has_no_spelling() -> None:
    assert not spelling([""], 64).any() and np.isfinite(spelling(["", "a"], 64)).all()


def test_the_spelling_of_a_type_does_not_depend_on_the_others() -> None:
    together = spelling(WORDS, 64)
    assert all(np.array_equal(spelling([word], 64)[0], together[number]) for number, word in enumerate(WORDS))


def test_inner_products_of_the_lexicon_are_the_table_but_for_the_noise_of_hashing() -> None:
    random = np.random.default_rng(5)
    dense = np.where(random.uniform(size=(30, 40)) < 0.1, random.uniform(size=(30, 40)), 0.0)
    source, target = lexicon(csr_array(dense), 4096, 13)
    assert (source.shape, target.shape) == ((30, 4096), (40, 4096))
    assert source @ target.T == pytest.approx(dense, abs=0.1)
    assert np.linalg.norm(target, axis=1) == pytest.approx(np.ones(40), abs=1e-5)
    assert not source[dense.sum(axis=1) == 0].any()


def test_the_lexicon_follows_its_seed() -> None:
    table = csr_array(np.eye(4))
    again = [lexicon(table, 16, seed)[1] for seed in (1, 1, 2)]
    assert np.array_equal(again[0], again[1]) and not np.array_equal(again[0], again[2])


def test_frequent_types_count_less_in_a_window() -> None:
    found = salience(Vocabulary(("a", "b"), np.array([999, 1], dtype=np.int64)))
    assert found[:, 0] == pytest.approx([SIF / (SIF + 0.999), SIF / (SIF + 0.001)])


def test_every_table_has_a_row_a_type() -> None:
    fitted = teachers(DICTIONARY | {"de": "of"})
    for side, vocabulary in zip(type_tables(fitted, 16, 13), (fitted.source, fitted.target), strict=True):
        assert {name: len(table) for name, table in side.items()} == dict.fromkeys(
            ("lexicon", "sentence", "phrase", "salience"), len(vocabulary.types)
        )
    assert np.array_equal(type_tables(fitted, 16, 13)[1]["phrase"], fitted.phrase_target)
