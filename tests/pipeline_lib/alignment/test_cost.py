import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from data_contracts import COST_MATRICES, EMBEDDINGS, POSTERIORS, SEGMENT_PAIRS
from pipeline_lib.alignment.band import Band, BandConfig, Floats, band_around, joined, prior, scaled_diagonal
from pipeline_lib.alignment.cost import CostConfig, ViewWeights, _similarity, cost_tables, document_cost
from pipeline_lib.alignment.fitted import PairTypes, Teachers
from pipeline_lib.alignment.posteriors import PosteriorConfig, Posteriors, posteriors
from pipeline_lib.alignment.segments import Groups, anchored_diagonal
from pipeline_lib.alignment.sinkhorn import SharpenConfig, shares, sharpen
from pipeline_lib.alignment.units import GridText
from pipeline_lib.alignment.views import (
    TypedText,
    character_view,
    embeddings_table,
    lexical_view,
    local_types,
    type_view,
    typed,
)
from tests.pipeline_lib.alignment.test_pooled import window_means
from tests.pipeline_lib.alignment.toys import DICTIONARY, fitted, same_twice, shortened, swapped, translated

PAIRS = translated(seed=3, documents=15)
RELAXED, BALANCED = SharpenConfig(), SharpenConfig(reg=0.03, iterations=100, marginal_power=1.0)
WITH_TABLE = CostConfig(weights=ViewWeights(lexical=1.0))
NOTHING = {name: 0.0 for name in ViewWeights.model_fields}


@pytest.fixture(scope="module")
def teachers() -> Teachers:
    return fitted(PAIRS)


def texts(pair: PairTypes, teachers: Teachers) -> tuple[TypedText, TypedText, Groups]:
    """A pair of two lengths, with a type on each side that the teachers never met."""
    source, target = typed(["zzz", *pair.source], teachers.source), typed([*pair.target[:-4], "yyy"], teachers.target)
    ours, theirs = pair.groups.source + np.int32(1), pair.groups.target.copy()
    ours[0, 0], theirs[-1, 1] = 0, len(target.ids)
    return source, target, Groups(ours, theirs, sliced=False)


def known(pair: PairTypes, teachers: Teachers) -> tuple[TypedText, TypedText, Groups]:
    return typed(pair.source, teachers.source), typed(pair.target, teachers.target), pair.groups


def whole(source: TypedText, target: TypedText) -> Groups:
    return Groups(np.array([[0, len(source.ids)]], np.int32), np.array([[0, len(target.ids)]], np.int32), sliced=False)


def by_loops(source: TypedText, target: TypedText, groups: Groups, teachers: Teachers, config: CostConfig) -> Floats:
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
        total += weight * window_means(ours, left, teachers.source, window) @ window_means(theirs, right, teachers.target, window).T
    n, m = token.shape
    centre = anchored_diagonal(groups, n, m) if config.anchored else scaled_diagonal(n, m)
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
        WITH_TABLE,
        CostConfig(band=BandConfig(full=3, zero=8)),
        CostConfig(band=BandConfig(full=3, zero=8), anchored=False),
        CostConfig(context=0.0, sentence_window=0, phrase_window=1),
        CostConfig(weights=ViewWeights(**NOTHING | {"characters": 1.0}), context=0.7),
        CostConfig(weights=ViewWeights(**NOTHING | {"phrase": 0.5, "pooled_phrase": 2.0})),
    ],
)
def test_the_cost_is_one_minus_the_weighted_mean_of_views_and_prior(config: CostConfig, teachers: Teachers) -> None:
    source, target, groups = texts(PAIRS[0], teachers)
    cost, band, _ = document_cost(source, target, groups, teachers, config)
    assert (band.rows, band.columns) == (len(source.ids), len(target.ids))
    assert np.allclose(cost, by_loops(source, target, groups, teachers, config)[band.row_of_cell(), band.column_of_cell()], atol=1e-5)
    assert cost.shape == (band.cells,) and cost.min() >= 0 and cost.max() <= 1 and np.ptp(cost) > 0.1


@pytest.mark.parametrize("anchored", [False, True])
def test_the_band_is_that_of_the_scaled_diagonal_joined_with_that_of_the_anchored_one(anchored: bool, teachers: Teachers) -> None:
    source, target, groups = known(shortened(PAIRS[1], 1, 3), teachers)
    config = CostConfig(band=BandConfig(full=2, zero=6), anchored=anchored)
    _, band, _ = document_cost(source, target, groups, teachers, config)
    n, m = len(source.ids), len(target.ids)
    scaled = band_around(scaled_diagonal(n, m), m, config.band)
    both = joined(scaled, band_around(anchored_diagonal(groups, n, m), m, config.band))
    expected = both if anchored else scaled
    assert np.array_equal(band.low, expected.low) and np.array_equal(band.high, expected.high)
    assert both.cells > scaled.cells, "the segments lead elsewhere"


def test_where_the_segments_keep_pace_anchoring_changes_nothing(teachers: Teachers) -> None:
    source, target, _ = texts(PAIRS[1], teachers)
    found = [document_cost(source, target, whole(source, target), teachers, CostConfig(anchored=anchored)) for anchored in (False, True)]
    assert np.allclose(found[0][0], found[1][0]) and found[0][1].cells == found[1][1].cells


def everywhere(rows: int, columns: int) -> Band:
    return Band(np.zeros(rows, dtype=np.int32), np.full(rows, columns, dtype=np.int32), columns)


@pytest.mark.parametrize("part", [0, 1], ids=["views", "lexicon"])
@pytest.mark.parametrize("number", range(3))
def test_swapping_source_and_target_transposes_the_similarity(number: int, part: int, teachers: Teachers) -> None:
    source, target, _ = texts(PAIRS[number], teachers)
    ours, theirs = local_types(source, teachers.source), local_types(target, teachers.target)
    n, m = len(source.ids), len(target.ids)
    there, back = everywhere(n, m), everywhere(m, n)
    one = there.dense(_similarity(ours, theirs, teachers, there, WITH_TABLE)[part])
    other = back.dense(_similarity(theirs, ours, swapped(teachers), back, WITH_TABLE)[part])
    assert n != m and np.ptp(one) > 0.5 and np.allclose(one, other.T, atol=1e-5)


def test_swapping_source_and_target_swaps_and_transposes_the_posteriors(teachers: Teachers) -> None:
    source, target, groups = texts(PAIRS[0], teachers)
    _, _, there = document_cost(source, target, groups, teachers, CostConfig())
    _, _, back = document_cost(target, source, Groups(groups.target, groups.source, False), swapped(teachers), CostConfig())
    assert np.allclose(there.forward.toarray(), back.backward.toarray().T, atol=1e-5)
    assert np.allclose(there.backward.toarray(), back.forward.toarray().T, atol=1e-5)


def test_the_posteriors_take_in_every_view_but_the_table_which_is_their_own(teachers: Teachers) -> None:
    source, target, groups = texts(PAIRS[0], teachers)
    ours, theirs = local_types(source, teachers.source), local_types(target, teachers.target)
    _, band, found = document_cost(source, target, groups, teachers, WITH_TABLE)
    views, lexicon = _similarity(ours, theirs, teachers, band, WITH_TABLE)

    def of(similarity: Floats) -> Posteriors:
        return posteriors(ours, theirs, groups, teachers.translation, band, similarity, PosteriorConfig())

    assert np.allclose(found.forward.toarray(), of(views).forward.toarray())
    assert not np.allclose(found.forward.toarray(), of(views + lexicon).forward.toarray(), atol=1e-3)


def test_a_document_with_a_block_of_target_segments_deleted_still_has_a_plan(teachers: Teachers) -> None:
    config = CostConfig(band=BandConfig(full=5, zero=10))
    pair = shortened(translated(seed=5, documents=1, sentences=30)[0], 8, 20)
    source, target, groups = known(pair, teachers)
    cost, band, _ = document_cost(source, target, groups, teachers, config)
    plan = sharpen(cost, band, BALANCED)
    assert len(plan.empty_rows) == len(plan.empty_columns) == 0
    assert np.isfinite(plan.values).all() and plan.row_residual < 1e-6
    assert plan.values.sum() == pytest.approx(1.0)
    # Where nothing was deleted, words find their translations; the paper's band does not reach them.
    kept = [*range(groups.source[8, 0]), *range(groups.source[20, 0], band.rows)]
    assert _right(cost, band, pair, kept) > 0.95
    assert _right(cost, band, pair, kept) > _right(cost, band, pair, kept, BALANCED) > 0.75
    paper, narrow, _ = document_cost(source, target, groups, teachers, config.model_copy(update={"anchored": False}))
    assert _right(paper, narrow, pair, kept) < 0.6


def _right(cost: Floats, band: Band, pair: PairTypes, rows: list[int], config: SharpenConfig = RELAXED) -> float:
    """Share of the words of ``rows`` that a plan's largest cell takes to their translation."""
    best = band.dense(sharpen(cost, band, config).values).argmax(axis=1)
    words = [row for row in rows if pair.source[row] in DICTIONARY]
    return float(np.mean([pair.target[best[row]] == DICTIONARY[pair.source[row]] for row in words]))


def test_units_of_one_text_on_both_sides_align_with_themselves() -> None:
    pairs = same_twice(seed=4)
    teachers = fitted(pairs)
    for pair in pairs:
        text = typed(pair.source, teachers.source)
        cost, band, _ = document_cost(text, text, pair.groups, teachers, CostConfig())
        plan = sharpen(cost, band, SharpenConfig())
        own = np.arange(band.rows)
        assert np.array_equal(band.dense(cost, outside=2).argmin(axis=1), own)
        assert np.array_equal(band.dense(plan.values).argmax(axis=1), own)
        assert np.array_equal(band.dense(plan.values).argmax(axis=0), own)
        assert np.diag(band.dense(shares(plan.values, band))).min() > 0.5


def test_a_text_that_the_teachers_never_saw_aligns_with_itself_by_characters_and_place(teachers: Teachers) -> None:
    words = [f"palabra{number}" for number in range(150)]
    source, target = typed(words, teachers.source), typed(words, teachers.target)
    cost, band, found = document_cost(source, target, whole(source, target), teachers, CostConfig())
    assert np.array_equal(band.dense(cost, outside=2).argmin(axis=1), np.arange(150))
    assert np.array_equal(found.forward.toarray().argmax(axis=0), np.arange(150))


def test_translations_cost_least(teachers: Teachers) -> None:
    right = []
    for pair in PAIRS:
        cost, band, _ = document_cost(*known(pair, teachers), teachers, CostConfig())
        right.append(_right(cost, band, pair, list(range(band.rows))))
    assert np.mean(right) > 0.97


def test_the_prior_alone_costs_its_distance(teachers: Teachers) -> None:
    config = CostConfig(weights=ViewWeights(**NOTHING | {"prior": 0.3}), band=BandConfig(full=2, zero=4))
    source, target, groups = texts(PAIRS[2], teachers)
    cost, band, _ = document_cost(source, target, groups, teachers, config)
    assert np.allclose(cost, 1 - prior(band, anchored_diagonal(groups, band.rows, band.columns), config.band))


@pytest.mark.parametrize("wrong", [{"characters": -1.0}, {"letters": 1.0}])
def test_a_senseless_weight_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        ViewWeights(**wrong)


def spaced(types: list[str]) -> GridText:
    edges = np.cumsum([0, *(len(kind) + 1 for kind in types)]).tolist()
    return GridText(" ".join(types), edges[:-1], [edge - 1 for edge in edges[1:]], [0])


def segments(*numbers: int) -> pa.Table:
    langs = {"source_lang": "es", "target_lang": "en"}
    return SEGMENT_PAIRS.table([{"document": f"d{k}", **langs, **PAIRS[k].groups.as_row()} for k in numbers])


@pytest.mark.parametrize(("at_once", "sizes"), [(1, [1, 1, 1, 0]), (2, [2, 1]), (16, [3])])
def test_the_tables_hold_the_documents_of_both_languages_in_parts(at_once: int, sizes: list[int], teachers: Teachers) -> None:
    source = embeddings_table({f"d{k}": spaced(PAIRS[k].source) for k in (3, 0, 1, 2)}, "es", teachers.source)
    target = embeddings_table({f"d{k}": spaced(PAIRS[k].target) for k in (0, 2, 3, 4)}, "en", teachers.target)
    parts = list(cost_tables(source, target, segments(0, 2, 3), teachers, CostConfig(), at_once))
    assert [costs.num_rows for costs, _ in parts] == [found.num_rows for _, found in parts] == sizes
    for costs, found in parts:
        COST_MATRICES.check(costs)
        POSTERIORS.check(found)
    rows = [pair for costs, found in parts for pair in zip(costs.to_pylist(), found.to_pylist(), strict=True)]
    assert [(row["document"], beside["document"]) for row, beside in rows] == [("d3", "d3"), ("d0", "d0"), ("d2", "d2")]
    for row, beside in rows:
        pair = PAIRS[int(row["document"][1:])]
        cost, band, of_pairs = document_cost(*known(pair, teachers), teachers, CostConfig())
        assert np.allclose(row["cost"], cost, atol=1e-6) and row["low"] == band.low.tolist() and row["high"] == band.high.tolist()
        assert (row["source_lang"], row["target_lang"]) == (beside["source_lang"], beside["target_lang"]) == ("es", "en")
        assert np.allclose(beside["forward"], of_pairs.as_row(PosteriorConfig().keep)["forward"], atol=1e-6)


def test_a_stored_pair_stays_at_or_over_the_floor_in_one_direction(teachers: Teachers) -> None:
    source = embeddings_table({"d0": spaced(PAIRS[0].source)}, "es", teachers.source)
    target = embeddings_table({"d0": spaced(PAIRS[0].target)}, "en", teachers.target)
    counts = []
    for keep in (0.0, 0.2):
        config = CostConfig(posteriors=PosteriorConfig(keep=keep))
        ((_, found),) = cost_tables(source, target, segments(0), teachers, config)
        (row,) = found.to_pylist()
        assert (np.maximum(row["forward"], row["backward"]) >= keep).all()
        counts.append(len(row["rows"]))
    assert counts[0] == sum((b - a) ** 2 for a, b in PAIRS[0].groups.source.tolist()) > counts[1] > 0


def test_a_document_without_segment_pairs_is_an_error(teachers: Teachers) -> None:
    source = embeddings_table({"d0": spaced(PAIRS[0].source)}, "es", teachers.source)
    target = embeddings_table({"d0": spaced(PAIRS[0].target)}, "en", teachers.target)
    with pytest.raises(KeyError, match="d0"):
        list(cost_tables(source, target, segments(1), teachers, CostConfig()))


def test_a_table_of_two_languages_is_refused(teachers: Teachers) -> None:
    source = embeddings_table({"d0": spaced(PAIRS[0].source)}, "es", teachers.source)
    mixed = embeddings_table({"d0": spaced(PAIRS[0].target)}, "en", teachers.target).to_pylist()
    mixed.append(mixed[0] | {"lang": "it"})
    with pytest.raises(ValueError, match="expected one language, found 2"):
        list(cost_tables(source, EMBEDDINGS.table(mixed), segments(0), teachers, CostConfig()))
