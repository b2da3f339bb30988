"""One BLAS thread: a product's last bit may depend on how many there are, and shards run side by side anyway."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from threadpoolctl import threadpool_limits


class _Limit:
    """The limit is the process's, not the thread's: whoever comes first sets it, whoever leaves last lifts it. Were it lifted by each
    that leaves, the others' products would go on with more threads, and an artifact's last bits would depend on its neighbours.
    """

    def __init__(self) -> None:
        self._lock, self._inside = Lock(), 0

    @contextmanager
    def hold(self) -> Iterator[None]:
        with self._lock:
            if not self._inside:
                self._limits = threadpool_limits(1)
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if not self._inside:
                    self._limits.restore_original_limits()


single_threaded = _Limit().hold
