import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from data_contracts import COST_MATRICES
from pipeline_lib.alignment.band import Band, BandConfig, band_around, scaled_diagonal
from pipeline_lib.alignment.segments import Groups
from pipeline_lib.encoding.vectors import InOrder
from pipeline_lib.encoding.views import ROLES, Encoded, ViewsConfig, view_cost, view_rows
from tests.pipeline_lib.encoding.test_vectors import table


def encoded(seed: int, units: int, width: int = 6) -> Encoded:
    random = np.random.default_rng(seed)
    found = {}
    for role in ROLES:
        vectors = random.normal(size=(units, width)).astype(np.float32)
        found[role] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return found


def banded(rows: int, columns: int, zero: int) -> tuple[Band, np.ndarray]:
    centre = scaled_diagonal(rows, columns)
    return band_around(centre, columns, BandConfig(full=0, zero=zero)), centre


def concatenated(vectors: np.ndarray, factor: float) -> np.ndarray:
    """The paper's token view: each unit's vector beside its four neighbours' times a factor; nothing past the text's ends."""
    shifted = []
    for shift, weight in ((-2, factor), (-1, factor), (0, 1.0), (1, factor), (2, factor)):
        moved = np.zeros_like(vectors)
        low, high = max(0, -shift), min(len(vectors), len(vectors) - shift)
        moved[low:high] = vectors[low + shift : high + shift] if high > low else 0
        shifted.append(weight * moved)
    return np.concatenate(shifted, axis=1)


@settings(max_examples=60)
@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 6), st.integers(0, 99))
def test_in_the_band_the_context_is_the_inner_product_of_the_concatenated_vectors(rows: int, columns: int, zero: int, seed: int) -> None:
    source, target = encoded(seed, rows), encoded(seed + 1, columns)
    band, centre = banded(rows, columns, zero)
    config = ViewsConfig(sentence=0, phrase=0, token=1, prior=0, context=0.04, band=BandConfig(full=0, zero=zero))
    inner = concatenated(source["token"], 0.2) @ concatenated(target["token"], 0.2).T
    # Every neighbour pair that exists counts; a cosine would divide by the norms, which is the same away from the ends.
    present = concatenated(np.ones((rows, 1)), 0.2) @ concatenated(np.ones((columns, 1)), 0.2).T
    cells = (inner / present)[band.row_of_cell(), band.column_of_cell()]
    spread = cells.max() - cells.min()
    expected = 1 - (cells - cells.min()) / spread if spread > 1e-6 else np.ones(band.cells)
    assert view_cost(source, target, band, centre, config) == pytest.approx(expected, abs=1e-4)


def test_the_cost_is_the_plain_sum_of_the_views_each_brought_to_one_range() -> None:
    source, target = encoded(1, 7), encoded(2, 9)
    band, centre = banded(7, 9, 20)
    config = ViewsConfig(prior=0, context=0, band=BandConfig(full=0, zero=20))
    total = np.zeros((7, 9))
    for role in ROLES:
        view = source[role] @ target[role].T
        total += (view - view.min()) / (view.max() - view.min())
    assert band.dense(view_cost(source, target, band, centre, config)) == pytest.approx(1 - total / 3, abs=1e-5)


def test_swapping_source_and_target_transposes_the_cost() -> None:
    source, target = encoded(1, 8), encoded(2, 8)
    band, centre = banded(8, 8, 4)
    config = ViewsConfig(band=BandConfig(full=1, zero=4))
    there, back = (band.dense(view_cost(*pair, band, centre, config)) for pair in ((source, target), (target, source)))
    assert there == pytest.approx(back.T, abs=1e-5)


def test_the_same_text_on_both_sides_costs_least_on_the_diagonal() -> None:
    text = encoded(3, 10)
    band, centre = banded(10, 10, 30)
    cost = band.dense(view_cost(text, text, band, centre, ViewsConfig()))
    assert cost.argmin(axis=1).tolist() == list(range(10)) and cost.min() >= 0


def test_vectors_that_are_all_alike_say_nothing() -> None:
    flat = {role: np.ones((4, 1), dtype=np.float32) for role in ROLES}
    band, centre = banded(4, 4, 9)
    assert set(view_cost(flat, flat, band, centre, ViewsConfig(prior=0)).tolist()) == {1.0}


def test_without_any_view_there_is_no_cost() -> None:
    with pytest.raises(ValidationError, match="at least one view"):
        ViewsConfig(sentence=0, phrase=0, token=0)


def test_rows_follow_the_documents_of_both_sides_and_keep_their_contract() -> None:
    part = table(a=[1, 0], b=[0, 1])
    sides = [{role: InOrder([part]) for role in ROLES} for _ in range(2)]
    groups = {name: Groups(np.array([[0, 1]]), np.array([[0, 1]]), False) for name in ("a", "b")}
    found = COST_MATRICES.table(list(view_rows(groups, sides[0], sides[1], ("es", "en"), ViewsConfig())))
    COST_MATRICES.check(found)
    assert found["document"].to_pylist() == ["a", "b"]
