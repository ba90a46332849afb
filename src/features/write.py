"""Features into files: snapshot by snapshot, a part of the customers at a time, so that memory stays bounded."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from ..errors import DataError
from ..workspace import replacing
from .many import many
from .table import build, collect, families

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    import ibis
    import pyarrow as pa


def write(con: Any, tables: Mapping[str, ibis.Table], paths: Mapping[date, Path], *, empty: bool = True) -> None:
    """Write the features at some days, each to its Parquet file, sorted by ``customer_id``.

    The files hold what :func:`~.table.build` gives for their days. Equal tables give equal bytes, whatever the number
    of threads and the order of the rows. Each file is written whole or not at all.

    Parameters
    ----------
    con
        The Ibis backend of the tables: on DuckDB, what the snapshots have in common is computed once, and a part of the
        customers at a time; on Spark, they are built one after the other.
    tables
        Canonical tables with ``customer_id`` (:func:`~.table.open_tables`).
    paths
        The file of each day.
    empty
        Whether a file may be without rows.

    Raises
    ------
    DataError
        Nobody had bought, had an open subscription or was observed before one of the days, and ``empty`` is false.
    """
    import pyarrow.parquet as pq

    days = sorted(paths)
    chosen = families(tables)
    parts = many(con, tables, days, chosen) if chosen and con.name == "duckdb" else _each(tables, days)
    rows = dict.fromkeys(days, 0)
    with ExitStack() as stack:
        drafts = {day: stack.enter_context(replacing(paths[day])) for day in days}
        writers: dict[date, Any] = {}
        for day, features in parts:
            if day not in writers:
                writers[day] = stack.enter_context(pq.ParquetWriter(drafts[day], features.schema, compression="zstd"))
            writers[day].write_table(features)
            rows[day] += features.num_rows
        without = [day for day in days if not rows[day]]
        if without and not empty:
            raise nobody(without[0])
        for day in days:
            if day not in writers:
                pq.write_table(collect(build(tables, day)), drafts[day], compression="zstd")


def nobody(day: date) -> DataError:
    """What is wrong with a day before which there was nobody."""
    return DataError(
        f"as_of: no customer has a purchase, an open subscription or an observation before {day}; expected a later day."
    )


def _each(tables: Mapping[str, ibis.Table], days: Sequence[date]) -> Iterator[tuple[date, pa.Table]]:
    for day in days:
        yield day, collect(build(tables, day))
