"""A sample of the bundled corpus, and what the fitted stages make of it, for all tests of the room. It is not to be changed."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline_lib.alignment.band import BandConfig
from pipeline_lib.alignment.cost import CostConfig
from pipeline_lib.alignment.fitted import FitConfig, Teachers
from pipeline_lib.alignment.segments import Groups, SegmentConfig
from pipeline_lib.alignment.sinkhorn import SharpenConfig
from pipeline_lib.corpus.layouts import CorpusConfig
from pipeline_lib.corpus.samples import documents, write_sample
from pipeline_lib.planning.pace import Clock, Pace
from pipeline_lib.planning.pair_stages import (
    Pair,
    band_cells,
    groups_of,
    pair_of,
    time_cost,
    time_embed,
    time_fit,
    time_segments,
    time_sharpen,
)
from pipeline_lib.planning.sample import Listed, Sample, list_corpus, take_sample

QUICK = Clock(workers=2, seconds=0.05)
BAND = BandConfig()


@dataclass(frozen=True)
class Tried:
    """The fitted stages' paces, one after the other."""

    listed: Listed
    sample: Sample
    pair: Pair
    segments: Pace
    groups: dict[str, Groups]
    teachers: Teachers
    embedded: Pace
    cells: dict[str, float]
    costs: Pace
    plans: Pace


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("planned")
    write_sample(folder, languages=("es", "en", "it"), documents=documents()[:4])
    return folder


@pytest.fixture(scope="session")
def tried(small: Path) -> Tried:
    listed = list_corpus(small, "es", ["en", "it"], CorpusConfig())
    sample = take_sample(listed, {}, None)
    pair = pair_of(sample, "en")
    segments = time_segments(pair, SegmentConfig(), QUICK)
    groups = groups_of(segments)
    _, teachers = time_fit(pair, groups, FitConfig(dimensions=16))
    embedded = time_embed(pair, teachers, QUICK)
    cells = band_cells(pair, groups, BAND, True)
    costs = time_cost(cells, embedded, segments, teachers, CostConfig(), QUICK)
    plans = time_sharpen(cells, costs, SharpenConfig(), QUICK)
    return Tried(listed, sample, pair, segments, groups, teachers, embedded, cells, costs, plans)
