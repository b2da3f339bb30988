"""How much memory a run takes, all its processes together, and holding it to a bound: no shard begins while the run takes more."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from flows.settings import ConfigError

SECONDS_BETWEEN_LOOKS = 1.0
UNITS = {"MB": 10**6, "GB": 10**9}
OF_A_RUN = 1.2e9  # the flow's own process and Prefect's server, bytes
OF_A_WORKER = 0.9e9  # a process with its libraries, and a shard of 500 documents


def in_bytes(memory: str) -> int | None:
    """``6GB`` as a number; None for no bound."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([MG]B)", memory)
    return int(float(found[1]) * UNITS[found[2]]) if found else None


def affordable(workers: int, memory: str) -> int:
    """As many of the workers as the memory allows. Raises ``ConfigError`` if that is none."""
    bound = in_bytes(memory)
    if bound is None:
        return workers
    most = int((bound - OF_A_RUN) / OF_A_WORKER)
    if most < 1:
        needed = (OF_A_RUN + OF_A_WORKER) / UNITS["GB"]
        raise ConfigError(f"setting memory: {memory} is too little, a run with one worker takes {needed:.1f}GB")
    return min(workers, most)


class MemoryBound:
    """Looks at this process and all it has started every second, as long as it is entered.

    Attributes:
        peak: most bytes seen so far, of ``taken``.
    """

    def __init__(self, bound: int | None = None) -> None:
        self.peak = 0
        self._bound = bound
        self._now = 0
        self._at_work = 0
        self._change = threading.Condition()
        self._ended = threading.Event()
        self._looking = threading.Thread(target=self._look, name="memory", daemon=True)

    def __enter__(self) -> "MemoryBound":
        self._looking.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._looking.join()

    @contextmanager
    def shard(self) -> Iterator[None]:
        """Begin a shard as soon as there is room; one at a time goes on however little there is."""
        with self._change:
            self._change.wait_for(lambda: not self._at_work or self._bound is None or self._now <= self._bound)
            self._at_work += 1
        try:
            yield
        finally:
            with self._change:
                self._at_work -= 1
                self._change.notify_all()

    def _look(self) -> None:
        while True:
            now = taken()
            with self._change:
                self._now, self.peak = now, max(self.peak, now)
                self._change.notify_all()
            if self._ended.wait(SECONDS_BETWEEN_LOOKS):
                return


def taken(by: psutil.Process | None = None) -> int:
    """Bytes of a process, this one if none is given, and of all that it has started, as far as they can be asked.

    What is theirs alone, and once what they share, of the process that shares most: libraries and the tables that they map. Exact shares
    would take the kernel a walk through all pages, tens of milliseconds a look.
    """
    found = [held for held in map(_held, _family(by or psutil.Process())) if held is not None]
    return sum(alone for alone, _ in found) + max((shared for _, shared in found), default=0)


def _family(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _held(process: psutil.Process) -> tuple[int, int] | None:
    """Bytes that are the process's alone, and those that it shares or could; None if it is gone."""
    try:
        found = process.memory_info()
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return None
    shared = getattr(found, "shared", 0)
    return found.rss - shared, shared
