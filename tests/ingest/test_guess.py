"""A first config for a table that nobody has described."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from custid.config import parse
from custid.errors import DataError
from custid.ingest.guess import guess

if TYPE_CHECKING:
    from pathlib import Path

ENGLISH = """Customer ID,Invoice,InvoiceDate,StockCode,Quantity,Price
1,5,2022-01-01 08:00,A,2,1.5
2,6,2023-12-31 09:00,B,1,2
"""
GERMAN = (
    "Kundennummer;Bestellnummer;Bestelldatum;Artikelnummer;Betrag\n7;1;24.12.2022;X;12,50\n8;2;31.12.2023;Y;1.000,00\n"
)
CHINESE = "会员编号,订单号,下单时间,商品编号,实付金额\nv1,1,2022年3月1日,g1,¥12\nv2,2,2023年3月1日,g2,¥3.5\n"


@pytest.mark.parametrize(
    ("text", "encoding", "columns"),
    [
        (
            ENGLISH,
            "utf-8",
            {"record_id": "Customer ID", "order_id": "Invoice", "ts": "InvoiceDate", "quantity": "Quantity"},
        ),
        (GERMAN, "cp1252", {"record_id": "Kundennummer", "ts": "Bestelldatum", "amount": "Betrag"}),
        (CHINESE, "gb18030", {"record_id": "会员编号", "ts": "下单时间", "amount": "实付金额"}),
    ],
    ids=["English", "German", "Chinese"],
)
def test_a_guessed_config_runs(
    tmp_path: Path, take_config: Any, text: str, encoding: str, columns: dict[str, str]
) -> None:
    file = tmp_path / "orders.csv"
    file.write_bytes(text.encode(encoding))
    config = yaml.safe_load(guess(str(file)))
    (source,) = config["sources"]
    assert source["table"] == "transactions"
    assert columns.items() <= source["columns"].items()
    taken = take_config({k: v for k, v in config.items() if k != "workspace"})
    assert taken.table().num_rows == 2


def test_the_horizon_leaves_room_to_learn(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(ENGLISH)
    config = yaml.safe_load(guess(str(tmp_path / "orders.csv")))
    assert config["horizon"] == "180d"


def test_what_was_not_found_is_asked(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("Date,Total\n1/2/2024,5\n3/4/2024,6\n3/4/2024,7\n")
    text = guess(str(tmp_path / "orders.csv"))
    assert "# record_id: ?   # needed, and not found" in text
    assert "# date_format:" in text
    assert "day or the month comes first" in text
    assert parse(text, "guessed").sources[0].columns == {"ts": "Date", "amount": "Total"}


def test_a_database_gives_a_source_per_table(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "shop.db") as con:
        con.execute("CREATE TABLE orders (customer_id, order_date, total)")
        con.execute("INSERT INTO orders VALUES (1, '2024-01-01', 5)")
        con.execute("CREATE TABLE members (member_no, full_name, email, phone)")
        con.execute("INSERT INTO members VALUES (1, 'Ann', 'ann@example.com', '123'), (2, 'Bob', 'b@example.com', '3')")
        con.execute("CREATE TABLE settings (key, value)")
        con.execute("INSERT INTO settings VALUES ('a', 'b')")
    con.close()
    text = guess(str(tmp_path / "shop.db"))
    sources = {s["name"]: s for s in yaml.safe_load(text)["sources"]}
    assert {n: s["table"] for n, s in sources.items()} == {"orders": "transactions", "members": "customers"}
    assert sources["members"]["columns"]["record_id"] == "member_no"
    assert "settings" in text


def test_a_table_of_nothing_known_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    with pytest.raises(DataError, match=r"looks like none of the tables .*It has x, y\."):
        guess(str(tmp_path / "a.csv"))


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        (
            "record_id,ts,amount\nc1,2022-01-01 00:38:22.988231328,5.5\nc2,2023-01-01 07:00:00.000000001,6\n",
            {"record_id": "record_id", "ts": "ts", "amount": "amount"},
        ),
        (
            "Client No.,When Bought,Total Paid $,Outlet\n17,2022-01-05,$5.50,North\n18,2023-01-06,$7,South\n",
            {"record_id": "Client No.", "ts": "When Bought", "amount": "Total Paid $", "channel": "Outlet"},
        ),
        (
            "client,bought on,paid\nann,2022-01-05,5\nbob,2023-01-06,7\n",
            {"record_id": "client", "ts": "bought on", "amount": "paid"},
        ),
        (
            "Kundennr;Kaufdatum;Betrag (EUR);Filiale\n1;24.12.2022;12,50;Ulm\n2;31.12.2023;1.000,00;Bonn\n",
            {"record_id": "Kundennr", "ts": "Kaufdatum", "amount": "Betrag (EUR)", "channel": "Filiale"},
        ),
        (
            "a,b,c\nx1,2022-01-05,5.25\nx2,2022-02-05,7\nx1,2023-01-06,7.75\nx3,2023-02-06,1\n",
            {"record_id": "a", "ts": "b", "amount": "c"},
        ),
    ],
    ids=["pandas' own CSV", "words", "short words", "a unit in brackets", "contents alone"],
)
def test_ordinary_tables_are_guessed(tmp_path: Path, take_config: Any, text: str, columns: dict[str, str]) -> None:
    file = tmp_path / "orders.csv"
    file.write_text(text)
    written = guess(str(file))
    config = yaml.safe_load(written)
    (source,) = config["sources"]
    assert source["table"] == "transactions"
    assert source["columns"] == columns
    assert source.get("decimal") == ("," if "Betrag" in text else None)
    assert take_config({k: v for k, v in config.items() if k != "workspace"}).table().num_rows == text.count("\n") - 1
    assert ("check, it is a guess" in written) == ("record_id," not in text)


def test_a_table_that_is_hardly_known_still_gets_a_config(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("day,mood\n2024-01-01,good\n2024-01-02,bad\n")
    text = guess(str(tmp_path / "a.csv"))
    assert "check: it is not sure that these are transactions" in text
    assert "# amount: ?   # needed, and not found" in text
    assert parse(text, "guessed").sources[0].columns == {"ts": "day"}


def test_no_password_is_written_down(postgres: str) -> None:
    import psycopg

    with psycopg.connect(postgres) as con:
        con.execute("DROP TABLE IF EXISTS orders")
        con.execute("CREATE TABLE orders (customer_id int, order_date date, total numeric)")
        con.execute("INSERT INTO orders VALUES (1, '2024-01-01', 5)")
    text = guess(postgres.replace("postgres@", "postgres:secret-word@"))
    assert "secret-word" not in text
    assert yaml.safe_load(text)["sources"][0]["uri"] == "${DATABASE_URL}"
