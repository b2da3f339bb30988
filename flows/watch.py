"""Watching a run: each stage waits for its shards, counts documents, and remembers how long it took."""

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, TypeVar

from prefect.futures import PrefectFuture, as_completed
from prefect.logging import get_run_logger

from flows.artifacts import RunPage
from flows.events import tell_repaired
from pipeline_lib.progress.logbook import Logbook
from pipeline_lib.progress.stage_time import Meter, StageTime
from pipeline_lib.storage.artifact import ArtifactRef

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Progress:
    """One shard of a stage is done. Counts and times only; ``so_far`` is the stage with it."""

    stage: str
    done: int
    shards: int
    documents: int
    reused: bool
    so_far: StageTime | None = field(default=None, compare=False)


# Who is told of every finished shard, and who of a stage as it begins and as it ends: the terminal's progress bars, or nobody. No flow
# parameters, since those are recorded.
LISTENER: ContextVar[Callable[[Progress], None] | None] = ContextVar("listener", default=None)
ENDS: ContextVar[Callable[[StageTime], None] | None] = ContextVar("ends", default=None)


@dataclass
class Watch:
    """The stages of one run as they end.

    Attributes:
        used: every artifact that a stage built or reused, by key; repaired: keys of those that were found damaged and built again.
        page: where Prefect shows the run; book: where its store does, if it does.
        documents: how many documents there are in a shard of a language, as the last stage that worked on it found.
    """

    stages: list[StageTime] = field(default_factory=list)
    used: dict[str, ArtifactRef] = field(default_factory=dict)
    repaired: set[str] = field(default_factory=set)
    page: RunPage = field(default_factory=RunPage)
    book: Logbook | None = None
    documents: dict[Hashable, int] = field(default_factory=dict)
    _meter: Meter | None = None

    def stage(self, name: str, futures: Mapping[Key, PrefectFuture[Any]], documents: int = 0) -> dict[Key, Any]:
        """Wait for all shards of a stage; their results by key. The first failure is raised when all have ended.

        ``documents``: how many it works on, where no stage before it has counted them shard by shard.
        """
        meter = self._begin(name, futures, documents)
        keys = {future: key for key, future in futures.items()}
        for future in as_completed(list(keys)):
            self._end_shard(meter, name, keys[future], future.result(raise_on_failure=False))
        if meter.now().failed:
            self.page.flush()
        results = {key: future.result() for key, future in futures.items()}
        repaired = self._note(name, results)
        ended = self._end(meter)
        get_run_logger().info("%s: %d shards built, %d reused, %d artifacts repaired", name, ended.built, ended.reused, repaired)
        return results

    @contextmanager
    def alone(self, name: str, documents: int) -> Iterator[None]:
        """A stage of one piece, which is worked on while the context lasts; it has no artifact."""
        meter = self._begin(name, {name: None}, documents)
        yield
        meter.add(name, documents, reused=False)
        self.page.stage(self._end(meter))

    def so_far(self) -> list[StageTime]:
        """The stages that have ended and the one at work; for any thread."""
        meter, ended = self._meter, list(self.stages)
        return [*ended, meter.now()] if meter else ended

    def _begin(self, name: str, keys: Collection[Hashable], documents: int) -> Meter:
        known = {key: self.documents[cell] for key in keys if (cell := _cell(key)) in self.documents}
        meter = self._meter = Meter(name, len(keys), known if len(known) == len(keys) else None, documents)
        begun = meter.now()
        if show := ENDS.get():
            show(begun)
        self.page.stage(begun)
        return meter

    def _end_shard(self, meter: Meter, name: str, key: Hashable, result: object) -> None:
        """Count a shard, and tell those who watch."""
        ref = _main(result)
        if ref is not None:
            meter.add(key, ref.documents, ref.reused, _rejects(result))
            if ref.documents and (cell := _cell(key)):
                self.documents[cell] = ref.documents
        elif isinstance(result, BaseException):
            meter.fail(key)
        else:
            meter.end(key)
        now = meter.now()
        if ref is not None and (listener := LISTENER.get()):
            listener(Progress(name, now.ended, now.shards, ref.documents, ref.reused, now))
        self.page.stage(now)

    def _end(self, meter: Meter) -> StageTime:
        ended = meter.whole()
        self.stages, self._meter = [*self.stages, ended], None
        if show := ENDS.get():
            show(ended)
        if self.book:
            self.book.stage_ended()
        return ended

    def know(self, run: str) -> None:
        """The run has its id."""
        if self.book:
            self.book.run = run

    def _note(self, stage: str, results: Mapping[Key, Any]) -> int:
        """Remember which artifacts were used, and tell of those that were repaired: how many."""
        refs = list(references(list(results.values())))
        repaired = {ref.key for ref in refs if ref.repaired} - self.repaired
        self.used |= {ref.key: ref for ref in refs}
        self.repaired |= repaired
        tell_repaired(stage, sorted(repaired))
        return len(repaired)


def references(value: object) -> Iterator[ArtifactRef]:
    """Every artifact that a value refers to: itself, or those in its fields and items."""
    if isinstance(value, ArtifactRef):
        yield value
    elif isinstance(value, Mapping):
        yield from references(list(value.values()))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from references(item)
    elif is_dataclass(value):
        yield from references([getattr(value, part.name) for part in fields(value)])


def _main(result: object) -> ArtifactRef | None:
    """The artifact that stands for a task's result."""
    found = getattr(result, "main", result)
    return found if isinstance(found, ArtifactRef) else None


def _rejects(result: object) -> int:
    """What a task did not take."""
    found = getattr(result, "rejects", None)
    return found.rows if isinstance(found, ArtifactRef) else 0


def _cell(key: Hashable) -> Hashable | None:
    """(language, shard) of a key such as ("source", language, shard) or (scale, (language, shard)); None of others."""
    if not isinstance(key, tuple):
        return None
    return _cell(key[-1]) if isinstance(key[-1], tuple) else key[-2:]
