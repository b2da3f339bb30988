import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts import EMBEDDINGS
from pipeline_lib.alignment.band import Band
from pipeline_lib.alignment.fitted import Teachers
from pipeline_lib.alignment.units import GridText, fold
from pipeline_lib.alignment.views import (
    LocalTypes,
    banded_cosine,
    character_view,
    embeddings_table,
    lexical_view,
    local_types,
    type_view,
    typed,
    typed_texts,
)
from tests.pipeline_lib.alignment.toys import fitted, translated

PAIRS = translated(seed=2, documents=10)
WORDS = st.lists(st.text(alphabet="abcé1\u00b4ß", min_size=1, max_size=6).map(fold), min_size=1, max_size=8)


@pytest.fixture(scope="module")
def teachers() -> Teachers:
    return fitted(PAIRS)


def known_and_unseen(teachers: Teachers) -> tuple[LocalTypes, LocalTypes]:
    """All known types of both languages in a row, with unseen types in between."""
    source = ["zzz", *teachers.source.types[::-1], "yyy", "zzz"]
    target = [*teachers.target.types, "zzz"]
    return local_types(typed(source, teachers.source), teachers.source), local_types(typed(target, teachers.target), teachers.target)


def test_types_are_looked_up_and_unseen_ones_numbered_on(teachers: Teachers) -> None:
    size = len(teachers.source.types)
    known = teachers.source.types[5]
    text = typed(["neu", known, "otro", "neu"], teachers.source)
    assert text.ids.tolist() == [size, 5, size + 1, size] and text.unseen == ["neu", "otro"]
    local = local_types(text, teachers.source)
    assert [local.strings[number] for number in local.of_unit] == ["neu", known, "otro", "neu"]
    assert [local.known[number] for number in local.of_unit] == [-1, 5, -1, -1]
    assert len(local.strings) == 3


def test_embeddings_survive_their_table(teachers: Teachers) -> None:
    known = teachers.source.types[5]
    text = f"neu {known}  otro neu"
    grid = GridText(text, [0, 4, text.index("otro"), text.rindex("neu")], [3, 4 + len(known), text.index("otro") + 4, len(text)], [0])
    table = embeddings_table({"d1": grid, "d0": GridText(known, [0], [len(known)], [0])}, "es", teachers.source)
    EMBEDDINGS.check(table)
    back = typed_texts(table)
    assert list(back) == ["d1", "d0"] and set(table["lang"].to_pylist()) == {"es"}
    assert back["d1"].unseen == ["neu", "otro"] and back["d0"].unseen == []
    expected = typed(grid.types, teachers.source)
    assert back["d1"].ids.tolist() == expected.ids.tolist() and back["d1"].ids.dtype == np.int32


@given(WORDS, WORDS)
def test_the_character_view_is_a_cosine_1_for_equal_types_and_transposes(one: list[str], other: list[str]) -> None:
    def local(words: list[str]) -> LocalTypes:
        return LocalTypes(words, np.zeros(len(words), dtype=np.int32), np.arange(len(words), dtype=np.int32))

    view = character_view(local(one), local(other))
    assert view.shape == (len(one), len(other)) and view.min() >= 0 and view.max() <= 1 + 1e-9
    assert np.allclose(view.T, character_view(local(other), local(one)))
    for row, word in enumerate(one):
        assert all(view[row, column] == pytest.approx(1) for column, same in enumerate(other) if same == word)


def test_cognates_look_more_alike_than_strangers() -> None:
    words = ["hipertension", "hypertension", "tension", "fiebre"]
    local = LocalTypes(words, np.zeros(4, dtype=np.int32), np.arange(4, dtype=np.int32))
    view = character_view(local, local)[0]
    assert 1 > view[1] > view[2] > view[3] and view[3] < 0.15


def test_the_lexical_view_is_the_table_and_0_for_unseen_types(teachers: Teachers) -> None:
    source, target = known_and_unseen(teachers)
    view, dense = lexical_view(source, target, teachers), teachers.lexical.toarray()
    assert view.max() > 0.5
    for row, known in enumerate(source.known):
        for column, other in enumerate(target.known):
            assert view[row, column] == (dense[known, other] if known >= 0 and other >= 0 else 0.0)


def test_the_type_view_is_the_cosine_of_the_vectors_and_0_for_unseen_types(teachers: Teachers) -> None:
    source, target = known_and_unseen(teachers)
    view = type_view(source, target, teachers.sentence_source, teachers.sentence_target)
    assert (source.known < 0).sum() == 2 and (target.known < 0).sum() == 1
    for row, known in enumerate(source.known):
        for column, other in enumerate(target.known):
            expected = teachers.sentence_source[known] @ teachers.sentence_target[other] if known >= 0 and other >= 0 else 0.0
            assert view[row, column] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("rows_at_once", [1, 4, 7, 128])
def test_the_banded_cosine_is_the_dense_one_in_the_band(rows_at_once: int) -> None:
    random = np.random.default_rng(0)
    source, target = random.normal(size=(9, 5)).astype(np.float32), random.normal(size=(12, 5)).astype(np.float32)
    low = np.array([0, 0, 2, 12, 3, 3, 0, 8, 11], dtype=np.int32)
    high = np.array([3, 0, 6, 12, 9, 4, 12, 12, 12], dtype=np.int32)
    band = Band(low, high, 12)
    found = banded_cosine(source, target, band, rows_at_once)
    assert np.allclose(found, (source @ target.T)[band.row_of_cell(), band.column_of_cell()], atol=1e-5)
