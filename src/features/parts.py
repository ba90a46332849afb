"""Customers in parts: contiguous in the order of their ids, and of few enough rows to be held in memory."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
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

    def rows(self, table: ibis.Table, numbers: ibis.Table) -> ibis.Table:
        """Their rows of a table, with numbers (a table of ``customer_id`` and ``customer_number``) in place of ids."""
        mine = table.filter(table.customer_id.between(self.names[0].as_py(), self.names[-1].as_py()))
        return mine.inner_join(numbers, "customer_id").drop("customer_id").rename(customer_id="customer_number")


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
    ends = [*starts[1:], len(names)]
    return [Part(names[start:end]) for start, end in zip(starts, ends, strict=True)]
