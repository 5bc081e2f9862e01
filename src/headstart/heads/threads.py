"""One BLAS thread for small problems.

Each threaded call waits for every thread, and on a busy machine a thread that has to be woken comes late:
with both cores taken by others, 245 x 1,280 features took 1.7 s with two threads and 0.05 s with one.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

#: Threads gain nothing up to this many multiplications a product and this size of a decomposed matrix.
FEW_PRODUCTS, SMALL_MATRIX = 20_000_000, 512


def for_size(shape: tuple[int, ...], outputs: int) -> AbstractContextManager:
    """A context in which features of ``shape`` [n, d] and ``outputs`` scores get as many threads as pay."""
    n, d = shape
    if min(n, d) > SMALL_MATRIX or n * d * outputs > FEW_PRODUCTS:
        return nullcontext()
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1, user_api="blas")
