"""Contracts of the alignment stages."""

import math

import pytest

from data_contracts import (
    ALIGNMENTS,
    COST_MATRICES,
    EDGE_STATISTICS,
    EMBEDDINGS,
    MAPPED_SPANS,
    MCAI_SCALES,
    POSTERIORS,
    SEGMENT_PAIRS,
    TRAINING_LOG,
    TRANSPORT_PLANS,
    Contract,
    ContractError,
)

BAND: dict[str, object] = {
    "document": "d1", "source_lang": "es", "target_lang": "en", "rows": 2, "columns": 3, "low": [0, 1], "high": [2, 3],
}  # fmt: skip
COST: dict[str, object] = BAND | {"cost": [0.0, 1.0, 0.5, 0.25]}
PLAN: dict[str, object] = BAND | {
    "plan": [1.0, 0.0, 0.5, 0.5], "row_residual": 0.0, "column_residual": 0.1, "empty_rows": [], "empty_columns": [],
}  # fmt: skip
EMBEDDING: dict[str, object] = {"document": "d1", "lang": "es", "ids": [0, 7], "unseen": ["fiebre"]}
SEGMENTS: dict[str, object] = {
    "document": "d1", "source_lang": "es", "target_lang": "en",
    "source_starts": [0, 4, 9], "source_ends": [4, 9, 9], "target_starts": [0, 5, 5], "target_ends": [5, 5, 8], "sliced": False,
}  # fmt: skip
PAIRS: dict[str, object] = {
    "document": "d1", "source_lang": "es", "target_lang": "en",
    "rows": [0, 0, 2], "columns": [1, 2, 0], "forward": [0.25, 0.0, 1.0], "backward": [0.5, 0.125, 0.0],
}  # fmt: skip
EDGE: dict[str, object] = {"type": 0, "opens": -1.0, "precedes": -2.0, "closes": -3.0, "follows": 0.5}
EPOCH: dict[str, object] = {"epoch": 0, "step": 0, "train_loss": None, "held_out_loss": 1.5, "learning_rate": 0.0, "best": True}
MAPPED: dict[str, object] = {
    "document": "d1", "source_lang": "es", "target_lang": "en", "mention": "T1", "source_units": [0, 1], "target_units": [2],
}  # fmt: skip
SCALE: dict[str, object] = {"scale": 0.0, "overlap": 0.75, "chosen": True}
SOUND = {
    contract: row
    for contract, row in (
        (COST_MATRICES.name, COST),
        (TRANSPORT_PLANS.name, PLAN),
        (ALIGNMENTS.name, PLAN),
        (EMBEDDINGS.name, EMBEDDING),
        (SEGMENT_PAIRS.name, SEGMENTS),
        (POSTERIORS.name, PAIRS),
        (EDGE_STATISTICS.name, EDGE),
        (TRAINING_LOG.name, EPOCH),
        (MAPPED_SPANS.name, MAPPED),
        (MCAI_SCALES.name, SCALE),
    )
}


@pytest.mark.parametrize(
    "contract",
    [
        COST_MATRICES,
        TRANSPORT_PLANS,
        ALIGNMENTS,
        EMBEDDINGS,
        SEGMENT_PAIRS,
        POSTERIORS,
        EDGE_STATISTICS,
        TRAINING_LOG,
        MAPPED_SPANS,
        MCAI_SCALES,
    ],
    ids=lambda contract: contract.name,
)
def test_a_sound_row_passes_once(contract: Contract) -> None:
    row = SOUND[contract.name]
    contract.check(contract.table([row]))
    with pytest.raises(ContractError, match=r"key .*: 1 duplicate rows"):
        contract.check(contract.table([row, row]))


def test_a_row_of_the_band_may_be_empty() -> None:
    COST_MATRICES.check(COST_MATRICES.table([COST | {"low": [0, 3], "high": [2, 3], "cost": [0.1, 0.2]}]))


@pytest.mark.parametrize(
    ("contract", "rule", "change"),
    [
        (COST_MATRICES, "band_has_rows", {"rows": 3}),
        (COST_MATRICES, "band_is_paired", {"high": [4]}),
        (COST_MATRICES, "band_inside", {"columns": 2}),
        (COST_MATRICES, "cells_are_complete", {"cost": [0.5] * 3}),
        (COST_MATRICES, "cells_are_complete", {"cost": [0.5] * 5}),
        (COST_MATRICES, "cost_in_range", {"cost": [0.5, 0.5, 0.5, 1.01]}),
        (COST_MATRICES, "cost_in_range", {"cost": [-0.01, 0.5, 0.5, 0.5]}),
        (COST_MATRICES, "cost_in_range", {"cost": [0.5, math.nan, 0.5, 0.5]}),
        (TRANSPORT_PLANS, "plan_not_negative", {"plan": [1.0, -0.1, 0.5, 0.5]}),
        (TRANSPORT_PLANS, "plan_not_negative", {"plan": [math.nan, 0.1, 0.5, 0.5]}),
        (ALIGNMENTS, "plan_not_negative", {"plan": [1.0, math.inf, 0.5, 0.5]}),
        (ALIGNMENTS, "cells_are_complete", {"plan": []}),
        (EMBEDDINGS, "has_units", {"ids": []}),
        (SEGMENT_PAIRS, "has_groups", {"source_starts": [], "source_ends": [], "target_starts": [], "target_ends": []}),
        (SEGMENT_PAIRS, "groups_are_complete", {"source_ends": [4, 9]}),
        (SEGMENT_PAIRS, "groups_are_complete", {"target_starts": [0, 5, 5, 8]}),
        (SEGMENT_PAIRS, "groups_are_complete", {"target_ends": []}),
        (POSTERIORS, "pairs_are_complete", {"columns": [1, 2]}),
        (POSTERIORS, "pairs_are_complete", {"forward": [0.25, 0.0, 1.0, 0.5]}),
        (POSTERIORS, "pairs_are_complete", {"backward": []}),
        (POSTERIORS, "probabilities", {"forward": [0.25, -0.01, 1.0]}),
        (POSTERIORS, "probabilities", {"forward": [0.25, 0.0, 1.01]}),
        (POSTERIORS, "probabilities", {"backward": [0.5, 0.125, -0.5]}),
        (POSTERIORS, "probabilities", {"backward": [0.5, 1.5, 0.0]}),
        (POSTERIORS, "probabilities", {"forward": [0.25, math.nan, 1.0]}),
        (POSTERIORS, "probabilities", {"backward": [0.5, math.nan, 0.0]}),
        (MAPPED_SPANS, "has_units", {"source_units": []}),
        (MAPPED_SPANS, "has_units", {"target_units": []}),
        (MCAI_SCALES, "overlap_is_a_share", {"overlap": 1.5}),
    ],
)
def test_a_broken_rule_is_named(contract: Contract, rule: str, change: dict[str, object]) -> None:
    with pytest.raises(ContractError, match=rf"{rule}: 1 rows"):
        contract.check(contract.table([SOUND[contract.name] | change]))


def test_a_document_may_have_no_pair_of_units_that_is_likely_enough() -> None:
    POSTERIORS.check(POSTERIORS.table([PAIRS | {"rows": [], "columns": [], "forward": [], "backward": []}]))


def test_a_document_has_segment_pairs_and_posteriors_a_target_language() -> None:
    SEGMENT_PAIRS.check(SEGMENT_PAIRS.table([SEGMENTS, SEGMENTS | {"target_lang": "it"}]))
    POSTERIORS.check(POSTERIORS.table([PAIRS, PAIRS | {"target_lang": "it"}]))


def test_the_cells_of_a_long_document_are_counted_beyond_32_bits() -> None:
    units = 66_000
    assert sum(range(units)) > 2**31
    row = COST | {"rows": units, "columns": units, "low": range(units), "high": range(1, units + 1), "cost": [0.5] * units}
    COST_MATRICES.check(COST_MATRICES.table([row]))
