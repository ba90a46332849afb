"""Features in files: sorted, whole or not at all, and the same bytes whatever computed them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from custid.errors import DataError
from custid.features import many
from custid.features.table import build, collect
from custid.features.write import write

if TYPE_CHECKING:
    from pathlib import Path

DAYS = (date(2022, 6, 1), date(2023, 1, 1))


def shop(canon: Any, rows: int = 40_000) -> pa.Table:
    rng = np.random.default_rng(3)
    order = rng.integers(0, rows // 3, rows)
    columns = {
        "customer_id": (order % 997).astype(str),
        "order_id": order.astype(str),
        "ts": np.datetime64("2022-01-01", "us") + (order % 500).astype("timedelta64[D]"),
        "amount": rng.integers(-(10**9), 10**10, rows),
        "product_id": rng.integers(0, 50, rows).astype(str),
    }
    schema = canon("transactions", []).schema
    arrays = [pa.array(columns[f.name], f.type) if f.name in columns else pa.nulls(rows, f.type) for f in schema]
    return pa.table(arrays, schema=schema).drop(["cancelled_at"])


def written(table: pa.Table, threads: int, folder: Path) -> list[bytes]:
    con = ibis.duckdb.connect(threads=threads)
    paths = {day: folder / str(day) / "features.parquet" for day in DAYS}
    write(con, {"transactions": con.create_table("transactions", table)}, paths)
    return [path.read_bytes() for path in paths.values()]


def test_the_same_bytes_for_any_threads_and_order_of_rows(canon: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(many, "ROWS", 9_000)
    rows = shop(canon)
    first = written(rows, 1, tmp_path)
    assert written(rows.take(np.arange(len(rows))[::-1]), 3, tmp_path) == first
    con = ibis.duckdb.connect(threads=2)
    tables = {"transactions": con.create_table("transactions", rows)}
    for day in DAYS:
        assert pq.read_table(tmp_path / str(day) / "features.parquet").equals(collect(build(tables, day)))


def test_a_day_before_all_purchases_has_a_file_without_rows_or_is_refused(
    canon: Any, order: Any, tmp_path: Path
) -> None:
    con = ibis.duckdb.connect(threads=2)
    rows = canon("transactions", [{**order("2024-01-01", 5.0)[0], "customer_id": "ann"}]).drop(["cancelled_at"])
    tables = {"transactions": con.create_table("transactions", rows)}
    paths = {day: tmp_path / f"{day}.parquet" for day in (date(2023, 1, 1), date(2024, 1, 2))}
    with pytest.raises(DataError, match="before 2023-01-01"):
        write(con, tables, paths, empty=False)
    assert not list(tmp_path.iterdir())
    write(con, tables, paths)
    assert [pq.read_table(path).num_rows for path in paths.values()] == [0, 1]
    nobody = {"transactions": con.create_table("none", rows.slice(0, 0))}
    write(con, nobody, paths)
    assert [pq.read_table(path).num_rows for path in paths.values()] == [0, 0]
