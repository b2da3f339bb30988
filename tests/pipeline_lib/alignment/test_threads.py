from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from pipeline_lib.alignment.threads import one_blas_thread


def blas_threads() -> set[int]:
    np.ones((2, 2)) @ np.ones((2, 2))  # its library is loaded
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_shards_side_by_side_have_one_thread_each_whoever_ends_first() -> None:
    begun = Barrier(2, timeout=20)

    def shard(number: int) -> set[int]:
        one_blas_thread()
        begun.wait()
        return blas_threads()

    for _ in range(3):
        with ThreadPoolExecutor(2) as shards:
            assert list(shards.map(shard, range(4))) == [{1}] * 4
        assert blas_threads() == {1}, "the last to end lifts nothing"


def test_what_others_limit_for_a_while_they_give_back() -> None:
    one_blas_thread()
    with threadpool_limits(2):
        pass
    assert blas_threads() == {1}
