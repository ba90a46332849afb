"""From a workspace to features: opening the tables, who gets a row, what the settings leave out."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from custid.config import Config, parse
from custid.errors import DataError
from custid.features.stage import make
from custid.features.table import USED, build, catalogue, collect, connect, fingerprint, open_tables
from custid.workspace import Workspace, write_parquet

if TYPE_CHECKING:
    from pathlib import Path

DAY = date(2024, 3, 15)


def config(**settings: Any) -> Config:
    drop = ", ".join(settings.get("drop", ()))
    sources = "sources: [{name: shop, table: transactions, uri: shop.csv}]"
    return parse(f"{sources}\nthreads: 2\nquality: {{drop: [{drop}]}}", "custid.yaml")


@pytest.fixture
def filled(tmp_path: Path, canon: Any, history: Any) -> Workspace:
    """A workspace with every table, where customer ids differ from the sources' own."""
    ws = Workspace(tmp_path / "ws").create()
    ids = set()
    for name, rows in history(3).items():
        named = [{**row, "record_id": row["customer_id"]} for row in rows]
        ids |= {row["record_id"] for row in named}
        write_parquet(ws.table(name), canon(name, named).drop(["customer_id"]))
    names = sorted(ids)
    columns = {"source": ["shop"] * len(names), "record_id": names, "customer_id": [f"shop:{name}" for name in names]}
    write_parquet(ws.identity, pa.table(columns))
    return ws


def test_a_workspace_gives_what_its_rows_give(filled: Workspace, history: Any, canon: Any, batch: Any) -> None:
    con = connect(config())
    made = collect(build(open_tables(con, config(), filled), DAY))
    direct = batch({name: canon(name, rows) for name, rows in history(3).items()}, DAY)
    assert made["customer_id"].to_pylist() == [f"shop:{name}" for name in direct["customer_id"].to_pylist()]
    assert made.drop(["customer_id"]).equals(direct.drop(["customer_id"]))


def test_columns_are_those_of_the_catalogue(filled: Workspace) -> None:
    tables = open_tables(connect(config()), config(), filled)
    made = collect(build(tables, DAY))
    assert set(tables) == set(USED)
    assert made.column_names == ["customer_id", "as_of", *(feature.name for feature in catalogue(tables))]
    assert made["as_of"].unique().to_pylist() == [DAY]
    assert made["customer_id"].to_pylist() == sorted(made["customer_id"].to_pylist())


def test_one_query_gives_the_same_as_staged_tables(history: Any, canon: Any, batch: Any) -> None:
    tables = {name: canon(name, rows) for name, rows in history(8).items()}
    assert batch(tables, DAY, staged=False).equals(batch(tables, DAY, staged=True))


def test_who_gets_a_row(canon: Any, batch: Any, order: Any) -> None:
    def named(name: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**row, "customer_id": name} for row in rows]

    orders = [
        *named("buyer", order("2024-01-01", 5.0)),
        *named("returner", order("2024-01-01", -5.0)),
        *named("even", order("2024-01-01", 5.0, -5.0)),
        *named("later", order("2024-03-15", 5.0)),
    ]
    start, over = datetime(2024, 1, 1), datetime(2024, 2, 1)
    subscriptions = [
        {"customer_id": "open", "started_at": start, "ended_at": None},
        {"customer_id": "still open", "started_at": start, "ended_at": datetime(2024, 3, 15)},
        {"customer_id": "closed", "started_at": start, "ended_at": over},
    ]
    tables = {"transactions": canon("transactions", orders), "subscriptions": canon("subscriptions", subscriptions)}
    assert batch(tables, DAY, only=["rfm"])["customer_id"].to_pylist() == ["buyer", "open", "still open"]
    alone = batch({"transactions": tables["transactions"]}, DAY, only=["rfm"])
    assert alone["customer_id"].to_pylist() == ["buyer"]


def test_flagged_rows_stay_unless_the_config_drops_them(canon: Any, batch: Any, order: Any) -> None:
    rows = [
        *order("2024-01-01", 1.0),
        *order("2024-01-02", 2.0, duplicate=True),
        *order("2024-01-03", 4.0, non_product=True),
        *order("2024-01-04", 8.0, cancelled_at=datetime(2024, 3, 1)),
        *order("2024-01-05", 16.0, cancelled_at=datetime(2024, 3, 15)),
        *order("2024-03-01", -8.0, cancellation=True),
    ]
    table = canon("transactions", [{**row, "customer_id": "ann"} for row in rows])

    def spend(*drop: str, at: date = DAY) -> float:
        value: float = batch({"transactions": table}, at, drop=drop, only=["rfm"])["spend_total"][0].as_py()
        return value

    assert spend() == 23
    assert spend("duplicates") == 21
    assert spend("non_products") == 19
    assert spend("cancellations") == 23
    assert spend("cancellations", at=date(2024, 2, 1)) == 31


def test_same_order_ids_of_two_sources_are_two_orders(canon: Any, batch: Any, order: Any) -> None:
    rows = [
        {**order("2024-01-01", 5.0, order_id="1")[0], "customer_id": "ann", "source": "shop"},
        {**order("2024-02-01", 7.0, order_id="1")[0], "customer_id": "ann", "source": "web"},
    ]
    made = batch({"transactions": canon("transactions", rows)}, DAY, only=["rfm"])
    assert (made["purchases"][0].as_py(), made["spend_max"][0].as_py()) == (2, 7)


def test_a_workspace_without_transactions_or_subscriptions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no table of transactions, subscriptions or observations"):
        open_tables(connect(config()), config(), Workspace(tmp_path))


def test_the_fingerprint_follows_the_tables() -> None:
    assert fingerprint(["transactions"]) == fingerprint(["transactions"])
    assert fingerprint(["transactions"]) != fingerprint(["transactions", "events"])


def test_the_stage_writes_the_rows_that_are_scored(filled: Workspace) -> None:
    import pyarrow.parquet as pq

    said: list[str] = []
    make(config(), filled, DAY, said.append)
    written = pq.read_table(filled.features)
    tables = open_tables(connect(config()), config(), filled)
    assert written.equals(collect(build(tables, DAY)))
    assert "features at 2024-03-15" in said


def test_the_stage_refuses_a_day_before_all_purchases(filled: Workspace) -> None:
    with pytest.raises(DataError, match="before 2001-01-01"):
        make(config(), filled, date(2001, 1, 1))
    assert not filled.features.exists()
