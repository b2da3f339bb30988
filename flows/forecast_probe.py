"""What the probe of a run knows and has found so far: the corpus beside its sample, the stages in order, the bytes by kind."""

import os
from collections import Counter
from dataclasses import dataclass, field

from flows.config import RunConfig
from pipeline_lib.alignment.band import BandConfig
from pipeline_lib.alignment.segments import Groups
from pipeline_lib.planning.estimate import Estimate, Language, PairExtent, Stage, documents_a_part
from pipeline_lib.planning.pace import Clock, Pace
from pipeline_lib.planning.pair_stages import Pair, band_cells, pair_of
from pipeline_lib.planning.sample import Listed, Sample, measured_languages, measured_pairs

PART = 16  # documents that a stage writes at a time
SHARES = {"encode": 3.0, "distill": 4.0}  # of the time, beside 1 for every other stage
PLAIN_STAGES = 8  # that every profile has


@dataclass
class Probe:
    """One probe as it goes on.

    Attributes:
        languages, pairs: the whole corpus, the source first; clock: of an ordinary stage; shards: that hold documents.
        pair: the sample in the source and the first target; groups: its aligned segments, once they are known.
        stages, bytes: what was found.
    """

    config: RunConfig
    sample: Sample
    languages: list[Language]
    pairs: list[PairExtent]
    clock: Clock
    shards: int
    pair: Pair
    groups: dict[str, Groups] = field(default_factory=dict)
    stages: list[Stage] = field(default_factory=list)
    bytes: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, config: RunConfig, listed: Listed, sample: Sample, seconds: float) -> "Probe":
        documents = len(listed.files[listed.source])
        shards = min(config.shards.count(documents), documents)
        clock = Clock(config.workers, seconds / _shares(config), documents_a_part(documents, shards, PART))
        languages, pairs = measured_languages(listed, sample), measured_pairs(listed, sample)
        return cls(config, sample, languages, pairs, clock, shards, pair_of(sample, listed.targets[0]))

    @property
    def units(self) -> float:
        """Units of all languages."""
        return float(sum(lang.tokens for lang in self.languages))

    @property
    def pair_units(self) -> float:
        """Units of both sides of all pairs: the source's as often as there are targets."""
        return float(sum(pair.units for pair in self.pairs))

    @property
    def cores(self) -> int:
        return os.cpu_count() or 1

    @property
    def pairs_abreast(self) -> int:
        """Language pairs that are worked on at a time by a stage that takes each as a whole."""
        return min(self.config.workers, len(self.pairs), self.cores)

    def seconds(self, stage: str) -> float:
        """The time there is for a stage."""
        return self.clock.seconds * SHARES.get(stage, 1.0)

    def band_cells(self, band: BandConfig, anchored: bool) -> dict[str, float]:
        """Cells of the sample's bands, by document."""
        return band_cells(self.pair, self.groups, band, anchored)

    def cells(self, band: BandConfig, anchored: bool) -> float:
        """Cells of the bands of all pairs, by those of the sample's."""
        rows = sum(len(self.pair.source[name].text.starts) for name in self.groups)
        return sum(self.band_cells(band, anchored).values()) / rows * sum(pair.source_units for pair in self.pairs)

    def add(self, name: str, pace: Pace, work: float) -> None:
        """A stage that writes tables."""
        self.add_rate(name, pace.rate, work)
        for contract, size in pace.sizes.items():
            self.bytes[contract] += round(size * work)

    def add_rate(self, name: str, rate: float, work: float, calls: int = 0, begin: float = 0.0) -> None:
        """A stage by its rate alone; ``begin``: seconds before each of ``calls`` begins to work."""
        self.stages.append(Stage(name, work, rate, calls, begin, min(self.config.workers, self.cores)))

    def estimate(self) -> Estimate:
        return Estimate(tuple(self.languages), dict(self.bytes), tuple(self.stages))


def _shares(config: RunConfig) -> float:
    """Into how many parts of an ordinary stage the time is divided."""
    if config.teachers.kind == "fitted":
        return PLAIN_STAGES + SHARES["distill"] + (config.aligner == "student")
    return PLAIN_STAGES + SHARES["distill"] + 3 + SHARES["encode"] * (len(config.views.weights) + 1)
