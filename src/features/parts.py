"""Customers in parts: contiguous in the order of their ids, and of few enough rows to be held in memory."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import ibis
    import pyarrow as pa


@dataclass(frozen=True, eq=False)
class Part:
    """Some customers.

    Attributes
    ----------
    names
        ``customer_id``, sorted. The number of a customer is its place here.
    """

    names: pa.Array

    @cached_property
    def numbers(self) -> pa.Table:
        """``customer_id`` and ``number``."""
        import pyarrow as pa

        return pa.table({"customer_id": self.names, "number": np.arange(len(self.names))})


def parts(tables: Mapping[str, ibis.Table], most: int) -> list[Part]:
    """All customers of some tables, in parts of some ``most`` rows.

    The parts follow from what the tables hold, whatever the order of the rows and the number of threads.

    Examples
    --------
    >>> import ibis
    >>> rows = ibis.memtable({"customer_id": ["b", "a", "c", "a", "a"]})
    >>> [part.names.to_pylist() for part in parts({"events": rows}, 3)]
    [['a'], ['b', 'c']]
    """
    counted = [table.group_by("customer_id").aggregate(n=table.count()) for table in tables.values()]
    whole = reduce(lambda some, more: some.union(more), counted)
    customers = whole.group_by("customer_id").aggregate(n=whole.n.sum()).to_pyarrow().sort_by("customer_id")
    return _cut(customers, most)


def _cut(customers: Any, most: int) -> list[Part]:
    through = np.cumsum(customers["n"].to_numpy())
    number = (through - 1) // most
    starts = np.flatnonzero(np.diff(number, prepend=-1)).tolist()
    names = customers["customer_id"].combine_chunks()
    return [Part(names[start:end]) for start, end in pairwise([*starts, len(names)])]
