"""The pace of the stages that carry mentions: candidates, what the corpus says of them, projections."""

from collections.abc import Mapping

import pyarrow as pa

from data_contracts import CANDIDATES, CARRIED_LINES, PROJECTIONS
from pipeline_lib.alignment.band import Floats
from pipeline_lib.alignment.fitted import Teachers
from pipeline_lib.alignment.views import typed_texts
from pipeline_lib.planning.pace import Clock, Pace, Tables, pace
from pipeline_lib.planning.pair_stages import Pair, joined, only, timed
from pipeline_lib.planning.text_stages import lines_of, mentions_of
from pipeline_lib.projection.candidates import CandidateConfig
from pipeline_lib.projection.consistency import ConsistencyConfig, corpus_tables
from pipeline_lib.projection.decode import DecodeConfig, place_fragments
from pipeline_lib.projection.gather import PairTexts, candidate_tables
from pipeline_lib.projection.project import TargetShard, project_tables
from pipeline_lib.projection.scoring import corpus_knowledge


def time_candidates(pair: Pair, embedded: Pace, edges: Floats, aligned: Pace, costs: Pace, config: CandidateConfig, clock: Clock) -> Pace:
    """Candidates along plans or alignments; work in units of both sides."""

    def make(name: str) -> Tables:
        texts = PairTexts(
            pair.langs,
            {name: pair.source[name].text},
            {name: pair.target[name].text},
            typed_texts(embedded.made[name][1]),
            edges,
        )
        plans, posteriors = iter(aligned.made[name]), costs.made[name][1]
        (made,) = candidate_tables(mentions_of(pair.source[name]), texts, plans, posteriors, {}, config)
        return (made,)

    return pace(only(pair.units, aligned.made, costs.made), make, [CANDIDATES], clock)


def time_consistency(
    work: Mapping[str, float], candidates: Pace, teachers: Teachers, config: ConsistencyConfig
) -> tuple[float, tuple[pa.Table, pa.Table]]:
    """Units of both sides a second, and what the sample says of its candidates."""
    parts = [tables[0] for tables in candidates.made.values()]
    seconds, counted = timed(lambda: corpus_tables(parts, teachers.target.counts, config))
    return sum(only(work, candidates.made).values()) / seconds, counted


def time_project(
    pair: Pair, candidates: Pace, counted: tuple[pa.Table, pa.Table], consistency: ConsistencyConfig, config: DecodeConfig, clock: Clock
) -> Pace:
    """Mentions and their lines carried over; work in units of both sides."""
    known = corpus_knowledge(*counted, consistency.votes)

    def make(name: str) -> Tables:
        placed = place_fragments(candidates.made[name][0], known, config)
        target = TargetShard(pair.langs[1], {name: pair.target[name].text}, "")
        ours = {name: pair.source[name].text}
        found = list(project_tables(mentions_of(pair.source[name]), lines_of(pair.source[name]), ours, target, placed))
        return joined(found, 0), joined(found, 1)

    return pace(only(pair.units, candidates.made), make, [PROJECTIONS, CARRIED_LINES], clock)
