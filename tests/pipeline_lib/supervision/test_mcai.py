"""The bias inside gold-mapped spans."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from data_contracts import MAPPED_SPANS, TRANSPORT_PLANS
from pipeline_lib.alignment.band import Band
from pipeline_lib.alignment.sinkhorn import SharpenConfig, marginals, sharpen
from pipeline_lib.supervision.mcai import Mapped, McaiConfig, bias_plans, map_spans, mapped, mean_overlap, overlap, parted
from tests.pipeline_lib.supervision.pools import grid

WORDS = "aa bb cc dd"
BAND = Band(np.array([0, 0, 1, 2], dtype=np.int32), np.array([2, 3, 4, 4], dtype=np.int32), 4)
SPAN = Mapped(np.array([0, 1]), np.array([0, 1]))


def cost() -> np.ndarray:
    return np.random.default_rng(3).random(BAND.cells)


def plans(values: np.ndarray, name: str = "d1") -> pa.Table:
    row = {"document": name, "source_lang": "es", "target_lang": "en", **BAND.as_row(), "plan": values}
    return TRANSPORT_PLANS.table([row | {"row_residual": 0.0, "column_residual": 0.0, "empty_rows": [], "empty_columns": []}])


def values_of(table: pa.Table) -> np.ndarray:
    return np.asarray(table["plan"][0].values.to_numpy())


def test_biasing_a_plan_is_biasing_its_cost_before_the_sharpening() -> None:
    config, scale = SharpenConfig(reg=0.5, iterations=200, marginal_power=1.0), 1.5
    inside = np.array([i in SPAN.source and j in SPAN.target for i, j in zip(BAND.row_of_cell(), BAND.column_of_cell(), strict=True)])
    # A whole cost may be shifted: what all cells gain, the scaling takes back.
    biased_cost = (cost() + 1.0 - scale * config.reg * inside) / 2
    expected = sharpen(biased_cost, BAND, config.model_copy(update={"reg": config.reg / 2})).values
    found = bias_plans(plans(sharpen(cost(), BAND, config).values), {"d1": [SPAN]}, scale, 200)
    assert np.allclose(values_of(found), expected, atol=1e-6)
    TRANSPORT_PLANS.check(found)


def test_a_bias_moves_mass_inside_and_keeps_the_marginals() -> None:
    before = plans(sharpen(cost(), BAND, SharpenConfig(reg=0.5)).values)
    after = bias_plans(before, {"d1": [SPAN]}, 2.0, 100)
    for one, other in zip(marginals(values_of(before), BAND), marginals(values_of(after), BAND), strict=True):
        assert np.allclose(one, other, rtol=1e-3)
    assert mean_overlap([after], {"d1": [SPAN]}) > mean_overlap([before], {"d1": [SPAN]}) + 0.01


@pytest.mark.parametrize(("spans", "scale"), [({}, 2.0), ({"other": [SPAN]}, 2.0), ({"d1": [SPAN]}, 0.0)])
def test_without_a_span_or_a_scale_a_plan_stays_as_it_is(spans: dict[str, list[Mapped]], scale: float) -> None:
    values = sharpen(cost(), BAND, SharpenConfig()).values.astype(np.float32)
    assert np.allclose(values_of(bias_plans(plans(values), spans, scale, 20)), values, rtol=1e-5)


@pytest.mark.parametrize("setting", [{"scales": (0.0,)}, {"scales": (2.0, -1.0)}, {"held_out": 0.0}, {"iterations": -1}, {"other": 1}])
def test_a_bias_is_positive_and_some_gold_is_held_out(setting: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        McaiConfig.model_validate(setting)


def test_overlap_is_the_dice_of_the_units_that_an_alignment_shares() -> None:
    assert overlap(np.eye(4), Mapped(np.array([0, 1]), np.array([0, 1]))) == 1.0
    assert overlap(np.eye(4), Mapped(np.array([0, 1]), np.array([1, 2]))) == 0.5
    assert overlap(np.eye(4), Mapped(np.array([0]), np.array([3]))) == 0.0
    assert mean_overlap([], {"d1": [SPAN]}) == 0.0


def spans_of(gold: Sequence[tuple[str, int, int]], *mentions: tuple[str, list[int], list[int]], least: float = 0.1) -> list[object]:
    text = {"d1": grid(WORDS)}
    rows = [
        {"document": "d1", "mention": f"T{n}", "label": label, "starts": starts, "ends": ends}
        for n, (label, starts, ends) in enumerate(mentions, start=1)
    ]
    whole = Band(np.zeros(4, np.int32), np.full(4, 4, np.int32), 4)
    row = {"document": "d1", "source_lang": "es", "target_lang": "en", **whole.as_row(), "plan": (np.eye(4) + 0.01).ravel()}
    table = TRANSPORT_PLANS.table([row | {"row_residual": 0.0, "column_residual": 0.0, "empty_rows": [], "empty_columns": []}])
    found = map_spans([table], {"d1": rows}, {"d1": list(gold)}, text, text, ("es", "en"), least)
    MAPPED_SPANS.check(found)
    return [(row["mention"], row["source_units"], row["target_units"]) for row in found.to_pylist()]


def test_a_mention_goes_to_the_gold_span_of_its_label_that_its_mass_reaches() -> None:
    gold = [("D", 0, 5), ("D", 6, 8), ("S", 0, 2)]
    assert spans_of(gold, ("D", [0], [2]), ("D", [6], [8])) == [("T1", [0], [0, 1]), ("T2", [2], [2])]
    assert spans_of(gold, ("S", [6], [8])) == []


def test_nested_mentions_do_not_share_a_gold_span_and_fragments_count_as_one_mention() -> None:
    assert spans_of([("D", 0, 8)], ("D", [0], [2]), ("D", [0, 6], [2, 8])) == [("T2", [0, 2], [0, 1, 2])]


def test_what_hardly_meets_is_not_mapped() -> None:
    assert spans_of([("D", 6, 8)], ("D", [0], [8])) == [("T1", [0, 1, 2], [2])]
    assert spans_of([("D", 6, 8)], ("D", [0], [8]), least=0.9) == []


def test_spans_come_back_by_document_and_are_parted_by_it() -> None:
    row = {"source_lang": "es", "target_lang": "en", "mention": "T1", "source_units": [0, 1], "target_units": [2]}
    back = mapped(MAPPED_SPANS.table([{"document": f"d{n}"} | row for n in range(8)]))
    assert back["d3"][0].source.tolist() == [0, 1] and back["d3"][0].target.tolist() == [2]
    learn, choose = parted(back, 0.25)
    assert (len(learn), len(choose)) == (6, 2) and learn.keys() | choose.keys() == back.keys()
    assert parted({}, 0.25) == ({}, {})
