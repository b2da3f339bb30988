"""Many small things done at a time, in order."""

import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline_lib.storage.parallel import AHEAD, THREADS, in_parallel


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers()), st.integers(1, 9))
def test_it_is_map_whatever_the_batches(items: list[int], batch: int) -> None:
    assert list(in_parallel(lambda item: item + 1, items, batch)) == [item + 1 for item in items]


def test_the_order_is_that_of_the_items_whoever_is_done_first() -> None:
    def slow_first(item: int) -> int:
        time.sleep(0.05 if item == 0 else 0)
        return item

    assert list(in_parallel(slow_first, range(50), 1)) == list(range(50))


def test_several_are_done_at_a_time() -> None:
    together = threading.Barrier(THREADS, timeout=30)
    assert list(in_parallel(lambda _: together.wait() >= 0, range(THREADS), 1)) == [True] * THREADS


def test_items_are_taken_as_they_are_needed() -> None:
    taken = []

    def items() -> Iterator[int]:
        for item in range(10_000):
            taken.append(item)
            yield item

    results = in_parallel(lambda item: item, items(), 2)
    assert next(results) == 0
    assert len(taken) <= 2 * (AHEAD + 1)
    results.close()  # type: ignore[attr-defined]


def test_the_first_error_ends_it_and_nothing_goes_on_behind_it() -> None:
    done = []

    def fail(item: int) -> None:
        if item == 3:
            raise OSError("no space left on device")
        time.sleep(0.001)
        done.append(item)

    with pytest.raises(OSError, match="no space"):
        list(in_parallel(fail, range(10_000), 1))
    reached = len(done)
    time.sleep(0.05)
    assert len(done) == reached < 10_000
