"""How far a stage is: shards and documents counted as they end, and what follows from that: its pace, and the time that is left."""

import time
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class StageTime:
    """A stage as it stands, or as it ended. Counts and times only.

    Attributes:
        seconds: since it began, or that it took; began: Unix time by the clock of the machine that counts.
        built, reused, failed: shards that ended so; ended, shards: all that ended, and all that there are.
        documents: of the shards that ended; fresh: of those that were built; total: of all shards, as far as is known.
        rejects: rows of input that were not taken.
        curve: (seconds since it began, documents done), a point a shard; only when the stage has ended.
    """

    stage: str
    seconds: float
    built: int
    reused: int
    failed: int = 0
    ended: int = 0
    shards: int = 0
    documents: int = 0
    fresh: int = 0
    total: int = 0
    rejects: int = 0
    began: float = 0.0
    curve: tuple[tuple[float, int], ...] = ()

    @property
    def rate(self) -> float | None:
        """Documents per second: of those that were built, if any were, since what is reused is found in no time. None while unknown."""
        return (self.fresh or self.documents) / self.seconds if self.documents and self.seconds else None

    @property
    def left(self) -> float | None:
        """Seconds until the stage ends, at the pace that it has had. None while unknown."""
        if self.ended == self.shards:
            return 0.0
        if self.rate:
            return max(0, self.total - self.documents) / self.rate
        return self.seconds * (self.shards - self.ended) / self.ended if self.ended else None

    @property
    def all_reused(self) -> bool:
        return bool(self.ended) and self.reused == self.ended

    def later(self, seconds: float) -> "StageTime":
        """The same counts some seconds on, unless the stage has ended."""
        return self if self.ended == self.shards else replace(self, seconds=self.seconds + seconds)


class Meter:
    """Counts the shards of a stage as they end; other threads may read it meanwhile.

    Args:
        expected: documents of each shard by its key, where they are known beforehand; total: of all of them, where only that is known.
    """

    def __init__(self, stage: str, shards: int, expected: Mapping[Hashable, int] | None = None, total: int = 0) -> None:
        self._stage, self._shards, self._total = stage, shards, total
        self._known, self._waiting = expected is not None, dict(expected or {})
        self._awaited = sum(self._waiting.values())
        self._began, self._started = time.time(), time.perf_counter()
        self._built = self._reused = self._failed = self._documents = self._fresh = self._rejects = 0
        self._ended = 0
        self._curve = [(0.0, 0)]

    def add(self, key: Hashable, documents: int, reused: bool, rejects: int = 0) -> None:
        """A shard has ended."""
        self._built += not reused
        self._reused += reused
        self._documents += documents
        self._fresh += 0 if reused else documents
        self._rejects += rejects
        self._curve.append((time.perf_counter() - self._started, self._documents))
        self.end(key)

    def fail(self, key: Hashable) -> None:
        """A shard has failed."""
        self._failed += 1
        self.end(key)

    def end(self, key: Hashable) -> None:
        """Something has ended that stands for no artifact."""
        self._ended += 1
        self._awaited -= self._waiting.pop(key, 0)

    def now(self) -> StageTime:
        """The stage as it stands."""
        return StageTime(
            stage=self._stage,
            seconds=time.perf_counter() - self._started,
            built=self._built,
            reused=self._reused,
            failed=self._failed,
            ended=self._ended,
            shards=self._shards,
            documents=self._documents,
            fresh=self._fresh,
            total=self._expect(),
            rejects=self._rejects,
            began=self._began,
        )

    def whole(self) -> StageTime:
        """The stage as it ended."""
        return replace(self.now(), curve=tuple(self._curve))

    def _expect(self) -> int:
        """What is done and what is awaited; where nobody knows, as many in each shard as in those that are done."""
        if self._ended == self._shards:
            return self._documents
        if self._known:
            return self._documents + self._awaited
        if self._total:
            return max(self._documents, self._total)
        return round(self._documents * self._shards / max(1, self._ended))
