"""The stages of a language pair on a sample."""

from data_contracts import COST_MATRICES, EMBEDDINGS, POSTERIORS, TRANSPORT_PLANS
from pipeline_lib.alignment.fitted import FitConfig
from pipeline_lib.planning.pair_stages import band_cells, joined, only, time_edges, time_fit, timed
from pipeline_lib.projection.edges import EdgeConfig
from tests.pipeline_lib.planning.conftest import BAND, Tried


def test_every_document_of_the_pair_is_aligned_and_embedded_on_both_sides(tried: Tried) -> None:
    assert set(tried.groups) == set(tried.embedded.made) == set(tried.pair.units) == set(tried.pair.source)
    assert [table["lang"][0].as_py() for table in tried.embedded.made["case-01"]] == ["es", "en"]
    assert set(tried.embedded.sizes) == {EMBEDDINGS.name}


def test_cells_are_those_of_the_costs_and_plans(tried: Tried) -> None:
    for made, column in ((tried.costs, "cost"), (tried.plans, "plan")):
        for name, tables in made.made.items():
            assert len(tables[0][column][0]) == tried.cells[name]


def test_an_anchored_band_has_no_fewer_cells(tried: Tried) -> None:
    plain = band_cells(tried.pair, tried.groups, BAND, False)
    assert all(plain[name] <= cells for name, cells in tried.cells.items())


def test_a_cell_takes_about_four_bytes(tried: Tried) -> None:
    assert set(tried.costs.sizes) == {COST_MATRICES.name, POSTERIORS.name} and set(tried.plans.sizes) == {TRANSPORT_PLANS.name}
    assert 2.5 < tried.costs.sizes[COST_MATRICES.name] < 5 and 2.5 < tried.plans.sizes[TRANSPORT_PLANS.name] < 5


def test_every_rate_is_positive(tried: Tried) -> None:
    edges, odds = time_edges(tried.pair, tried.teachers, EdgeConfig())
    fit, teachers = time_fit(tried.pair, tried.groups, FitConfig(dimensions=16))
    assert min(edges, fit, *(found.rate for found in (tried.segments, tried.embedded, tried.costs, tried.plans))) > 0
    assert len(odds) == len(teachers.target.types) + 1


def test_one_document_can_be_fitted(tried: Tried) -> None:
    name = next(iter(tried.groups))
    rate, _ = time_fit(tried.pair, {name: tried.groups[name]}, FitConfig(dimensions=16))
    assert rate > 0


def test_only_what_all_have_made_is_left() -> None:
    assert only({"a": 1.0, "b": 2.0, "c": 3.0}, {"a": 0, "b": 0}, {"b": 0, "c": 0}) == {"b": 2.0}


def test_a_time_is_never_nothing() -> None:
    seconds, value = timed(lambda: 7)
    assert seconds > 0 and value == 7


def test_tables_are_joined_at_a_place(tried: Tried) -> None:
    sides = [joined(list(tried.embedded.made.values()), place) for place in (0, 1)]
    assert [set(side["lang"].to_pylist()) for side in sides] == [{"es"}, {"en"}]
    assert sides[0].num_rows == sides[1].num_rows == 4
