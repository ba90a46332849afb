"""Snapshots that are built together, with the customers as they were known on each day."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq

from custid.config import parse
from custid.features.table import build, collect, connect, open_tables
from custid.identity.stage import as_known, resolve
from custid.tables import SPECS, arrow_schema
from custid.training.built import Built
from custid.workspace import Workspace, silent, write_parquet

DAYS = (date(2024, 3, 1), date(2024, 4, 1), date(2024, 6, 1))
CONFIG = """
sources:
  - {name: crm, table: customers, uri: crm.csv}
  - {name: web, table: transactions, uri: web.csv}
"""


def put(ws, name, rows):
    write_parquet(ws.table(name), pa.Table.from_pylist(rows, schema=arrow_schema(SPECS[name])))


def test_each_day_has_the_customers_that_were_known_on_it(tmp_path):
    ws, config = Workspace(tmp_path).create(), parse(CONFIG, "custid.yaml", env={})
    early, late = datetime(2024, 1, 1), datetime(2024, 5, 1)
    put(
        ws,
        "customers",
        [
            {"source": "crm", "record_id": "1", "email": "a@x.org", "registered_at": early},
            {"source": "web", "record_id": "2", "email": "b@x.org", "registered_at": early},
            {"source": "web", "record_id": "2", "email": "a@x.org", "registered_at": early, "valid_from": late},
        ],
    )
    put(
        ws,
        "transactions",
        [
            {
                "source": source,
                "record_id": name,
                "ts": early + timedelta(days=9 * n),
                "amount": 10_000,
                "order_id": f"{n}",
            }
            for source, name in (("crm", "1"), ("web", "2"), ("web", "3"))
            for n in range(12)
        ],
    )
    resolve(config, ws)
    built = Built(config, ws, silent)
    built.build(DAYS)
    assert built.tables(DAYS[0]) is built.tables(DAYS[1])
    con = connect(config)
    for day in DAYS:
        expected = collect(build(open_tables(con, config, ws, as_known(config, ws, day)), day))
        assert pq.read_table(ws.snapshot(day)).equals(expected)
    assert [built.read(day)[0].num_rows for day in DAYS] == [3, 3, 2]
