"""Tables of transactions that say nothing of money."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from custid.config import load
from custid.errors import DataError
from custid.ingest.stage import ingest
from custid.tables import SCALE
from custid.workspace import Workspace, read_json


def ingested(folder, header, rows, *sets):
    text = "\n".join([header, *rows])
    (folder / "orders.csv").write_text(text + "\n")
    source = f"[{{name: shop, table: transactions, uri: {folder / 'orders.csv'}}}]"
    (folder / "c.yaml").write_text(f"workspace: {folder / 'ws'}\nas_of: 2024-03-01\nsources: {source}\n")
    config = load(folder / "c.yaml", sets)
    ws = Workspace(config.workspace).create()
    ingest(config, ws)
    amounts = pq.read_table(ws.table("transactions"))["amount"].to_pylist()
    return [amount / SCALE for amount in amounts], read_json(ws.quality)["sources"]["shop"]


ROWS = ["a,2024-01-02", "b,2024-01-03", "a,2024-02-05"]


def test_a_table_without_money_counts_its_rows_and_says_so(tmp_path):
    amounts, quality = ingested(tmp_path, "customer_id,ts", ROWS)
    assert amounts == [1, 1, 1]
    assert any("no amounts" in note for note in quality["notes"])


def test_pieces_are_counted_where_they_are_there(tmp_path):
    rows = [f"{row},{pieces}" for row, pieces in zip(ROWS, ("3", "", "-2"), strict=True)]
    assert ingested(tmp_path, "customer_id,ts,quantity", rows)[0] == [3, 1, -2]


def test_an_empty_amount_is_none_and_later_rows_have_no_say_in_it(tmp_path):
    rows = [f"{row}," for row in ROWS]
    assert ingested(tmp_path, "customer_id,ts,amount", rows)[0] == [1, 1, 1]
    later = [*rows, "a,2024-03-09,12.50"]
    assert ingested(tmp_path, "customer_id,ts,amount", later)[0] == [1, 1, 1]


def test_some_missing_amounts_are_refused_as_ever(tmp_path):
    amounts, quality = ingested(tmp_path, "customer_id,ts,amount", [f"{ROWS[0]},5", f"{ROWS[1]},", f"{ROWS[2]},7"])
    assert amounts == [5, 7]
    assert quality["quarantined"] == 1


def test_a_column_that_may_be_the_money_is_asked_for_before_rows_are_counted(tmp_path):
    rows = [f"{row},9.5" for row in ROWS]
    with pytest.raises(DataError, match=r"no column for amount.*amounts: counted.*Map yours in sources\.shop\.columns"):
        ingested(tmp_path, "customer_id,ts,paid", rows)
    assert ingested(tmp_path, "customer_id,ts,paid", rows, "sources.shop.amounts=counted")[0] == [1, 1, 1]


def test_pieces_are_not_added_to_money(tmp_path):
    (tmp_path / "till.csv").write_text("customer_id,ts,amount\na,2024-01-02,9.50\n")
    (tmp_path / "app.csv").write_text("customer_id,ts\na,2024-01-03\n")
    sources = ", ".join(f"{{name: {n}, table: transactions, uri: {tmp_path / n}.csv}}" for n in ("till", "app"))
    (tmp_path / "c.yaml").write_text(f"workspace: {tmp_path / 'ws'}\nas_of: 2024-03-01\nsources: [{sources}]\n")
    config = load(tmp_path / "c.yaml")
    with pytest.raises(DataError, match=r"app .*nothing of money.*till"):
        ingest(config, Workspace(config.workspace).create())
