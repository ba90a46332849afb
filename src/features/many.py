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
        stage(con.con, part, tables)
        for number, day in enumerate(days):
            advance(con.con, tables, number, made, last=len(days) == 1)
            yield day, named(con.con.execute(made.final[number]).to_arrow_table(), part)
        clear(con.con, tables, made)


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


def stage(con: duckdb.DuckDBPyConnection, part: Part, tables: Iterable[str], source: str = "all") -> None:
    """Make ``rows_<table>``: a part's rows of ``<source>_<table>``, with numbers in place of ids."""
    con.register("numbers", part.numbers)
    for name in tables:
        con.execute(
            f"CREATE TEMP TABLE rows_{name} AS SELECT number AS customer_id, r.* EXCLUDE (customer_id) "
            f"FROM {source}_{name} r JOIN numbers USING (customer_id) WHERE customer_id BETWEEN ? AND ?",
            [part.names[0].as_py(), part.names[-1].as_py()],
        )
    con.unregister("numbers")


def advance(
    con: duckdb.DuckDBPyConnection, tables: Iterable[str], number: int, made: Plan, *, last: bool = False
) -> None:
    """Bring what is kept of a part's customers to a snapshot, by its number.

    What is made at the first of the snapshots need not be held, where it is the ``last`` one too.
    """
    seen = {name: f"FROM rows_{name} WHERE custid_since <= {number} AND custid_until > {number}" for name in tables}
    news = (f"FROM rows_{name} WHERE custid_since = {number} OR custid_until = {number}" for name in seen)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE changed AS " + " UNION ".join(f"SELECT DISTINCT customer_id {n}" for n in news)
    )
    for name, rows in seen.items():
        if number:
            con.execute(f"CREATE TEMP TABLE seen_{name} AS {rows} AND customer_id IN (FROM changed)")
        else:
            con.execute(f"CREATE TEMP VIEW seen_{name} AS {rows}")
    for name, query in made.once.items():
        con.execute(f"CREATE TEMP TABLE {name} AS {query}")
    for name, query in made.kept.items():
        if number:
            con.execute(f"DELETE FROM {name} WHERE customer_id IN (FROM changed)")
            con.execute(f"INSERT INTO {name} {query}")
        else:
            con.execute(f"CREATE TEMP {'VIEW' if last else 'TABLE'} {name} AS {query}")
    if not last:
        drop(con, [*made.once, *(f"seen_{name}" for name in seen)])


def clear(con: duckdb.DuckDBPyConnection, tables: Iterable[str], made: Plan) -> None:
    """Drop all that was made of a part."""
    drop(con, [*made.kept, *made.once, *(f"{what}_{name}" for name in tables for what in ("seen", "rows"))])


def drop(con: duckdb.DuckDBPyConnection, names: Iterable[str]) -> None:
    """Drop tables and views, as far as they are there."""
    kinds = dict(con.execute("SELECT table_name, table_type FROM information_schema.tables").fetchall())
    for name in names:
        if name in kinds:
            con.execute(f"DROP {'VIEW' if kinds[name] == 'VIEW' else 'TABLE'} {name}")


def named(features: pa.Table, part: Part) -> pa.Table:
    """A part's features, sorted, with the customers' ids for their numbers."""
    made = features.sort_by("customer_id")
    names = part.names.take(made["customer_id"].combine_chunks())
    return made.set_column(0, "customer_id", names).combine_chunks()
