import numpy as np
import pytest

from pipeline_lib.alignment.band import BandConfig, band_around, scaled_diagonal
from pipeline_lib.alignment.fitted import PairTypes, Teachers
from pipeline_lib.alignment.posteriors import PosteriorConfig, Posteriors, in_band, posteriors
from pipeline_lib.alignment.segments import Groups, SegmentConfig, align_segments
from pipeline_lib.alignment.views import local_types, typed
from tests.pipeline_lib.alignment.toys import DICTIONARY, fitted, swapped, translated

CONFIG = PosteriorConfig()


@pytest.fixture(scope="module")
def teachers() -> Teachers:
    return fitted(translated(seed=1))


def of_pair(pair: PairTypes, teachers: Teachers, groups: Groups | None = None, config: PosteriorConfig = CONFIG) -> Posteriors:
    groups = groups or align_segments(pair.source, pair.source_breaks, pair.target, pair.target_breaks, SegmentConfig())
    source, target = typed(pair.source, teachers.source), typed(pair.target, teachers.target)
    return posteriors(local_types(source, teachers.source), local_types(target, teachers.target), groups, teachers.translation, config)


def whole(pair: PairTypes) -> Groups:
    return Groups(np.array([[0, len(pair.source)]], np.int32), np.array([[0, len(pair.target)]], np.int32), sliced=False)


def test_every_word_of_a_toy_document_finds_its_translation_in_both_directions(teachers: Teachers) -> None:
    pair = translated(seed=2, documents=1)[0]
    found = of_pair(pair, teachers)
    words = [(i, kind) for i, kind in enumerate(pair.source) if kind in DICTIONARY]
    for table in (found.forward.toarray(), found.backward.toarray()):
        right = [pair.target[table[i].argmax()] == DICTIONARY[kind] for i, kind in words]
        assert np.mean(right) > 0.97


def test_posteriors_are_shares_of_each_generated_unit(teachers: Teachers) -> None:
    for pair in translated(seed=3, documents=3):
        found = of_pair(pair, teachers)
        assert found.forward.data.min() >= 0 and found.backward.data.min() >= 0
        assert found.forward.sum(axis=0).max() <= 1 + 1e-9 and found.backward.sum(axis=1).max() <= 1 + 1e-9


def test_swapping_source_and_target_swaps_and_transposes_the_directions(teachers: Teachers) -> None:
    pair = translated(seed=4, documents=1)[0]
    there = of_pair(pair, teachers, whole(pair))
    other = PairTypes(pair.target, pair.target_breaks, pair.source, pair.source_breaks)
    back = of_pair(other, swapped(teachers), whole(other))
    assert np.allclose(there.forward.toarray(), back.backward.toarray().T)


def test_units_of_different_groups_have_none(teachers: Teachers) -> None:
    pair = translated(seed=5, documents=1)[0]
    n, m = len(pair.source), len(pair.target)
    groups = Groups(np.array([[0, 5], [5, n]], np.int32), np.array([[0, 6], [6, m]], np.int32), sliced=False)
    table = of_pair(pair, teachers, groups).forward.toarray()
    assert table[:5, 6:].max() == 0 and table[5:, :6].max() == 0


def test_overlapping_groups_average(teachers: Teachers) -> None:
    pair = translated(seed=6, documents=1)[0]
    once = of_pair(pair, teachers, whole(pair))
    groups = Groups(np.tile(whole(pair).source, (2, 1)), np.tile(whole(pair).target, (2, 1)), sliced=True)
    assert np.allclose(of_pair(pair, teachers, groups).forward.toarray(), once.forward.toarray())


def test_a_type_never_met_aligns_with_itself(teachers: Teachers) -> None:
    pair = PairTypes(["bal", "zzz", "."], [0], [DICTIONARY["bal"], ".", "zzz"], [0])
    assert of_pair(pair, teachers).forward.toarray()[1, 2] > 0.9
    unknowing = of_pair(pair, teachers, config=PosteriorConfig(same=0.0))
    assert unknowing.forward.toarray()[1, 2] < 0.9


def test_in_band_gives_each_cell_its_value_and_0_elsewhere(teachers: Teachers) -> None:
    pair = translated(seed=7, documents=1)[0]
    table = of_pair(pair, teachers).forward
    band = band_around(scaled_diagonal(*table.shape), table.shape[1], BandConfig(full=2, zero=4))
    dense = table.toarray()
    inside = band.dense(np.ones(band.cells)) > 0
    assert np.allclose(band.dense(in_band(table, band)), np.where(inside, dense, 0))
