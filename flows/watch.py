"""Watching a run: each stage waits for its shards, counts documents, and remembers how long it took."""

import time
from collections.abc import Callable, Hashable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar

from prefect.futures import PrefectFuture, as_completed
from prefect.logging import get_run_logger

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
    """The stages of one run as they end."""

    stages: list[StageTime] = field(default_factory=list)

    def stage(self, name: str, futures: Mapping[Key, PrefectFuture[Any]]) -> dict[Key, Any]:
        """Wait for all shards of a stage; their results by key. The first failure is raised when all have ended."""
        started, built, reused = time.perf_counter(), 0, 0
        listener = LISTENER.get()
        for done, future in enumerate(as_completed(list(futures.values())), start=1):
            ref = _main(future.result(raise_on_failure=False))
            if ref is not None:
                built, reused = built + (not ref.reused), reused + ref.reused
                if listener is not None:
                    listener(Progress(name, done, len(futures), ref.documents, ref.reused))
        results = {key: future.result() for key, future in futures.items()}
        self.stages.append(StageTime(name, time.perf_counter() - started, built, reused))
        get_run_logger().info("%s: %d shards built, %d reused", name, built, reused)
        return results


def _main(result: object) -> ArtifactRef | None:
    """The artifact that stands for a task's result."""
    found = getattr(result, "main", result)
    return found if isinstance(found, ArtifactRef) else None
