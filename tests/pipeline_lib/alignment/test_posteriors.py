from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from data_contracts import POSTERIORS
from pipeline_lib.alignment.band import Band, BandConfig, Floats, band_around, scaled_diagonal
from pipeline_lib.alignment.fitted import PairTypes, Teachers
from pipeline_lib.alignment.posteriors import PosteriorConfig, Posteriors, banded_posteriors, posteriors
from pipeline_lib.alignment.segments import Groups
from pipeline_lib.alignment.views import local_types, typed
from tests.pipeline_lib.alignment.toys import DICTIONARY, fitted, swapped, translated, turned

TABLES_ALONE = PosteriorConfig(views=0.0)
PAIR = translated(seed=4, documents=1)[0]
SEEDS = st.integers(0, 2**16)


@cache
def known_teachers() -> Teachers:
    return fitted(translated(seed=1))


@pytest.fixture(scope="module")
def teachers() -> Teachers:
    return known_teachers()


def everywhere(pair: PairTypes) -> Band:
    n, m = len(pair.source), len(pair.target)
    return Band(np.zeros(n, dtype=np.int32), np.full(n, m, dtype=np.int32), m)


def near_diagonal(pair: PairTypes, zero: int = 6) -> Band:
    return band_around(scaled_diagonal(len(pair.source), len(pair.target)), len(pair.target), BandConfig(full=1, zero=zero))


def random_views(band: Band, seed: int = 7) -> Floats:
    return np.random.default_rng(seed).uniform(-1, 2, band.cells)


def of_pair(
    pair: PairTypes,
    teachers: Teachers,
    config: PosteriorConfig = TABLES_ALONE,
    groups: Groups | None = None,
    band: Band | None = None,
    views: Floats | None = None,
) -> Posteriors:
    band = band or everywhere(pair)
    ours = local_types(typed(pair.source, teachers.source), teachers.source)
    theirs = local_types(typed(pair.target, teachers.target), teachers.target)
    similarity = np.zeros(band.cells) if views is None else views
    return posteriors(ours, theirs, groups or pair.groups, teachers.translation, band, similarity, config)


def whole(pair: PairTypes) -> Groups:
    return Groups(np.array([[0, len(pair.source)]], np.int32), np.array([[0, len(pair.target)]], np.int32), sliced=False)


def test_every_word_of_a_toy_document_finds_its_translation_in_both_directions(teachers: Teachers) -> None:
    pair = translated(seed=2, documents=1)[0]
    found = of_pair(pair, teachers)
    words = [(i, kind) for i, kind in enumerate(pair.source) if kind in DICTIONARY]
    for table in (found.forward.toarray(), found.backward.toarray()):
        right = [pair.target[table[i].argmax()] == DICTIONARY[kind] for i, kind in words]
        assert np.mean(right) > 0.97


@pytest.mark.parametrize("config", [TABLES_ALONE, PosteriorConfig()], ids=["tables alone", "with views"])
def test_posteriors_are_shares_of_each_generated_unit(config: PosteriorConfig, teachers: Teachers) -> None:
    for pair in translated(seed=3, documents=3):
        found = of_pair(pair, teachers, config, views=random_views(everywhere(pair)))
        assert found.forward.data.min() >= 0 and found.backward.data.min() >= 0
        assert found.forward.sum(axis=0).max() <= 1 + 1e-9 and found.backward.sum(axis=1).max() <= 1 + 1e-9


@pytest.mark.parametrize("config", [TABLES_ALONE, PosteriorConfig()], ids=["tables alone", "with views"])
def test_swapping_source_and_target_swaps_and_transposes_the_directions(config: PosteriorConfig, teachers: Teachers) -> None:
    band, other = everywhere(PAIR), turned(PAIR)
    views = band.dense(random_views(band))
    there = of_pair(PAIR, teachers, config, views=views.ravel())
    back = of_pair(other, swapped(teachers), config, views=views.T.ravel())
    assert np.allclose(there.forward.toarray(), back.backward.toarray().T)
    assert np.allclose(there.backward.toarray(), back.forward.toarray().T)


def test_units_of_different_groups_have_none_whatever_the_views_say(teachers: Teachers) -> None:
    n, m = len(PAIR.source), len(PAIR.target)
    groups = Groups(np.array([[0, 5], [5, n]], np.int32), np.array([[0, 6], [6, m]], np.int32), sliced=False)
    found = of_pair(PAIR, teachers, PosteriorConfig(), groups, views=np.full(n * m, 2.0))
    for table in (found.forward.toarray(), found.backward.toarray()):
        assert table[:5, 6:].max() == table[5:, :6].max() == 0 < table[:5, :6].max()


def test_a_group_without_counterpart_has_none(teachers: Teachers) -> None:
    n, m = len(PAIR.source), len(PAIR.target)
    groups = Groups(np.array([[0, 4], [4, n], [n, n]], np.int32), np.array([[0, 0], [0, m - 3], [m - 3, m]], np.int32), sliced=False)
    found = of_pair(PAIR, teachers, groups=groups).forward.toarray()
    assert found[:4].max() == found[:, m - 3 :].max() == 0 < found[4:, : m - 3].max()


def test_overlapping_groups_average(teachers: Teachers) -> None:
    once = of_pair(PAIR, teachers, groups=whole(PAIR))
    groups = Groups(np.tile(whole(PAIR).source, (2, 1)), np.tile(whole(PAIR).target, (2, 1)), sliced=True)
    assert np.allclose(of_pair(PAIR, teachers, groups=groups).forward.toarray(), once.forward.toarray())


def test_a_type_never_met_aligns_with_itself(teachers: Teachers) -> None:
    pair = PairTypes(["bal", "zzz", "."], [DICTIONARY["bal"], ".", "zzz"], Groups(np.array([[0, 3]]), np.array([[0, 3]]), sliced=False))
    assert of_pair(pair, teachers).forward.toarray()[1, 2] > 0.9
    unknowing = of_pair(pair, teachers, PosteriorConfig(views=0.0, same=0.0))
    assert unknowing.forward.toarray()[1, 2] < 0.9


def test_words_that_no_table_knows_are_placed_by_the_views(teachers: Teachers) -> None:
    pair = PairTypes(["aaa", "bbb", "ccc"], ["xxx", "yyy", "zzz"], Groups(np.array([[0, 3]]), np.array([[0, 3]]), sliced=False))
    views = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    placed = of_pair(pair, teachers, PosteriorConfig(views=6.0), views=views.ravel())
    assert placed.forward.toarray().argmax(axis=1).tolist() == placed.backward.toarray().argmax(axis=1).tolist() == [2, 0, 1]
    assert of_pair(pair, teachers, views=views.ravel()).forward.toarray().argmax(axis=1).tolist() != [2, 0, 1]


def test_without_strength_the_views_change_nothing(teachers: Teachers) -> None:
    one = of_pair(PAIR, teachers, PosteriorConfig(views=0.0, middle=0.4), views=random_views(everywhere(PAIR)))
    assert np.allclose(one.forward.toarray(), of_pair(PAIR, teachers).forward.toarray())


@settings(max_examples=15)
@given(SEEDS, st.floats(0.5, 4), st.floats(-1, 1), st.floats(-1, 1))
def test_strength_scales_the_views_and_the_middle_shifts_them(seed: int, strength: float, middle: float, shift: float) -> None:
    known, band = known_teachers(), everywhere(PAIR)
    views = random_views(band, seed)
    table = of_pair(PAIR, known, PosteriorConfig(views=strength, middle=middle), views=views).forward.toarray()
    scaled = of_pair(PAIR, known, PosteriorConfig(views=1.0, middle=middle * strength), views=views * strength)
    shifted = of_pair(PAIR, known, PosteriorConfig(views=strength, middle=middle + shift), views=views + shift)
    assert np.allclose(scaled.forward.toarray(), table) and np.allclose(shifted.forward.toarray(), table)


@settings(max_examples=15)
@given(SEEDS, st.data())
def test_the_more_the_views_say_for_a_pair_the_likelier_it_is_in_both_directions(seed: int, data: st.DataObject) -> None:
    (a, b), (c, d) = PAIR.groups.source[2].tolist(), PAIR.groups.target[2].tolist()
    i, j = data.draw(st.integers(a, b - 1)), data.draw(st.integers(c, d - 1))
    band = near_diagonal(PAIR, zero=40)
    lower = random_views(band, seed)
    higher = lower.copy()
    higher[band.indptr[i] + j - band.low[i]] += 0.5
    one, other = (of_pair(PAIR, known_teachers(), PosteriorConfig(), band=band, views=views) for views in (lower, higher))
    assert one.forward[i, j] < other.forward[i, j] and one.backward[i, j] < other.backward[i, j]


def test_a_pair_outside_the_band_counts_as_similarity_0(teachers: Teachers) -> None:
    band = near_diagonal(PAIR)
    views = random_views(band)
    narrow = of_pair(PAIR, teachers, PosteriorConfig(), band=band, views=views)
    wide = of_pair(PAIR, teachers, PosteriorConfig(), views=band.dense(views).ravel())
    assert np.allclose(narrow.forward.toarray(), wide.forward.toarray())


def stored(found: Posteriors, keep: float) -> dict[str, Any]:
    """The row of POSTERIORS, out of its table."""
    table = POSTERIORS.table([{"document": "d1", "source_lang": "es", "target_lang": "en", **found.as_row(keep)}])
    POSTERIORS.check(table)
    return dict(table.to_pylist()[0])


@settings(max_examples=15)
@given(st.sampled_from([0.0, 0.005, 0.3, 1.0]), st.integers(1, 9))
def test_a_row_gives_each_cell_of_a_band_its_values_if_one_is_large_enough_and_no_mass_elsewhere(keep: float, zero: int) -> None:
    found, band = of_pair(PAIR, known_teachers()), near_diagonal(PAIR, zero)
    forward, backward = found.forward.toarray(), found.backward.toarray()
    held = band.dense(np.ones(band.cells)) * (np.maximum(forward, backward) >= keep)
    for dense, values in zip((forward, backward), banded_posteriors(stored(found, keep), band), strict=True):
        assert values.shape == (band.cells,)
        assert np.allclose(band.dense(values), dense * held, atol=1e-6)


def test_the_pairs_of_a_row_ascend(teachers: Teachers) -> None:
    row = stored(of_pair(PAIR, teachers), 0.001)
    places = list(zip(row["rows"], row["columns"], strict=True))
    assert places == sorted(set(places)) and len(places) > len(PAIR.source)


def test_a_document_without_pairs_has_a_row_too(teachers: Teachers) -> None:
    row = stored(of_pair(PAIR, teachers), 1.0) | {name: [] for name in ("rows", "columns", "forward", "backward")}
    assert [values.sum() for values in banded_posteriors(row, near_diagonal(PAIR))] == [0, 0]


@pytest.mark.parametrize("wrong", [{"views": -1.0}, {"floor": 0.0}, {"same": 1.1}, {"keep": -0.1}, {"width": 3.0}])
def test_a_senseless_setting_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        PosteriorConfig(**wrong)
