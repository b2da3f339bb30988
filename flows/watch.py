"""Watching a run: each stage waits for its shards, counts documents, and remembers how long it took."""

import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, TypeVar

from prefect.futures import PrefectFuture, as_completed
from prefect.logging import get_run_logger

from flows.artifacts import RunPage
from flows.events import tell_repaired
from pipeline_lib.evaluation.report import StageTime
from pipeline_lib.storage.store import ArtifactRef

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Progress:
    """One shard of a stage is done. Counts only."""

    stage: str
    done: int
    shards: int
    documents: int
    reused: bool


# Who is told of every finished shard: the terminal's progress bars, or nobody. No flow parameter, since those are recorded.
LISTENER: ContextVar[Callable[[Progress], None] | None] = ContextVar("listener", default=None)


@dataclass
class Watch:
    """The stages of one run as they end.

    Attributes:
        used: every artifact that a stage built or reused, by key; repaired: keys of those that were found damaged and built again.
        page: where Prefect shows the run.
    """

    stages: list[StageTime] = field(default_factory=list)
    used: dict[str, ArtifactRef] = field(default_factory=dict)
    repaired: set[str] = field(default_factory=set)
    page: RunPage = field(default_factory=RunPage)

    def stage(self, name: str, futures: Mapping[Key, PrefectFuture[Any]]) -> dict[Key, Any]:
        """Wait for all shards of a stage; their results by key. The first failure is raised when all have ended."""
        started, built, reused, failed = time.perf_counter(), 0, 0, 0
        listener = LISTENER.get()
        self.page.stage(name, 0, len(futures))
        for done, future in enumerate(as_completed(list(futures.values())), start=1):
            result = future.result(raise_on_failure=False)
            ref = _main(result)
            if ref is not None:
                built, reused = built + (not ref.reused), reused + ref.reused
                if listener is not None:
                    listener(Progress(name, done, len(futures), ref.documents, ref.reused))
            failed += isinstance(result, BaseException)
            self.page.stage(name, done, len(futures), built, reused, failed)
        if failed:
            self.page.flush()
        results = {key: future.result() for key, future in futures.items()}
        repaired = self._note(name, results)
        self.stages.append(StageTime(name, time.perf_counter() - started, built, reused))
        get_run_logger().info("%s: %d shards built, %d reused, %d artifacts repaired", name, built, reused, repaired)
        return results

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
