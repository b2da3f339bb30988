"""Who is at work in a store: runs and garbage collections register there, so that no collection removes what a run uses.

A lease is a small file that its owner renews while it works. One that was not renewed for a while is dead, as its owner is. Ages are
differences between the store's own modification times, so the machines' clocks do not matter. Each side writes its lease first and looks
then, so at least one of two sees the other: a run waits until the collection is done, a collection withdraws.
"""

import logging
import os
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from uuid import uuid4

from pipeline_lib.storage.files import StoredFile
from pipeline_lib.storage.place import StoreError
from pipeline_lib.storage.store import Store

FOLDER = "leases"
LISTINGS = 10
Kind = Literal["run", "gc"]
logger = logging.getLogger(__name__)


class StoreBusy(StoreError):
    """Others are at work in the store."""


class LeaseLost(StoreError):
    """A lease was not renewed in time: the others may have taken its owner for dead."""


@dataclass(frozen=True)
class Pace:
    """Seconds: between two renewals, until a lease that is not renewed is dead, and between two looks of one who waits."""

    renew: float = 30.0
    dead: float = 180.0
    wait: float = 5.0


PACE = Pace()


@dataclass(frozen=True)
class Holder:
    """Who holds a lease: what it is for, where it runs, since when (by its own clock), and seconds since it was renewed."""

    kind: str
    name: str
    host: str
    pid: int
    since: str
    age: float

    def __str__(self) -> str:
        return f"{self.name} on {self.host} (pid {self.pid}, since {self.since}, renewed {max(0, round(self.age))} s ago)"


class Lease:
    """A lease that this process holds; see ``lease``."""

    def __init__(self, store: Store, name: str, kind: Kind, pace: Pace) -> None:
        self.id = f"{kind}-{uuid4().hex}"
        self.key = f"{FOLDER}/{self.id}.json"
        since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        self._facts: dict[str, object] = {"name": name, "host": socket.gethostname(), "pid": os.getpid(), "since": since}
        self._store, self._pace = store, pace
        self._renewed, self._lost = time.time(), False
        store.write_record(self.key, self._facts)

    def renew(self) -> None:
        """Tell the others that the owner is alive."""
        now = time.time()
        try:
            self._store.touch(self.key)
        except FileNotFoundError:
            self._lost = True
            self._store.write_record(self.key, self._facts)
        self._lost |= now - self._renewed > self._pace.dead
        self._renewed = now

    def check(self) -> None:
        """Raise ``LeaseLost`` if the lease was ever old enough to be taken for dead: this machine slept, or the store did not answer."""
        if self._lost or time.time() - self._renewed > self._pace.dead:
            raise LeaseLost(
                f"{self._store.root}: the lease of {self._facts['name']} was not renewed for {self._pace.dead:.0f} s: start again"
            )

    def look(self) -> tuple[float, list[Holder]]:
        """The store's time, and who else holds a lease that is alive."""
        self.renew()
        files = self._listed()
        clock = files.pop(self.key).modified
        return clock, holders(self._store, files.values(), clock, self._pace.dead)

    def release(self) -> None:
        self._store.remove(self.key)

    @contextmanager
    def renewing(self) -> Iterator[None]:
        """Renew from a thread while the context lasts."""
        done = threading.Event()
        # In this context, so that what the thread logs is known to be of this run.
        thread = threading.Thread(target=copy_context().run, args=(self._keep_renewing, done), name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _keep_renewing(self, done: threading.Event) -> None:
        while not done.wait(self._pace.renew):
            try:
                self.renew()
            except StoreError:
                logger.warning("the lease of %s could not be renewed; next try in %.0f s", self._facts["name"], self._pace.renew)

    def _listed(self) -> dict[str, StoredFile]:
        """All leases by key; a listing that lacks our own is older than what others wrote before us."""
        for _ in range(LISTINGS):
            files = {file.key: file for file in self._store.files(FOLDER)}
            if self.key in files:
                return files
            time.sleep(self._pace.wait / LISTINGS)
        raise StoreError(f"{self._store.root}: a lease was written and is not listed: nobody can be sure who is at work there")


@contextmanager
def lease(store: Store, name: str, kind: Kind, pace: Pace = PACE) -> Iterator[Lease]:
    """Be registered in the store while the context lasts.

    A run waits first until no collection is at work. A collection raises ``StoreBusy`` if anyone is.
    """
    held = Lease(store, name, kind, pace)
    with _released(held), held.renewing():
        if kind == "run":
            _await_collections(held, pace)
        else:
            _refuse_company(store, held, pace)
        yield held


def holders(store: Store, leases: Iterable[StoredFile], clock: float, dead: float = PACE.dead) -> list[Holder]:
    """The holders of those leases that are alive when the store's time is ``clock``."""
    alive = [file for file in leases if _is_lease(file) and clock - file.modified <= dead]
    return [_holder(file, facts, clock) for file in alive if (facts := _facts(store, file.key)) is not None]


def dead_leases(leases: Iterable[StoredFile], clock: float, dead: float = PACE.dead) -> list[StoredFile]:
    """Those leases whose owners have died."""
    return [file for file in leases if _is_lease(file) and clock - file.modified > dead]


@contextmanager
def _released(held: Lease) -> Iterator[None]:
    """What was done is not undone because the lease stays: it dies by itself."""
    try:
        yield
    finally:
        try:
            held.release()
        except StoreError:
            logger.warning("the lease %s could not be removed", held.key)


def _await_collections(held: Lease, pace: Pace) -> None:
    told = False
    while collections := [holder for holder in held.look()[1] if holder.kind == "gc"]:
        if not told:
            logger.warning("waiting for the garbage collection to end: %s", collections[0])
            told = True
        time.sleep(pace.wait)


def _refuse_company(store: Store, held: Lease, pace: Pace) -> None:
    if others := held.look()[1]:
        names = "; ".join(f"{'run ' if holder.kind == 'run' else ''}{holder}" for holder in others)
        ended = f"what was killed counts as ended after {pace.dead:.0f} s"
        raise StoreBusy(f"{store.root} is in use, nothing was removed: {names}. Wait until that ends; {ended}")


def _is_lease(file: StoredFile) -> bool:
    return file.key.rsplit("/", 1)[-1].startswith(("run-", "gc-"))


def _facts(store: Store, key: str) -> dict[str, object] | None:
    """What a lease says; None if it is gone. One that cannot be read still counts."""
    try:
        facts = store.read_record(key)
    except ValueError:
        return {}
    return facts if facts is None or isinstance(facts, dict) else {}


def _holder(file: StoredFile, facts: dict[str, object], clock: float) -> Holder:
    kind = file.key.removeprefix(f"{FOLDER}/").split("-")[0]
    name, host, since = (str(facts.get(field, "?")) for field in ("name", "host", "since"))
    pid = facts.get("pid")
    return Holder(kind, name, host, pid if isinstance(pid, int) else 0, since, clock - file.modified)
