"""The stages that carry mentions, on a sample."""

from data_contracts import CANDIDATES, CARRIED_LINES, PROJECTIONS
from pipeline_lib.planning.mention_stages import time_candidates, time_consistency, time_project
from pipeline_lib.planning.pair_stages import time_edges
from pipeline_lib.projection.candidates import CandidateConfig
from pipeline_lib.projection.consistency import ConsistencyConfig
from pipeline_lib.projection.decode import DecodeConfig
from pipeline_lib.projection.edges import EdgeConfig
from tests.pipeline_lib.planning.conftest import QUICK, Tried


def test_mentions_are_carried_as_a_run_carries_them(tried: Tried) -> None:
    _, odds = time_edges(tried.pair, tried.teachers, EdgeConfig())
    found = time_candidates(tried.pair, tried.embedded, odds, tried.plans, tried.costs, CandidateConfig(), QUICK)
    rate, counted = time_consistency(tried.pair.units, found, tried.teachers, ConsistencyConfig())
    projected = time_project(tried.pair, found, counted, ConsistencyConfig(), DecodeConfig(), QUICK)
    assert min(found.rate, rate, projected.rate) > 0
    assert set(found.sizes) == {CANDIDATES.name} and set(projected.sizes) == {PROJECTIONS.name, CARRIED_LINES.name}
    for name, (rows, _) in projected.made.items():
        assert rows.num_rows == len(tried.pair.source[name].read.mentions)
        assert rows["reason"].null_count > 0.8 * rows.num_rows
