"""Worker processes: a thread sends a shard's work to one of them and waits.

Threads alone share one Python, whose lock is held by all of a stage that is not a compiled loop: two of them keep little more than one
core busy.
"""

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from copy import copy
from functools import wraps
from importlib import import_module
from multiprocessing import get_context, parent_process
from typing import Any, Self

from prefect import Task
from prefect.task_runners import ThreadPoolTaskRunner

from flows.memory import MemoryBound
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.store import KNOWN

Known = dict[str, dict[str, ArtifactRef]]

ENDED = "a worker process was ended from outside, perhaps for the memory it took: run again, with fewer workers or a smaller --memory"

STAGES = "flows.pipeline"  # what imports all that tasks need: ten seconds of a process that has nothing else to do yet

_AT_WORK = threading.Event()  # in a worker process: whether it works on a shard


class WorkerLost(RuntimeError):
    """A worker process was ended from outside, as the system does with one that takes too much memory."""


class ProcessTaskRunner(ThreadPoolTaskRunner[Any]):
    """As many threads as workers; once processes are hired, each thread has one of them do its task."""

    def __init__(self, max_workers: int | None = None, memory: MemoryBound | None = None) -> None:
        super().__init__(max_workers)
        self._memory = memory or MemoryBound()
        self._pool: ProcessPoolExecutor | None = None

    def hire(self) -> None:
        """From now on tasks are done by processes. They start at once, with what is known of the store by now."""
        if self._pool is None:
            self._pool = ProcessPoolExecutor(self._max_workers, get_context("spawn"), _begin, (dict(KNOWN),))
            for _ in range(self._max_workers):
                self._pool.submit(import_module, STAGES)

    def submit(self, task: Task[..., Any], parameters: dict[str, Any], *rest: Any, **named: Any) -> Any:
        return super().submit(self._bounded(task), parameters, *rest, **named)

    def __enter__(self) -> Self:
        self._memory.__enter__()
        return super().__enter__()

    def __exit__(self, *raised: Any) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None
        super().__exit__(*raised)
        self._memory.__exit__()
        self.logger.info("most memory taken, all processes together: %.1f GB", self._memory.peak / 1e9)

    def _bounded(self, task: Task[..., Any]) -> Task[..., Any]:
        """The same task, whose function begins when there is room for it, here or in a worker process."""
        pool = self._pool

        @wraps(task.fn)
        def when_there_is_room(*args: Any, **kwargs: Any) -> Any:
            with self._memory.shard():
                return task.fn(*args, **kwargs) if pool is None else _send(pool, task, args, kwargs)

        bounded = copy(task)
        bounded.fn = when_there_is_room
        return bounded


def _send(pool: ProcessPoolExecutor, task: Task[..., Any], args: Any, kwargs: Any) -> Any:
    """What the task's function gives, called in a worker process, where its module has the task under the function's name."""
    try:
        return pool.submit(_call, task.fn.__module__, task.fn.__qualname__, args, kwargs).result()
    except BrokenProcessPool:
        raise WorkerLost(ENDED) from None


def _call(module: str, name: str, args: Any, kwargs: Any) -> Any:
    """In a worker process: what the task does."""
    function: Callable[..., Any] = getattr(import_module(module), name).fn
    _AT_WORK.set()
    try:
        return function(*args, **kwargs)
    finally:
        _AT_WORK.clear()


def _begin(known: Known) -> None:
    """In a worker process, first of all: it knows what the run knows, and ends with the run, however that ends."""
    KNOWN.update(known)
    signal.signal(signal.SIGINT, _interrupted)
    threading.Thread(target=_follow, daemon=True).start()


def _follow() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _interrupted(*_: object) -> None:
    """Ctrl-C reaches the whole group: an idle process goes without a word, one at work clears up what it has begun."""
    if not _AT_WORK.is_set():
        os._exit(130)
    raise KeyboardInterrupt
