"""What threads share: how many a product of matrices takes, since its last bit may depend on it, and the import of transformers."""

from threading import Lock

from threadpoolctl import threadpool_limits

# Two threads that make transformers' lazy modules at once fail each other's imports.
LAZY_IMPORTS = Lock()


def one_blas_thread() -> None:
    """One, in the whole process and from now on; shards run side by side anyway.

    For good, since the limit is the process's: tasks that each lift it when they end would lift it for those still at work, and what
    threadpoolctl is asked by other threads than the one in control it ignores without a word.
    """
    threadpool_limits(1, user_api="blas")
