import numpy as np
import pytest
from pydantic import ValidationError

from data_contracts import COST_MATRICES, EMBEDDINGS
from pipeline_lib.alignment.band import Band, BandConfig, Floats, band_around, prior, scaled_diagonal
from pipeline_lib.alignment.cost import CostConfig, ViewWeights, _similarity, cost_tables, document_cost
from pipeline_lib.alignment.fitted import PairTypes, Teachers
from pipeline_lib.alignment.sinkhorn import SharpenConfig, shares, sharpen
from pipeline_lib.alignment.units import GridText
from pipeline_lib.alignment.views import (
    TypedText,
    character_view,
    embeddings_table,
    lexical_view,
    local_types,
    pooled_vectors,
    type_view,
    typed,
)
from tests.pipeline_lib.alignment.toys import DICTIONARY, fitted, same_twice, swapped, translated

PAIRS = translated(seed=3, documents=15)
NOTHING = {name: 0.0 for name in ViewWeights.model_fields}


@pytest.fixture(scope="module")
def teachers() -> Teachers:
    return fitted(PAIRS)


def texts(pair: PairTypes, teachers: Teachers) -> tuple[TypedText, TypedText]:
    return typed(["zzz", *pair.source], teachers.source), typed([*pair.target[:-4], "yyy"], teachers.target)


def by_loops(source: TypedText, target: TypedText, teachers: Teachers, config: CostConfig) -> Floats:
    """The cost of every pair of units, cell by cell, shape (n, m)."""
    ours, theirs = local_types(source, teachers.source), local_types(target, teachers.target)
    at = np.ix_(ours.of_unit, theirs.of_unit)
    weights = config.weights
    token = (weights.characters * character_view(ours, theirs) + weights.lexical * lexical_view(ours, theirs, teachers))[at]
    total = weights.sentence * type_view(ours, theirs, teachers.sentence_source, teachers.sentence_target)[at]
    total += weights.phrase * type_view(ours, theirs, teachers.phrase_source, teachers.phrase_target)[at]
    for weight, (left, right), window in (
        (weights.pooled_sentence, (teachers.sentence_source, teachers.sentence_target), config.sentence_window),
        (weights.pooled_phrase, (teachers.phrase_source, teachers.phrase_target), config.phrase_window),
    ):
        total += weight * pooled_vectors(ours, left, teachers.source, window) @ pooled_vectors(theirs, right, teachers.target, window).T
    n, m = token.shape
    centre = scaled_diagonal(n, m)
    for i in range(n):
        for j in range(m):
            near = [(i + shift, j + shift) for shift in (-2, -1, 1, 2) if 0 <= i + shift < n and 0 <= j + shift < m]
            total[i, j] += (token[i, j] + config.context * sum(token[place] for place in near)) / (1 + config.context * len(near))
            distance = abs(j - centre[i])
            total[i, j] += weights.prior * np.clip((config.band.zero - distance) / (config.band.zero - config.band.full), 0, 1)
    return np.asarray(np.clip(1 - total / sum(weights.model_dump().values()), 0, 1))


@pytest.mark.parametrize(
    "config",
    [
        CostConfig(),
        CostConfig(band=BandConfig(full=3, zero=8)),
        CostConfig(context=0.0, sentence_window=0, phrase_window=1),
        CostConfig(weights=ViewWeights(**NOTHING | {"characters": 1.0}), context=0.7),
        CostConfig(weights=ViewWeights(**NOTHING | {"phrase": 0.5, "pooled_phrase": 2.0})),
    ],
)
def test_the_cost_is_one_minus_the_weighted_mean_of_views_and_prior(config: CostConfig, teachers: Teachers) -> None:
    source, target = texts(PAIRS[0], teachers)
    cost, band = document_cost(source, target, teachers, config)
    assert (band.rows, band.columns) == (len(source.ids), len(target.ids))
    assert np.allclose(cost, by_loops(source, target, teachers, config)[band.row_of_cell(), band.column_of_cell()], atol=1e-5)
    assert cost.shape == (band.cells,) and cost.min() >= 0 and cost.max() <= 1 and np.ptp(cost) > 0.1


def test_the_band_is_that_of_the_scaled_diagonal(teachers: Teachers) -> None:
    source, target = texts(PAIRS[1], teachers)
    config = CostConfig(band=BandConfig(full=2, zero=6))
    _, band = document_cost(source, target, teachers, config)
    expected = band_around(scaled_diagonal(len(source.ids), len(target.ids)), len(target.ids), config.band)
    assert np.array_equal(band.low, expected.low) and np.array_equal(band.high, expected.high)


@pytest.mark.parametrize("number", range(3))
def test_swapping_source_and_target_transposes_the_similarity(number: int, teachers: Teachers) -> None:
    source, target = texts(PAIRS[number], teachers)
    ours, theirs = local_types(source, teachers.source), local_types(target, teachers.target)
    n, m = len(source.ids), len(target.ids)
    there = Band(np.zeros(n, dtype=np.int32), np.full(n, m, dtype=np.int32), m)
    back = Band(np.zeros(m, dtype=np.int32), np.full(m, n, dtype=np.int32), n)
    one = there.dense(_similarity(ours, theirs, teachers, there, CostConfig()))
    other = back.dense(_similarity(theirs, ours, swapped(teachers), back, CostConfig()))
    assert n != m and np.ptp(one) > 1 and np.allclose(one, other.T, atol=1e-5)


def test_units_of_one_text_on_both_sides_align_with_themselves() -> None:
    pairs = same_twice(seed=4)
    teachers = fitted(pairs)
    for pair in pairs:
        text = typed(pair.source, teachers.source)
        cost, band = document_cost(text, text, teachers, CostConfig())
        plan = sharpen(cost, band, SharpenConfig())
        own = np.arange(band.rows)
        assert np.array_equal(band.dense(cost, outside=2).argmin(axis=1), own)
        assert np.array_equal(band.dense(plan.values).argmax(axis=1), own)
        assert np.array_equal(band.dense(plan.values).argmax(axis=0), own)
        assert np.diag(band.dense(shares(plan.values, band))).min() > 0.5


def test_a_text_that_the_teachers_never_saw_aligns_with_itself_by_characters_and_place(teachers: Teachers) -> None:
    text = typed([f"palabra{number}" for number in range(150)], teachers.source)
    cost, band = document_cost(text, typed([f"palabra{number}" for number in range(150)], teachers.target), teachers, CostConfig())
    assert np.array_equal(band.dense(cost, outside=2).argmin(axis=1), np.arange(150))


def test_translations_cost_least(teachers: Teachers) -> None:
    right = total = 0
    for pair in PAIRS:
        cost, band = document_cost(typed(pair.source, teachers.source), typed(pair.target, teachers.target), teachers, CostConfig())
        best = band.dense(sharpen(cost, band, SharpenConfig()).values).argmax(axis=1)
        found = [pair.target[column] == DICTIONARY[word] for word, column in zip(pair.source, best, strict=True) if word in DICTIONARY]
        right, total = right + sum(found), total + len(found)
    assert right / total > 0.97


def test_the_prior_alone_costs_its_distance(teachers: Teachers) -> None:
    config = CostConfig(weights=ViewWeights(**NOTHING | {"prior": 0.3}), band=BandConfig(full=2, zero=4))
    source, target = texts(PAIRS[2], teachers)
    cost, band = document_cost(source, target, teachers, config)
    assert np.allclose(cost, 1 - prior(band, scaled_diagonal(band.rows, band.columns), config.band))


@pytest.mark.parametrize("wrong", [{"characters": -1.0}, {"letters": 1.0}])
def test_a_senseless_weight_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        ViewWeights(**wrong)


def spaced(types: list[str]) -> GridText:
    edges = np.cumsum([0, *(len(kind) + 1 for kind in types)]).tolist()
    return GridText(" ".join(types), edges[:-1], [edge - 1 for edge in edges[1:]], [0])


@pytest.mark.parametrize(("at_once", "sizes"), [(1, [1, 1, 1, 0]), (2, [2, 1]), (16, [3])])
def test_the_tables_hold_the_documents_of_both_languages_in_parts(at_once: int, sizes: list[int], teachers: Teachers) -> None:
    source = embeddings_table({f"d{k}": spaced(PAIRS[k].source) for k in (3, 0, 1, 2)}, "es", teachers.source)
    target = embeddings_table({f"d{k}": spaced(PAIRS[k].target) for k in (0, 2, 3, 4)}, "en", teachers.target)
    parts = list(cost_tables(source, target, teachers, CostConfig(), at_once))
    assert [part.num_rows for part in parts] == sizes
    rows = [row for part in parts for row in part.to_pylist()]
    assert [row["document"] for row in rows] == ["d3", "d0", "d2"]
    for part in parts:
        COST_MATRICES.check(part)
    for row in rows:
        pair = PAIRS[int(row["document"][1:])]
        cost, band = document_cost(typed(pair.source, teachers.source), typed(pair.target, teachers.target), teachers, CostConfig())
        assert np.allclose(row["cost"], cost, atol=1e-6) and row["low"] == band.low.tolist() and row["high"] == band.high.tolist()
        assert (row["source_lang"], row["target_lang"]) == ("es", "en")


def test_a_table_of_two_languages_is_refused(teachers: Teachers) -> None:
    source = embeddings_table({"d0": spaced(PAIRS[0].source)}, "es", teachers.source)
    mixed = embeddings_table({"d0": spaced(PAIRS[0].target)}, "en", teachers.target).to_pylist()
    mixed.append(mixed[0] | {"lang": "it"})
    with pytest.raises(ValueError, match="expected one language, found 2"):
        list(cost_tables(source, EMBEDDINGS.table(mixed), teachers, CostConfig()))
