"""What cells mean: dates, zones, numbers, ids, flags, currencies, the wall."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from custid.tables import SPECS, arrow_schema

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (
            ["2024-01-05", "2024-01-05 08:30", "2024-01-05T08:30:15.250Z"],
            ["2024-01-05", "2024-01-05 08:30", "2024-01-05 08:30:15.25"],
        ),
        (["2024-01-05T08:30:00+08:00", "2024-01-05T08:30:00-0130"], ["2024-01-05 00:30", "2024-01-05 10:00"]),
        (["13/02/2024", "1/3/2024"], ["2024-02-13", "2024-03-01"]),
        (["02/13/2024 8:05 PM", "3/1/2024 12:00 AM"], ["2024-02-13 20:05", "2024-03-01"]),
        (["1.2.2024", "03.04.2024"], ["2024-02-01", "2024-04-03"]),
        (["13-Feb-24", "1-Mar-24"], ["2024-02-13", "2024-03-01"]),
        (["13 February 2024", "1 Mar 2024"], ["2024-02-13", "2024-03-01"]),
        (["20240105", "20240213"], ["2024-01-05", "2024-02-13"]),
        (["2024年1月5日", "2024年2月13日 09:30"], ["2024-01-05", "2024-02-13 09:30"]),
        (["2024/1/5 9:05:03", "2024/02/13"], ["2024-01-05 09:05:03", "2024-02-13"]),
        (
            ["2024/1/5", "2024-02-13 08:30", "20240301", "2024.3.2"],
            ["2024-01-05", "2024-02-13 08:30", "2024-03-01", "2024-03-02"],
        ),
    ],
)
def test_dates_are_found_out(take: Any, cells: list[str], expected: list[str]) -> None:
    text = "customer_id;ts;amount\n" + "".join(f"1;{cell};5\n" for cell in cells)
    assert take(text).column("ts") == [datetime.fromisoformat(e) for e in expected]


def test_several_formats_are_read_where_the_config_lists_them(take: Any) -> None:
    text = "customer_id,ts,amount\n1,2024-01-05,5\n2,06.01.2024,5\n3,2024-01-07T00:00:00+01:00,5\n"
    formats = ["%Y-%m-%d", "%d.%m.%Y", "%Y-%m-%dT%H:%M:%S%z"]
    taken = take(text, date_format=formats, timezone="Asia/Shanghai")
    days = [datetime(2024, 1, 4, 16), datetime(2024, 1, 5, 16), datetime(2024, 1, 6, 23)]
    assert taken.column("ts") == days


def test_times_without_a_zone_are_local(take: Any, tmp_path: Path) -> None:
    text = "customer_id,ts,amount\n1,2024-07-01 08:00,5\n1,2024-01-01 08:00,5\n"
    assert take(text, timezone="Europe/London").column("ts") == [datetime(2024, 7, 1, 7), datetime(2024, 1, 1, 8)]
    naive = pa.array([datetime(2024, 7, 1, 8)], pa.timestamp("ns"))
    table = pa.table({"customer_id": [1], "ts": naive, "amount": [1.0]})
    pq.write_table(table, tmp_path / "a.parquet")
    assert take(tmp_path / "a.parquet", timezone="Europe/London").column("ts") == [datetime(2024, 7, 1, 7)]
    zoned = pa.array([datetime(2024, 7, 1, 8)], pa.timestamp("ms", "Asia/Shanghai"))
    pq.write_table(table.set_column(1, "ts", zoned), tmp_path / "b.parquet")
    assert take(tmp_path / "b.parquet", timezone="Europe/London").column("ts") == [datetime(2024, 7, 1, 8)]


@pytest.mark.parametrize(
    ("cell", "amount", "decimal"),
    [
        ("6.95", 69_500, "."),
        ("1,234.50", 12_345_000, "."),
        ("1 234", 12_340_000, "."),
        ("(12.50)", -125_000, "."),
        ("12.50-", -125_000, "."),
        ("−3", -30_000, "."),
        ("$5", 50_000, "."),
        ("EUR 5.00", 50_000, "."),
        ("12元", 120_000, "."),
        ("１２．５", 125_000, "."),
        ("1e2", 1_000_000, "."),
        ("0.00005", 0, "."),
        ("0.00015", 2, "."),
        ("1.234,50", 12_345_000, ","),
        ("12,5", 125_000, ","),
        ("€ 1'234", 12_340_000, ","),
    ],
)
def test_amounts(take: Any, cell: str, amount: int, decimal: str) -> None:
    taken = take(f'customer_id;ts;amount\n1;2024-01-01;"{cell}"\n', decimal=decimal)
    assert taken.column("amount") == [amount]


@pytest.mark.parametrize("cell", ["abc", "12 34", "1,23", "0x10", "1_000", "--5", "5..", "5 5 5"])
def test_what_is_no_amount(take: Any, cell: str) -> None:
    rows = "".join(f"1;2024-01-01;{i}\n" for i in range(20))
    taken = take(f'customer_id;ts;amount\n{rows}1;2024-01-01;"{cell}"\n')
    assert [row["reasons"] for row in taken.refused()] == [["amount_unreadable"]]


def test_an_amount_is_made_where_none_is_given(take: Any) -> None:
    rows = "1,2024-01-01,,3,0.33335\n1,2024-01-01,9,3,0.33335\n1,2024-01-01,,3,\n"
    text = "customer_id,ts,amount,quantity,unit_price\n" + rows
    taken = take(text)
    assert taken.column("amount") == [10_000, 90_000]
    assert [row["reasons"] for row in taken.refused()] == [["amount_missing"]]
    assert taken.quality["fields"]["amount"] == {"filled": 1, "valid": 1}
    assert taken.quality["fields"]["unit_price"] == {"filled": 2, "valid": 2}


def test_ids_that_went_through_doubles_are_one_customer(take: Any) -> None:
    taken = take("customer_id,ts,amount\n12345.0,2024-01-01,5\n12345,2024-01-01,5\n 012 ,2024-01-01,5\n")
    assert taken.column("record_id") == ["12345", "12345", "012"]


def test_flags(take: Any) -> None:
    text = """customer_id,order_id,ts,product_id,quantity,unit_price
1,100,2024-01-01,A,2,5
1,101,2024-01-02,A,2,5
1,C102,2024-01-03,A,-2,5
1,101,2024-01-02,A,2,5
1,103,2024-01-04,post,1,5
2,C104,2024-01-05,A,-2,5
1,C105,2024-01-20,A,-2,5
"""
    taken = take(text, {"as_of": "2024-01-10"})
    assert taken.column("duplicate") == [False, False, False, True, False, False]
    assert taken.column("cancellation") == [False, False, True, False, False, True]
    assert taken.column("non_product") == [False, False, False, False, True, False]
    # The latest line is taken back, the repetition of the second one; what takes back another is not yet known.
    assert taken.column("cancelled_at") == [None, None, None, datetime(2024, 1, 3), None, None]
    assert taken.quality["flagged"] == {"duplicate": 1, "cancellation": 3, "cancelled": 2, "non_product": 1}
    dropped = take(text, {"as_of": "2024-01-10", "quality": {"drop": ["duplicates"]}})
    assert dropped.column("cancelled_at") == [None, datetime(2024, 1, 3), None, None, None, None]


def test_a_prefix_that_most_orders_have_marks_nothing(take: Any) -> None:
    taken = take("customer_id,order_id,ts,amount\n1,C1,2024-01-01,5\n1,C2,2024-01-01,5\n1,C3,2024-01-01,-5\n")
    assert taken.column("cancellation") == [False, False, True]
    assert any("quality.cancellation_prefix" in note for note in taken.quality["notes"])


def test_currencies_are_converted_exactly(take: Any) -> None:
    text = "customer_id,ts,amount,currency\n1,2024-01-01,10,eur\n1,2024-01-01,10,USD\n1,2024-01-01,10,\n"
    taken = take(text, {"currency": {"code": "EUR", "rates": {"USD": 0.91235}}})
    assert taken.column("amount") == [100_000, 91_235, 100_000]
    assert taken.column("currency") == ["EUR", "EUR", "EUR"]
    assert any("converted to EUR" in note for note in taken.quality["notes"])


def test_the_columns_are_the_canonical_ones(take: Any) -> None:
    taken = take("customer_id,ts,amount,more\n1,2024-01-01,5,x\n")
    assert taken.table().schema.equals(arrow_schema(SPECS["transactions"]))
    assert taken.later().schema.equals(arrow_schema(SPECS["transactions"]))
    assert taken.as_of == date(2024, 1, 2)


def test_rows_that_arrive_late_are_not_known_early(take: Any) -> None:
    text = (
        "customer_id,ts,amount,ingested_at\n1,2024-01-01,5,2024-01-01\n1,2024-01-02,6,2024-02-01\n1,2024-01-02,6,soon\n"
    )
    taken = take(text, {"as_of": "2024-01-10"})
    assert taken.column("amount") == [50_000]
    assert taken.later()["amount"].to_pylist() == [60_000]
    assert taken.quality["reasons"] == {"ingested_at_unreadable": 1}


def test_an_end_that_lies_ahead_is_not_known(take: Any) -> None:
    text = """record_id,started_at,ended_at,plan,seats
1,2024-01-01,2024-01-05,basic,1
2,2024-01-01,2024-06-01,basic,2
3,2024-02-01,,basic,3
4,2024-03-01,2024-01-01,basic,4
"""
    taken = take(text, {"as_of": "2024-01-10"}, table="subscriptions")
    assert taken.column("ended_at", "subscriptions") == [datetime(2024, 1, 5), None]
    assert taken.column("seats", "subscriptions") == [1.0, 2.0]
    assert taken.later("subscriptions")["record_id"].to_pylist() == ["2", "3"]
    assert taken.quality["reasons"] == {"ended_before_started": 1}
    assert taken.quality["later"] == 1


def test_further_attributes_are_kept_as_numbers_or_text(take: Any) -> None:
    text = 'id,age,code,Source,Name\n1,30,007,web,"Li, Lei"\n2,,010,app,\n'
    taken = take(text, {"as_of": "2024-01-01"}, table="customers", columns={"record_id": "id"})
    assert taken.column("age", "customers") == [30.0, None]
    assert taken.column("code", "customers") == ["007", "010"]
    assert taken.column("Source_", "customers") == ["web", "app"]
    assert taken.column("Name_", "customers") == ["Li, Lei", None]
    assert taken.column("source", "customers") == ["shop", "shop"]


def test_observations_without_ids_are_numbered(take: Any) -> None:
    taken = take("label,tenure\nyes,1\nno,2\n是,x\n", {"as_of": "2024-01-01"}, table="observations")
    assert taken.column("record_id", "observations") == ["2", "3", "4"]
    assert taken.column("label", "observations") == [True, False, True]
    assert taken.column("tenure", "observations") == ["1", "2", "x"]


def test_scores_lie_between_0_and_1(take: Any) -> None:
    text = "record_id,ts,kind,score\n1,2024-01-01,nps,0.9\n1,2024-01-01,nps,9\n1,2024-01-01,,1\n"
    taken = take(text, table="feedback")
    assert taken.column("score", "feedback") == [0.9]
    assert taken.quality["reasons"] == {"kind_missing": 1, "score_out_of_range": 1}


def test_a_table_that_is_gone_is_removed(take_config: Any, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("record_id,ts,kind,amount\n1,2024-01-01,visit,5\n,2024-01-01,visit,5\n")
    events = {"name": "web", "table": "events", "uri": str(tmp_path / "a.csv")}
    orders = {"name": "shop", "table": "transactions", "uri": str(tmp_path / "a.csv")}
    assert take_config({"sources": [events, orders]}).ws.tables() == ["events", "transactions"]
    taken = take_config({"sources": [orders]})
    assert taken.ws.tables() == ["transactions"]
    assert sorted(p.name for p in taken.ws.quarantine.iterdir()) == ["shop.parquet"]


def test_public_online_retail(take_config: Any, root: Path, public_data: Path) -> None:
    from custid.config import load

    uri = public_data / "online_retail/online_retail_2009_2011.parquet"
    config = load(root / "configs/online_retail.yaml", [f"sources.shop.uri={uri}"])
    taken = take_config(config.model_dump(mode="json", exclude_defaults=True, exclude={"workspace"}))
    quality = taken.quality
    assert quality["rows"] == 1_044_847 == quality["accepted"] + quality["quarantined"]
    assert quality["reasons"] == {"record_id_missing": quality["quarantined"]}
    assert taken.table().num_rows + taken.later().num_rows == quality["accepted"]
