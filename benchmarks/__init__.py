"""Benchmarks against named peers. One thread each, ours and the peers': said here, before anything imports numpy."""

import os

os.environ |= {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")}
