"""What a probe knows of the corpus beside its sample."""

from pathlib import Path

import pytest

from flows.config import load_config
from flows.forecast_probe import Probe
from pipeline_lib.alignment.band import BandConfig
from pipeline_lib.alignment.segments import SegmentConfig
from pipeline_lib.corpus.layouts import CorpusConfig
from pipeline_lib.planning.pace import Clock, Pace
from pipeline_lib.planning.pair_stages import groups_of, time_segments
from pipeline_lib.planning.sample import list_corpus, take_sample
from tests.flows.tiny import small_corpus

BAND = BandConfig()


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_corpus(tmp_path_factory.mktemp("corpus"), ("es", "en", "it"), count=4)


def probed(corpus: Path, *settings: str, at_most: int = 24, profile: str = "embedded") -> Probe:
    listed = list_corpus(corpus, "es", ["en", "it"], CorpusConfig())
    probe = Probe.of(load_config(profile, settings), listed, take_sample(listed, {}, None, at_most=at_most), 30.0)
    probe.groups = groups_of(time_segments(probe.pair, SegmentConfig(), Clock(1, 0.0)))
    return probe


def test_cells_are_counted_for_every_pair_by_those_of_the_sample(corpus: Path) -> None:
    probe = probed(corpus)
    assert probe.cells(BAND, True) == pytest.approx(2 * sum(probe.band_cells(BAND, True).values()))
    assert probed(corpus, at_most=2).cells(BAND, True) == pytest.approx(probe.cells(BAND, True), rel=0.15)


def test_the_source_is_in_every_pair_and_once_among_the_languages(corpus: Path) -> None:
    probe = probed(corpus)
    source = probe.languages[0].tokens
    assert probe.pair_units == probe.units + source


def test_stages_and_bytes_are_by_work(corpus: Path) -> None:
    probe = probed(corpus)
    probe.add("cost", Pace(10.0, {"cost_matrices": 4.0}, {}), 7200.0)
    probe.add("views", Pace(10.0, {"cost_matrices": 4.0}, {}), 7200.0)
    assert [(stage.name, stage.hours) for stage in probe.estimate().stages] == [("cost", 0.2), ("views", 0.2)]
    assert probe.estimate().bytes == {"cost_matrices": 57_600}


def test_a_stage_has_its_part_of_the_time(corpus: Path) -> None:
    probe = probed(corpus)
    assert probe.seconds("distill") == 4 * probe.seconds("ingest") == pytest.approx(10.0)
    assert probed(corpus, profile="paper").seconds("encode") == pytest.approx(30.0 * 3 / 27)
