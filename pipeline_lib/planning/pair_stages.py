"""The pace of the stages of a language pair up to its plans, each on what the one before it made of the sample."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import pyarrow as pa

from data_contracts import COST_MATRICES, EMBEDDINGS, POSTERIORS, SEGMENT_PAIRS, TRANSPORT_PLANS
from pipeline_lib.alignment.band import BandConfig, Floats
from pipeline_lib.alignment.cost import CostConfig, cost_tables
from pipeline_lib.alignment.fitted import FitConfig, PairTypes, Teachers, fit_teachers
from pipeline_lib.alignment.segments import Groups, SegmentConfig, anchored_band, segment_pairs, segment_pairs_table
from pipeline_lib.alignment.sinkhorn import SharpenConfig, sharpen_table
from pipeline_lib.alignment.views import embeddings_table
from pipeline_lib.planning.pace import Clock, Pace, Tables, pace
from pipeline_lib.planning.sample import Sample, Sampled
from pipeline_lib.planning.text_stages import mentions_of
from pipeline_lib.projection.edges import EdgeConfig, edge_log_odds, source_edges

Value = TypeVar("Value")


@dataclass(frozen=True)
class Pair:
    """The sample in the source and one target: both sides' texts by document."""

    langs: tuple[str, str]
    source: dict[str, Sampled]
    target: dict[str, Sampled]

    @property
    def units(self) -> dict[str, float]:
        """Units on both sides of every document."""
        return {name: float(len(ours.text.starts) + len(self.target[name].text.starts)) for name, ours in self.source.items()}


def pair_of(sample: Sample, target: str) -> Pair:
    """Those documents of the sample that can be read in the source and ``target``."""
    source = next(iter(sample.texts))
    names = sample.pairs(source, target)
    ours, theirs = ({name: sample.texts[lang][name] for name in names} for lang in (source, target))
    return Pair((source, target), ours, theirs)


def time_segments(pair: Pair, config: SegmentConfig, clock: Clock) -> Pace:
    """Work in units of both sides; every document is made, since all later stages need its segments."""

    def make(name: str) -> Tables:
        ours, theirs = ({name: side[name].text} for side in (pair.source, pair.target))
        return (segment_pairs_table(ours, theirs, pair.langs, config),)

    return pace(pair.units, make, [SEGMENT_PAIRS], clock, least=len(pair.source))


def groups_of(segments: Pace) -> dict[str, Groups]:
    """Aligned segments by document."""
    return {name: groups for (table,) in segments.made.values() for name, groups in segment_pairs(table).items()}


def band_cells(pair: Pair, groups: Mapping[str, Groups], band: BandConfig, anchored: bool) -> dict[str, float]:
    """Cells of every document's band."""
    found = {}
    for name, group in groups.items():
        rows, columns = (len(side[name].text.starts) for side in (pair.source, pair.target))
        found[name] = float(anchored_band(group if anchored else None, rows, columns, band)[0].cells)
    return found


def time_fit(pair: Pair, groups: Mapping[str, Groups], config: FitConfig) -> tuple[float, Teachers]:
    """Units of both sides a second, and the teachers of the sample.

    Fitting has a part that does not grow with the corpus; half of the sample and all of it tell what grows.
    """
    typed = [PairTypes(pair.source[name].text.types, pair.target[name].text.types, group) for name, group in groups.items()]
    amounts = [len(each.source) + len(each.target) for each in typed]
    half = (len(typed) + 1) // 2
    fit_teachers(typed[:half], config)  # untimed: loops are compiled
    few, _ = timed(lambda: fit_teachers(typed[:half], config))
    whole, teachers = timed(lambda: fit_teachers(typed, config))
    plain, more = sum(amounts) / whole, sum(amounts[half:])
    grown = more / (whole - few) if more and whole > few else plain
    return min(grown, 4 * plain), teachers  # on few documents the difference of two times is noise


def time_edges(pair: Pair, teachers: Teachers, config: EdgeConfig) -> tuple[float, Floats]:
    """Units of both sides a second, and the log-odds."""

    def count() -> Floats:
        rows = pa.concat_tables([mentions_of(found) for found in pair.source.values()])
        counted = source_edges({name: found.text for name, found in pair.source.items()}, rows, teachers.source)
        return edge_log_odds(counted, teachers.lexical, teachers.target.counts, config)

    seconds, odds = timed(count)
    return sum(pair.units.values()) / seconds, odds


def time_embed(pair: Pair, teachers: Teachers, clock: Clock) -> Pace:
    """Both sides; work in units of both."""

    def make(name: str) -> Tables:
        sides = zip(pair.langs, (pair.source, pair.target), (teachers.source, teachers.target), strict=True)
        return tuple(embeddings_table({name: side[name].text}, lang, known) for lang, side, known in sides)

    return pace(pair.units, make, [EMBEDDINGS, EMBEDDINGS], clock, least=len(pair.source))


def time_cost(cells: Mapping[str, float], embedded: Pace, segments: Pace, teachers: Teachers, config: CostConfig, clock: Clock) -> Pace:
    """Costs and posteriors of the fitted teachers; work in cells."""

    def make(name: str) -> Tables:
        (ours, theirs), (groups,) = embedded.made[name], segments.made[name]
        (made,) = cost_tables(ours, theirs, groups, teachers, config)
        return made

    return pace(cells, make, [COST_MATRICES, POSTERIORS], clock, least=clock.part)


def time_sharpen(cells: Mapping[str, float], costs: Pace, config: SharpenConfig, clock: Clock) -> Pace:
    """Plans of costs; work in cells."""

    def make(name: str) -> Tables:
        return (sharpen_table(costs.made[name][0], config),)

    return pace(only(cells, costs.made), make, [TRANSPORT_PLANS], clock, least=clock.part)


def only(work: Mapping[str, float], *made: Mapping[str, object]) -> dict[str, float]:
    """The documents that were made in all that is named."""
    return {name: amount for name, amount in work.items() if all(name in each for each in made)}


def timed(work: Callable[[], Value]) -> tuple[float, Value]:
    """Seconds, never none, and what came out."""
    began = time.perf_counter()
    value = work()
    return max(time.perf_counter() - began, 1e-6), value


def joined(made: Sequence[Tables], place: int = 0) -> pa.Table:
    """One table of many documents."""
    return pa.concat_tables([tables[place] for tables in made]).combine_chunks()
