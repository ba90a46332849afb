"""Fitting several members side by side, each with one thread, so that sums have one order on any machine."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..config import Config

MOST = 2


@contextmanager
def workers(config: Config) -> Iterator[ThreadPoolExecutor]:
    """A pool of threads in which the linear algebra has one thread.

    That limit is the whole process's: set by each worker, one that ends would lift it for another that still works.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1), ThreadPoolExecutor(min(MOST, config.threads or MOST)) as pool:
        yield pool
