"""Pace: how much of a stage's work is done a second, by as many threads as a run has workers, and what the tables take in the store."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle
from threading import Lock

import pyarrow as pa

from data_contracts.contract import Contract
from pipeline_lib.storage.parts import stored_size

Tables = tuple[pa.Table, ...]


@dataclass(frozen=True)
class Clock:
    """How a stage is timed.

    Attributes:
        workers: threads, as the run has; seconds: for one stage; part: documents that a run writes at a time.
    """

    workers: int
    seconds: float
    part: int = 16

    def times(self, factor: float) -> "Clock":
        """The same with more time."""
        return Clock(self.workers, self.seconds * factor, self.part)


@dataclass(frozen=True)
class Pace:
    """What was measured of one stage.

    Attributes:
        rate: work a second, all workers together; sizes: bytes in the store for one unit of work, by contract.
        made: the stage's tables, by item: whoever comes next goes on with them.
    """

    rate: float
    sizes: dict[str, float]
    made: dict[str, Tables]


def pace(items: Mapping[str, float], make: Callable[[str], Tables], contracts: Sequence[Contract], clock: Clock, least: int = 2) -> Pace:
    """Time a stage on ``items`` (work by name), again and again until the time is over, and on ``least`` of them at least.

    What a run does with a table is part of it: it is checked and written, though to memory. A cell's bytes depend on how many documents are
    written at a time, which share a dictionary of values: stages of many cells make ``clock.part`` at least.
    """

    def once(item: str) -> Tables:
        tables = make(item)
        for contract, table in zip(contracts, tables, strict=True):
            stored_size(contract, [table])
        return tables

    first = next(iter(items))
    made = {first: once(first)}  # untimed: loops are compiled, caches filled
    turn, lock = cycle(items), Lock()

    def work(_: int) -> float:
        began, done = time.perf_counter(), 0.0
        while True:
            with lock:
                item = next(turn)
            tables = once(item)
            made.setdefault(item, tables)
            done += items[item]
            spent = time.perf_counter() - began
            if spent >= clock.seconds and len(made) >= min(least, len(items)):
                return done / spent

    with ThreadPoolExecutor(clock.workers) as threads:
        rate = sum(threads.map(work, range(clock.workers)))
    return Pace(rate, _sizes(items, made, contracts, clock.part), made)


def _sizes(items: Mapping[str, float], made: Mapping[str, Tables], contracts: Sequence[Contract], part: int) -> dict[str, float]:
    amount = sum(items[item] for item in made)
    sizes: Counter[str] = Counter()
    for contract, tables in zip(contracts, zip(*made.values(), strict=True), strict=True):
        sizes[contract.name] += stored_size(contract, _parts(tables, part))
    return {name: size / amount for name, size in sizes.items()}


def _parts(tables: Sequence[pa.Table], part: int) -> Iterator[pa.Table]:
    for first in range(0, len(tables), part):
        yield pa.concat_tables(tables[first : first + part]).combine_chunks()
