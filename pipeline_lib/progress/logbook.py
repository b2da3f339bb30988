"""Keeps a run's progress record in its store up to date, from a thread of its own: no shard waits for it, and no run fails for it."""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import replace

from pipeline_lib.progress.record import RunProgress, State, place, progress_key, write_progress
from pipeline_lib.progress.stage_time import StageTime
from pipeline_lib.storage.place import StoreError
from pipeline_lib.storage.store import Store

REFRESH = 15.0  # seconds; in a bucket every refresh is a request
logger = logging.getLogger(__name__)


class Logbook:
    """The progress record of one run; see ``logbook``.

    Attributes:
        run: the run's id, as soon as it has one.
    """

    def __init__(self, store: Store, name: str, called: str, out: str | None, look: Callable[[], Sequence[StageTime]]) -> None:
        self.run = ""
        self._store, self._name, self._look = store, name, look
        self._progress = RunProgress(
            name=called, host=socket.gethostname(), pid=os.getpid(), since=time.time(), out=place(out) if out else ""
        )
        self._written: object = None
        self._wake, self._done = threading.Event(), False

    def stage_ended(self) -> None:
        """Write soon; returns at once."""
        self._wake.set()

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Keep the record while the context lasts."""
        # In this context, so that what the thread logs is known to be of this run.
        thread = threading.Thread(target=copy_context().run, args=(self._keep,), name="logbook", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._done = True
            self._wake.set()
            thread.join()

    def close(self, state: State) -> None:
        """Leave the record as it ends: of a finished run under its id, else where it is."""
        self._progress = self._progress.model_copy(update={"state": state, "ended": time.time(), "run": self.run})
        last = self._name if state == "failed" or not self.run else self.run
        if self._write(last) and last != self._name:
            self._try(lambda: self._store.remove(progress_key(self._name)))

    def _keep(self) -> None:
        while not self._done:
            self._write(self._name)
            self._wake.wait(REFRESH)
            self._wake.clear()

    def _write(self, name: str) -> bool:
        """Write the record unless it says the same already. Whether it is there."""
        stages = tuple(self._look())
        progress = self._progress.model_copy(update={"stages": stages, "run": self.run})
        counted = name, progress.model_copy(update={"stages": tuple(replace(stage, seconds=0.0, curve=()) for stage in stages)})
        if counted == self._written:
            return True
        written = self._try(lambda: write_progress(self._store, name, progress))
        self._written = counted if written else None
        return written

    def _try(self, act: Callable[[], None]) -> bool:
        """A store that fails for a moment fails no run."""
        try:
            act()
        except (StoreError, OSError) as error:
            logger.warning("the progress of the run could not be recorded: %s", type(error).__name__)
            return False
        return True


@contextmanager
def logbook(store: Store, name: str, called: str, out: str | None, look: Callable[[], Sequence[StageTime]]) -> Iterator[Logbook]:
    """Record the progress of a run while the context lasts, and how it ended.

    Args:
        name: of the record; called: what the run is called; out: its output folder; look: its stages as they stand.
    """
    book = Logbook(store, name, called, out, look)
    state: State = "failed"
    try:
        with book.keeping():
            yield book
        state = "finished"
    finally:
        book.close(state)
