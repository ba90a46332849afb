"""Several snapshots at once are, to the bit, what one snapshot after the other is."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custid.features import table
from custid.features.family import Family, Feature
from custid.features.formulas import number
from custid.features.many import many
from custid.features.plan import plan
from custid.features.single import Recompute
from custid.features.table import build, collect, families, wanted
from custid.tables import SPECS, arrow_schema

if TYPE_CHECKING:
    from collections.abc import Sequence

WALL = date(2024, 3, 15)
DAYS = tuple(WALL - timedelta(days=n) for n in (400, 31, 0))
DROP = ("cancellations",)
few = settings(max_examples=3, deadline=None, derandomize=True)


def opened(con: Any, tables: dict[str, pa.Table], drop: Sequence[str] = ()) -> dict[str, ibis.Table]:
    made = {name: con.create_table(name, table) for name, table in tables.items()}
    if "transactions" in made:
        made["transactions"] = wanted(made["transactions"], drop)
    return made


def at_once(con: Any, tables: dict[str, ibis.Table], days: Sequence[date], rows: int, some: Any = None) -> Any:
    made: dict[date, list[pa.Table]] = {day: [] for day in days}
    for day, part in many(con, tables, days, some or families(tables), rows=rows):
        made[day].append(part)
    return {day: pa.concat_tables(parts) for day, parts in made.items()}


@cache
def recompute(tables: tuple[str, ...], drop: tuple[str, ...]) -> Recompute:
    """The loop's answer without its time: one query per day, compiled once."""
    return Recompute(tables, drop)


def agree(made: dict[date, pa.Table], tables: dict[str, pa.Table], drop: tuple[str, ...]) -> None:
    for day, features in made.items():
        expected = recompute(tuple(tables), drop).features(tables, day)
        assert features.schema.equals(expected.schema)
        for name in expected.column_names:
            assert features[name].to_pylist() == expected[name].to_pylist(), (day, name)


@few
@given(seed=st.integers(0, 2**32), rows=st.sampled_from([300, 10**6]))
def test_all_families_over_any_history(seed: int, rows: int, history: Any, canon: Any) -> None:
    tables = {name: canon(name, made) for name, made in history(seed, 16).items()}
    con = ibis.duckdb.connect(threads=2)
    agree(at_once(con, opened(con, tables, DROP), DAYS, rows), tables, DROP)


@pytest.fixture
def awkward(order: Any) -> list[dict[str, Any]]:
    """Orders across a snapshot, returned in part, cancelled, late, at one second, with no category."""
    here = datetime(2024, 2, 12, 10)
    late = {"ingested_at": datetime(2024, 2, 20)}
    rows = [
        *order("2024-02-12 23:59:59", 5.0, order_id="across"),
        *order("2024-02-13 00:00:00", 7.0, order_id="across"),
        *order("2024-03-14 12:00", -12.0, order_id="across"),
        *order("2024-01-02", 3.0, 4.0, order_id="returned in part", product_id="p"),
        *order("2024-02-29", -3.0, order_id="returned in part", product_id="p"),
        *order("2024-01-05", 6.0, product_id="q", category="x", cancelled_at=datetime(2024, 2, 13)),
        *order("2024-02-14", -6.0, product_id="q", cancellation=True),
        *order("2024-01-20", 8.0, 8.0, 8.0, category="y", channel="web", **late),
        *order("2024-01-20", 8.0, category="x", channel="shop", order_id="tie"),
        *[{**order(str(here), 2.0)[0], "order_id": f"same {n}", "product_id": "r"} for n in range(3)],
    ]
    return [{**row, "customer_id": name} for name in ("ann", "bob") for row in rows[: 7 if name == "bob" else None]]


@pytest.mark.parametrize("drop", [(), ("cancellations",)], ids=["all rows", "cancelled ones dropped"])
def test_orders_that_change_from_one_snapshot_to_the_next(awkward: Any, canon: Any, drop: tuple[str, ...]) -> None:
    tables = {"transactions": canon("transactions", awkward)}
    con = ibis.duckdb.connect(threads=2)
    days = [date(2024, 2, 13), date(2024, 2, 14), date(2024, 2, 21), WALL]
    agree(at_once(con, opened(con, tables, drop), days, 10**6), tables, drop)


def test_rows_at_or_after_a_snapshot_do_not_show_at_it(history: Any, canon: Any) -> None:
    rows = history(17, 16)["transactions"]
    fresh = [row for row in history(18, 16)["transactions"] if row["ts"] >= datetime(2024, 2, 13)]
    known = [row for row in rows if row["ts"] < datetime(2024, 2, 13) and row["ingested_at"] is None]
    made = []
    for some in (known, known + fresh):
        con = ibis.duckdb.connect(threads=2)
        tables = opened(con, {"transactions": canon("transactions", some)})
        made.append(at_once(con, tables, [date(2024, 1, 1), date(2024, 2, 13), WALL], 10**6))
    alone, among = made
    assert alone[date(2024, 2, 13)].equals(among[date(2024, 2, 13)])
    assert alone[date(2024, 1, 1)].equals(among[date(2024, 1, 1)])
    assert not alone[WALL].equals(among[WALL])


def test_what_does_not_fold_is_taken_anew_and_as_right(history: Any, canon: Any, monkeypatch: Any) -> None:
    odd = Family(
        name="odd",
        features=(Feature("middle", "median amount of the last 90 days", "money"),),
        measures={"orders": lambda orders, at: {"odd": orders.amount.median(where=at.within(orders.day, 90))}},
        formulas=lambda row, _: {"middle": number(row.odd)},
    )
    con = ibis.duckdb.connect(threads=2)
    tables = opened(con, {"transactions": canon("transactions", history(5, 16)["transactions"])})
    monkeypatch.setattr(table, "families", lambda _: (odd,))
    for day, features in at_once(con, tables, DAYS, 10**6, [odd]).items():
        expected = collect(build(tables, day))
        assert features.to_pylist() == expected.to_pylist()
        assert 0 < features["middle"].null_count < features.num_rows


def test_what_transactions_say_is_computed_once_for_all_snapshots() -> None:
    schema = arrow_schema(SPECS["transactions"]).append(pa.field("customer_id", pa.int64()))
    made = plan({"transactions": ibis.Schema.from_pyarrow(schema)}, DAYS, families(["transactions"]))
    assert not [query for query in made.final if "rows_transactions" in query]
    assert {"folded_lines", "folded_purchases", "folded_products", "folded_days", "kept"} <= set(made.kept)
    assert "unit_price" not in made.columns["transactions"]
