"""The estimate: what was measured on a few documents, times how much there is. Sums and products alone; nothing is read or run here."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline_lib.alignment.training import TrainingConfig, planned

FORWARD = 1 / 3  # of a training step's time: judging a lesson asks for no gradient
STATE = 4  # float32 arrays of the weights' size that a training writes down: weights, the best ones, two moments
STATES = 3  # that the store holds at a time: the last two, and a new one before the oldest is forgotten


@dataclass(frozen=True)
class Language:
    """How much text a run reads in a language. ``tokens``: units of its grid, words or pieces."""

    lang: str
    documents: int
    characters: int
    tokens: int


@dataclass(frozen=True)
class PairExtent:
    """How much there is of a language pair."""

    lang: str
    documents: int
    source_units: int
    target_units: int

    @property
    def units(self) -> int:
        return self.source_units + self.target_units


@dataclass(frozen=True)
class Stage:
    """One stage of a run: so much work at so much a second, by all workers together, and what it takes ``calls`` times to begin.

    Attributes:
        begin: seconds that one call takes before it works, such as reading a model; abreast: how many do so at a time.
    """

    name: str
    work: float
    rate: float
    calls: int = 0
    begin: float = 0.0
    abreast: int = 1

    @property
    def hours(self) -> float:
        return (self.work / self.rate + self.calls * self.begin / self.abreast) / 3600


@dataclass(frozen=True)
class Estimate:
    """What a run will read, write and take. ``bytes``: in the store, by kind of artifact."""

    languages: Sequence[Language]
    bytes: Mapping[str, float]
    stages: Sequence[Stage]

    @property
    def gigabytes(self) -> float:
        return sum(self.bytes.values()) / 1e9

    @property
    def hours(self) -> float:
        return sum(stage.hours for stage in self.stages)


@dataclass(frozen=True)
class Schooling:
    """How much one student is trained: steps, all epochs at most, and lessons that are judged without a gradient."""

    steps: int
    judged: int

    def work(self, crops_a_step: int) -> float:
        """The whole training in steps of so many lessons."""
        return self.steps + FORWARD * self.judged / crops_a_step


def schooling(documents: Sequence[int], crops: float, config: TrainingConfig) -> Schooling:
    """What so many documents, pair by pair, are worth at ``crops`` lessons each; a student of several pairs has its share of each."""
    at_most = config.documents if len(documents) == 1 else max(2, config.documents // len(documents))
    used = [min(count, at_most) for count in documents]
    held_out = [max(1, round(config.held_out * count)) for count in used]
    train = sum((count - kept) or count for count, kept in zip(used, held_out, strict=True))
    steps, epochs = planned(max(1, round(train * crops)), config)
    return Schooling(steps * epochs, round((epochs + 1) * sum(held_out) * crops))


def vector_bytes(units: float, width: int, each: float = 2.0) -> float:
    """UNIT_VECTORS of so many units by one encoder; ``each``: bytes that one float16 takes in the store."""
    return units * width * each


def checkpoint_bytes(parameters: int, steps: int, every: int) -> float:
    """The most that the states of a training take in the store, which are gone when it is done."""
    return min(STATES, steps // every) * STATE * 4.0 * parameters


def documents_a_part(documents: int, shards: int, part: int) -> int:
    """Documents that a stage writes at a time: ``part`` of them, or a shard's where that is smaller."""
    return max(1, min(part, math.ceil(documents / shards)))
