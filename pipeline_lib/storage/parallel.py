"""Many small files at a time: threads wait for the disk, and the results come in the order of the files."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

THREADS = 4
BATCH = 64  # items: to hand over a single one costs as much as to read a small file
AHEAD = 2 * THREADS  # batches

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_parallel(do: Callable[[Item], Result], items: Iterable[Item], batch: int = BATCH) -> Iterator[Result]:
    """What ``do`` gives for each item, in the order of the items; these are taken as they are needed, never all at once.

    The first error in that order ends it: what has not begun by then is left undone, what has is waited for.
    """
    rest = iter(items)
    ahead: deque[Future[list[Result]]] = deque()
    with ThreadPoolExecutor(THREADS, thread_name_prefix="files") as threads:
        try:
            while taken := list(islice(rest, batch)):
                ahead.append(threads.submit(_do_all, do, taken))
                if len(ahead) > AHEAD:
                    yield from ahead.popleft().result()
            while ahead:
                yield from ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()


def _do_all(do: Callable[[Item], Result], items: list[Item]) -> list[Result]:
    return [do(item) for item in items]
