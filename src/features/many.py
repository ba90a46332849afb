"""The features of several snapshots at once, part of the customers by part, on DuckDB.

A part's rows are read once. Then, snapshot by snapshot, the rows of those customers who have new ones (or have lost
some to a cancellation) go through the queries of the :mod:`~.plan`; what is kept of all others stays as it is. The
result is, to the bit, what :func:`~.table.build` gives for each of the snapshots.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..asof import arrival, midnight
from .parts import parts
from .plan import plan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    import duckdb
    import ibis
    import pyarrow as pa

    from .family import Family
    from .parts import Part
    from .plan import Plan

ROWS = 2_500_000
"""Rows of a part: what 2 GB of memory can hold with all that is made of it."""


def many(
    con: Any, tables: Mapping[str, ibis.Table], days: Sequence[date], families: Sequence[Family], rows: int = ROWS
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
        How many rows to hold at a time.

    Yields
    ------
    tuple
        A day and the features of some customers on it, sorted by ``customer_id``; for each day, the parts come in the
        order of the ids.
    """
    schemas = {name: _numbered(table.schema()) for name, table in tables.items()}
    made = plan(schemas, days, families)
    for part in parts(tables, rows):
        _stage(con, part, tables, days, made)
        for number, day in enumerate(days):
            _advance(con.con, tables, number, made)
            yield day, _named(con.con.execute(made.final[number]).to_arrow_table(), part)


def _numbered(schema: Any) -> Any:
    import ibis

    return ibis.schema({**schema, "customer_id": "int64"})


def _stage(con: Any, part: Part, tables: Mapping[str, ibis.Table], days: Sequence[date], made: Plan) -> None:
    """Make ``rows_<table>``: a part's rows, with the numbers of the first snapshot that sees each, and of the first
    that no longer does.
    """
    import ibis
    import numpy as np
    import pyarrow as pa

    names = pa.table({"customer_id": part.names, "customer_number": np.arange(len(part.names))})
    numbers = con.create_table("numbers", names, temp=True, overwrite=True)
    walls = [ibis.literal(midnight(day), type="timestamp") for day in days]
    for name, table in tables.items():
        rows = part.rows(table, numbers)
        since = sum((arrival(rows) >= wall).cast("int64") for wall in walls)
        until = ibis.literal(len(days))
        if "cancelled_at" in rows.columns:
            until = sum((rows.cancelled_at >= wall).fill_null(True).cast("int64") for wall in walls)
        rows = rows.select(*made.columns[name], custid_since=since, custid_until=until)
        con.create_table(f"rows_{name}", rows.filter(rows.custid_since < rows.custid_until), temp=True, overwrite=True)


def _advance(con: duckdb.DuckDBPyConnection, tables: Mapping[str, Any], number: int, made: Plan) -> None:
    """Bring what is kept of a part's customers to a snapshot, by its number."""
    changes = " UNION ".join(
        f"SELECT DISTINCT customer_id FROM rows_{name} WHERE custid_since = {number} OR custid_until = {number}" for name in tables
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE changed AS {changes}")
    for name in tables:
        seen = f"SELECT * FROM rows_{name} WHERE custid_since <= {number} AND custid_until > {number}"
        if number:
            seen += " AND customer_id IN (SELECT customer_id FROM changed)"
        con.execute(f"CREATE OR REPLACE TEMP {'TABLE' if number else 'VIEW'} seen_{name} AS {seen}")
    for name, query in made.once.items():
        con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")
    for name, query in made.kept.items():
        if number:
            con.execute(f"DELETE FROM {name} WHERE customer_id IN (SELECT customer_id FROM changed)")
            con.execute(f"INSERT INTO {name} {query}")
        else:
            con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")
    for name in tables:
        con.execute(f"DROP {'TABLE' if number else 'VIEW'} seen_{name}")


def _named(features: pa.Table, part: Part) -> pa.Table:
    """A part's features, sorted, with the customers' ids for their numbers."""
    made = features.sort_by("customer_id")
    names = part.names.take(made["customer_id"].combine_chunks())
    return made.set_column(0, "customer_id", names).combine_chunks()
