"""The stage: one customer for every record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from ..errors import DataError
from ..workspace import Note, Workspace, silent, write_parquet
from .standard import email, national_id, phone

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    import duckdb
    from numpy.typing import NDArray

    from ..config import Config
    from ..config.settings import IdentitySettings

SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("record_id", pa.string()),
        ("customer_id", pa.string()),
        ("method", pa.string()),
        ("probability", pa.float64()),
    ]
)


def resolve(config: Config, ws: Workspace, note: Note = silent) -> None:
    """Write ``identity.parquet``: source, record_id, customer_id, method, probability.

    Every (source, record_id) of any table has one row. With one source, ``customer_id`` is its own id; with several it
    is the smallest ``source:record_id`` of the records that are one customer.

    Raises
    ------
    DataError
        Where nothing has been ingested.
    """
    if not ws.tables():
        raise DataError(f"workspace: {str(ws.root)!r} holds no tables; run the stage ingest first.")
    note("finding out who is who")
    write_parquet(ws.identity, _resolved(config, ws, None))


def as_known(config: Config, ws: Workspace, day: date) -> pa.Table:
    """The identities as they were known before a snapshot: a later record or address does not reach back.

    Records that were not known then belong to whichever customer of that day they are found to be by now, so that what
    a person buys through a new channel counts as theirs; among several, to the one of the smallest name.

    Returns
    -------
    pyarrow.Table
        source, record_id, customer_id: a row for every record of ``identity.parquet``.
    """
    con = _connect(config)
    try:
        con.register("known", _resolved(config, ws, day))
        return con.execute(
            "SELECT n.source, n.record_id, coalesce(k.customer_id, "
            "min(k.customer_id) OVER (PARTITION BY n.customer_id), n.customer_id) AS customer_id "
            f"FROM read_parquet({_quoted(ws.identity)}) n LEFT JOIN known k USING (source, record_id) "
            "ORDER BY n.source, n.record_id"
        ).to_arrow_table()
    finally:
        con.close()


def _resolved(config: Config, ws: Workspace, day: date | None) -> pa.Table:
    """A row for every record that was known before a day; before the run's ``as_of`` where none is named."""
    tables = ws.tables()
    con = _connect(config)
    try:
        union = " UNION ".join(f"SELECT DISTINCT source, record_id FROM {_rows(ws, t, day)}" for t in tables)
        con.execute(f"CREATE TABLE records AS SELECT * FROM ({union}) ORDER BY source || ':' || record_id, source")
        if len({s.name for s in config.sources}) == 1:
            found = _own_ids(con)
        else:
            found = _linked(con, config.identity, _rows(ws, "customers", day) if "customers" in tables else None)
    finally:
        con.close()
    return found.sort_by([("source", "ascending"), ("record_id", "ascending")])


def _connect(config: Config) -> duckdb.DuckDBPyConnection:
    import duckdb

    con = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    con.execute(f"SET memory_limit='{config.memory}'")
    if config.threads is not None:
        con.execute(f"SET threads={config.threads}")
    return con


def _rows(ws: Workspace, table: str, day: date | None) -> str:
    """The rows of a table that were known before a day, as SQL."""
    rows = f"read_parquet({_quoted(ws.table(table))})"
    if day is None:
        return rows
    import pyarrow.parquet as pq

    there = pq.read_schema(ws.table(table)).names
    wall = f"TIMESTAMP '{day.isoformat()} 00:00:00'"
    happened = [f"{name} < {wall}" for name in ("ts", "started_at") if name in there]
    arrived = [f"coalesce({n} < {wall}, true)" for n in ("registered_at", "ingested_at", "valid_from") if n in there]
    return f"(SELECT * FROM {rows} WHERE {' AND '.join([*happened, *arrived]) or 'true'})"


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _own_ids(con: duckdb.DuckDBPyConnection) -> pa.Table:
    return (
        con.execute(
            "SELECT source, record_id, record_id AS customer_id, 'own id' AS method, 1.0 AS probability FROM records"
        )
        .to_arrow_table()
        .cast(SCHEMA)
    )


def _linked(con: duckdb.DuckDBPyConnection, settings: IdentitySettings, customers: str | None) -> pa.Table:
    """Connected components of the records that share a key."""
    con.execute("CREATE TABLE nodes AS SELECT row_number() OVER () - 1 AS node, source, record_id FROM records")
    records = con.execute("SELECT source, record_id FROM nodes ORDER BY node").to_arrow_table()
    count = records.num_rows
    by_key: list[tuple[str, NDArray[np.int64], NDArray[np.int64]]] = []
    if customers is not None:
        by_key = [(key, *_edges(con, customers, key, settings)) for key in settings.keys]
    labels = _components(count, [(a, b) for _, a, b in by_key])
    first = np.full(count, count, dtype=np.int64)
    np.minimum.at(first, labels, np.arange(count))
    names = np.array(
        [f"{s}:{r}" for s, r in zip(*(records[c].to_pylist() for c in SCHEMA.names[:2]), strict=True)], object
    )
    method = np.full(count, "single", dtype=object)
    for key, a, b in reversed(by_key):
        method[a] = method[b] = f"exact {key}"
    columns = [records["source"], records["record_id"], pa.array(names[first[labels]]), pa.array(method)]
    return pa.table([*columns, pa.array(np.ones(count))], schema=SCHEMA)


def _edges(
    con: duckdb.DuckDBPyConnection, customers: str, key: str, settings: IdentitySettings
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of records that share a value of a key: the first of each group with every other."""
    standard = {"email": email, "phone": lambda c: phone(c, settings.region), "national_id": national_id}[key]
    found = con.execute(
        f"SELECT first_node, node FROM ("
        f"SELECT node, min(node) OVER (PARTITION BY value) AS first_node, "
        f"count(*) OVER (PARTITION BY value) AS records "
        f"FROM (SELECT DISTINCT n.node, {standard('c.' + key)} AS value FROM {customers} c "
        f"JOIN nodes n USING (source, record_id)) WHERE value IS NOT NULL"
        f") WHERE records BETWEEN 2 AND {settings.max_group} AND node > first_node"
    ).fetchnumpy()
    return np.asarray(found["first_node"], dtype=np.int64), np.asarray(found["node"], dtype=np.int64)


def _components(count: int, edges: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]]) -> NDArray[np.int64]:
    """The number of the component that each node is in."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    left = np.concatenate([a for a, _ in edges] or [np.empty(0, dtype=np.int64)])
    right = np.concatenate([b for _, b in edges] or [np.empty(0, dtype=np.int64)])
    graph = coo_array((np.ones(len(left), dtype=np.int8), (left, right)), shape=(count, count))
    labels: NDArray[np.int64] = connected_components(graph, directed=False)[1].astype(np.int64)
    return labels
