from collections.abc import Iterator

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from pipeline_lib.alignment.threads import single_threaded


def most_threads() -> int:
    np.ones((2, 2)) @ np.ones((2, 2))  # BLAS is loaded
    return max(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    with threadpool_limits(2):
        yield


def test_one_thread_inside_and_as_many_as_before_afterwards() -> None:
    with single_threaded():
        assert most_threads() == 1
    assert most_threads() == 2


def test_a_neighbour_that_leaves_first_lifts_nothing() -> None:
    first, second = single_threaded(), single_threaded()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert most_threads() == 1
    second.__exit__(None, None, None)
    assert most_threads() == 2


def test_an_error_inside_lifts_the_limit() -> None:
    with pytest.raises(ZeroDivisionError), single_threaded():
        raise ZeroDivisionError
    assert most_threads() == 2
