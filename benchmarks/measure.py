"""How time and memory are measured: the same way for us and for the peers.

Time is CPU time of this process and of those it started. With one thread each that is the time the work takes on a quiet machine, and
other work on the machine blurs it less than it does a clock. Contenders take turns, so that what blurs one blurs the other too.
"""

import resource
import statistics
import time
import tracemalloc
from collections.abc import Callable, Mapping

Row = dict[str, object]
Work = Callable[[], object]

ROUND = 0.1  # seconds


def cpu_seconds(work: Work) -> float:
    """User and system time of one call."""
    before = _cpu()
    work()
    return _cpu() - before


def _cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def median_ms(contenders: Mapping[str, Work], rounds: int) -> dict[str, float]:
    """Median over so many rounds, in each of which every contender is called once, or for ``ROUND`` seconds if that is longer.

    A round before them warms up (and compiles); short work is repeated so that it is not measured with the caches of the contender before.
    """
    calls = {}
    for name, work in contenders.items():
        work()
        calls[name] = max(1, round(ROUND / cpu_seconds(work)))
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, work in contenders.items():
            seconds = cpu_seconds(lambda work=work, count=calls[name]: [work() for _ in range(count)])
            found[name].append(1e3 * seconds / calls[name])
    return {name: statistics.median(values) for name, values in found.items()}


def peak_mb(work: Work) -> float:
    """Most memory (10^6 bytes) that one call held at once beyond what was there before, by tracemalloc, which numpy reports to."""
    work()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def ratios(row: Row, ours: str) -> Row:
    """How many times longer each peer took: ``<peer>_ratio`` for every ``<peer>_ms``."""
    own = row[f"{ours}_ms"]
    peers = {key.removesuffix("_ms"): value for key, value in row.items() if key.endswith("_ms") and key != f"{ours}_ms"}
    return {f"{name}_ratio": value / own for name, value in peers.items() if isinstance(value, float) and isinstance(own, float)}
