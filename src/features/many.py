"""The features of several snapshots at once, part of the customers by part, on DuckDB.

A part's rows are read once. Then, snapshot by snapshot, the rows of those customers who have new ones (or have lost
some to a cancellation) go through the queries of the :mod:`~.plan`; what is kept of all others stays as it is. The
result is, to the bit, what :func:`~.table.build` gives for each of the snapshots.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..asof import arrival, midnight
from .parts import parts
from .plan import plan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    import duckdb
    import ibis
    import pyarrow as pa

    from .family import Family
    from .parts import Part
    from .plan import Plan

ROWS = 3_500_000
"""Rows of a part: what 2 GB of memory can hold with all that is made of it."""


def many(
    con: Any,
    tables: Mapping[str, ibis.Table],
    days: Sequence[date],
    families: Sequence[Family],
    rows: int | None = None,
) -> Iterator[tuple[date, pa.Table]]:
    """The features at some days, a part of the customers after the other.

    Parameters
    ----------
    con
        The Ibis backend of DuckDB that the tables belong to.
    tables
        Canonical tables with ``customer_id``.
    days
        The snapshots, oldest first.
    families
        The families to build.
    rows
        How many rows to hold at a time; :data:`ROWS` if not said.

    Yields
    ------
    tuple
        A day and the features of some customers on it, sorted by ``customer_id``; for each day, the parts come in the
        order of the ids.
    """
    schemas = {name: numbered(table.schema()) for name, table in tables.items()}
    made = plan(schemas, days, families)
    open_rows(con, tables, days, made)
    for part in parts(tables, rows or ROWS):
        held = Held(con.con, part, tuple(tables), made)
        held.stage()
        for number, day in enumerate(days):
            held.advance(number, last=len(days) == 1)
            yield day, held.features(number)
        held.clear()


def numbered(schema: Any) -> Any:
    """A table's schema with numbers in place of ids."""
    import ibis

    return ibis.schema({**schema, "customer_id": "int64"})


def open_rows(con: Any, tables: Mapping[str, ibis.Table], days: Sequence[date], made: Plan) -> None:
    """Make ``all_<table>``: the rows of everyone, with the numbers of the first snapshot that sees each, and of the
    first that no longer does.
    """
    import ibis

    walls = [ibis.literal(midnight(day), type="timestamp") for day in days]
    for name, table in tables.items():
        since = sum((arrival(table) >= wall).cast("int8") for wall in walls)
        until = ibis.literal(len(days), type="int8")
        if "cancelled_at" in table.columns:
            until = sum((table.cancelled_at >= wall).fill_null(True).cast("int8") for wall in walls)
        rows = table.select(*made.columns[name], custid_since=since, custid_until=until)
        con.create_view(f"all_{name}", rows.filter(rows.custid_since < rows.custid_until), overwrite=True)


class Held:
    """A part of the customers, with what is kept of them, brought from snapshot to snapshot."""

    def __init__(self, con: duckdb.DuckDBPyConnection, part: Part, tables: Sequence[str], made: Plan) -> None:
        self.part = part
        self._con, self._tables, self._made = con, tables, made
        self._settled: Any = None
        self._places = np.full(len(part.names), -1)

    def stage(self, source: str = "all") -> None:
        """Make ``rows_<table>``: their rows of ``<source>_<table>``, with numbers in place of ids."""
        self._con.register("numbers", self.part.numbers)
        for name in self._tables:
            self._con.execute(
                f"CREATE TEMP TABLE rows_{name} AS SELECT number AS customer_id, r.* EXCLUDE (customer_id) "
                f"FROM {source}_{name} r JOIN numbers USING (customer_id) WHERE customer_id BETWEEN ? AND ?",
                [self.part.names[0].as_py(), self.part.names[-1].as_py()],
            )
        self._con.unregister("numbers")

    def advance(self, number: int, *, last: bool = False) -> None:
        """Bring what is kept to a snapshot, by its number; what is made at the ``last`` one need not be held."""
        execute, held = self._con.execute, "VIEW" if last else "TABLE"
        seen = {n: f"FROM rows_{n} WHERE custid_since <= {number} AND custid_until > {number}" for n in self._tables}
        news = (
            f"SELECT DISTINCT customer_id FROM rows_{name} WHERE custid_since = {number} OR custid_until = {number}"
            for name in seen
        )
        execute(f"CREATE OR REPLACE TEMP TABLE changed AS {' UNION '.join(news)}")
        for name, rows in seen.items():
            if number:
                execute(f"CREATE TEMP TABLE seen_{name} AS {rows} AND customer_id IN (FROM changed)")
            else:
                execute(f"CREATE TEMP VIEW seen_{name} AS {rows}")
        for name, query in self._made.once.items():
            execute(f"CREATE TEMP TABLE {name} AS {query}")
        self.settle(execute(self._made.settled).to_arrow_table())
        for name, query in self._made.kept.items():
            if number:
                execute(f"DELETE FROM {name} WHERE customer_id IN (FROM changed)")
                execute(f"INSERT INTO {name} {query}")
            else:
                execute(f"CREATE TEMP {held} {name} AS {query}")
        if not last:
            drop(self._con, [*self._made.once, *(f"seen_{name}" for name in seen)])

    def features(self, number: int) -> pa.Table:
        """The features at a snapshot, by its number: that to which they were brought last."""
        import pyarrow as pa

        later = self._con.execute(self._made.final[number]).to_arrow_table().sort_by("customer_id")
        who = later["customer_id"].to_numpy()
        settled = self._settled.take(self._places[who])
        columns = {name: (later if name in later.column_names else settled)[name] for name in self._made.names}
        ids = self.part.names.take(pa.array(who))
        return pa.table({"customer_id": ids, "as_of": later["as_of"], **columns}).combine_chunks()

    def settled(self) -> pa.Table:
        """The features that are the same until there are new rows, by the customers' numbers."""
        return self._settled.take(self._places[self._places >= 0])

    def settle(self, rows: pa.Table) -> None:
        """Take in such features of customers, instead of those that are known of them."""
        import pyarrow as pa

        who, known = rows["customer_id"].to_numpy(), self._settled.num_rows if self._settled else 0
        self._places[who] = np.arange(known, known + len(who))
        self._settled = pa.concat_tables([self._settled, rows]).combine_chunks() if self._settled else rows

    def clear(self) -> None:
        """Drop all that was made of them."""
        rows = (f"{what}_{name}" for name in self._tables for what in ("seen", "rows"))
        drop(self._con, [*self._made.kept, *self._made.once, *rows])


def drop(con: duckdb.DuckDBPyConnection, names: Iterable[str]) -> None:
    """Drop tables and views, as far as they are there."""
    kinds = dict(con.execute("SELECT table_name, table_type FROM information_schema.tables").fetchall())
    for name in names:
        if name in kinds:
            con.execute(f"DROP {'VIEW' if kinds[name] == 'VIEW' else 'TABLE'} {name}")
