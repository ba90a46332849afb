"""Every kind of source gives the same rows."""

from __future__ import annotations

import datetime as dt
import gzip
import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from custid.config import SourceSettings
from custid.errors import DataError
from custid.ingest.read import fingerprint_of, tables_of

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS: list[tuple[int | None, str, dt.datetime, float]] = [
    (12345, "A1", dt.datetime(2024, 1, 5, 8, 30), 6.95),
    (12345, "A1", dt.datetime(2024, 1, 5, 8, 30), 1234.5),
    (77, "A2", dt.datetime(2024, 2, 29, 23, 59, 59), -3.0),
    (None, "A3", dt.datetime(2024, 1, 1), 1.0),
]
NAMES = ["Customer ID", "Order", "When", "Total"]
COLUMNS = {"record_id": "Customer ID", "order_id": "Order", "ts": "When", "amount": "Total"}


def _parquet(folder: Path) -> str:
    columns = [pa.array(c) for c in zip(*ROWS, strict=True)]
    pq.write_table(pa.table(columns, names=NAMES), folder / "orders.parquet")
    return str(folder / "orders.parquet")


def _parquet_doubles(folder: Path) -> str:
    ids = pa.array([None if r[0] is None else float(r[0]) for r in ROWS])
    columns = [ids, *(pa.array(c) for c in list(zip(*ROWS, strict=True))[1:])]
    pq.write_table(pa.table(columns, names=NAMES), folder / "orders.pq")
    return str(folder / "orders.pq")


def _folder(folder: Path) -> str:
    (folder / "orders/part=1").mkdir(parents=True)
    table = pq.read_table(_parquet(folder))
    pq.write_table(table.slice(0, 3), folder / "orders/part=1/a.parquet")
    pq.write_table(table.slice(3), folder / "orders/part=1/b.parquet")
    return str(folder / "orders")


def _excel(folder: Path) -> str:
    book = openpyxl.Workbook()
    book.active.append([])
    book.active.append(NAMES)
    for row in ROWS:
        book.active.append(row)
    book.save(folder / "orders.xlsx")
    return str(folder / "orders.xlsx")


def _sqlite(folder: Path) -> str:
    with sqlite3.connect(folder / "orders.sqlite") as con:
        con.execute('CREATE TABLE orders ("Customer ID" INTEGER, "Order" TEXT, "When" TEXT, "Total" REAL)')
        con.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", [(a, b, str(c), d) for a, b, c, d in ROWS])
    con.close()
    return str(folder / "orders.sqlite")


def _duckdb(folder: Path) -> str:
    with duckdb.connect(str(folder / "orders.duckdb")) as con:
        con.execute('CREATE TABLE orders ("Customer ID" BIGINT, "Order" TEXT, "When" TIMESTAMP, "Total" DECIMAL(9, 2))')
        con.executemany("INSERT INTO orders VALUES (?, ?, ?, ?)", [(a, b, c, Decimal(str(d))) for a, b, c, d in ROWS])
    return str(folder / "orders.duckdb")


def _text(folder: Path, name: str, separator: str, encoding: str = "utf-8", end: str = "\n") -> str:
    lines = [separator.join(NAMES)]
    lines += [separator.join(["" if v is None else str(v) for v in row]) for row in ROWS]
    (folder / name).write_bytes((end.join(lines) + end).encode(encoding))
    return str(folder / name)


def _packed(folder: Path) -> str:
    plain = Path(_text(folder, "orders.csv", ","))
    with gzip.open(folder / "orders.csv.gz", "wb") as out:
        out.write(plain.read_bytes())
    return str(folder / "orders.csv.gz")


SOURCES: dict[str, Callable[[Path], str]] = {
    "parquet": _parquet,
    "parquet with ids as doubles": _parquet_doubles,
    "folder": _folder,
    "excel": _excel,
    "sqlite": _sqlite,
    "duckdb": _duckdb,
    "semicolons": lambda f: _text(f, "orders.csv", ";"),
    "tabs": lambda f: _text(f, "orders.tsv", "\t"),
    "pipes, CRLF": lambda f: _text(f, "orders.txt", "|", end="\r\n"),
    "utf-16": lambda f: _text(f, "orders.csv", ",", encoding="utf-16"),
    "gzip": _packed,
}


def _check(taken: Any) -> None:
    assert taken.column("record_id") == ["12345", "12345", "77"]
    assert taken.column("order_id") == ["A1", "A1", "A2"]
    assert taken.column("ts") == [row[2] for row in ROWS[:3]]
    assert taken.column("amount") == [69_500, 12_345_000, -30_000]
    (refused,) = taken.refused()
    assert refused["reasons"] == ["record_id_missing"]
    assert refused["Order"] == "A3"
    assert taken.quality["rows"] == 4


@pytest.mark.parametrize("kind", SOURCES)
def test_every_kind_gives_the_same_rows(take: Any, tmp_path: Path, kind: str) -> None:
    _check(take(Path(SOURCES[kind](tmp_path)), columns=COLUMNS))


@pytest.mark.parametrize("query", ["orders", 'SELECT * FROM orders ORDER BY "Order", "Total"', None])
def test_postgresql_gives_the_same_rows(take: Any, postgres: str, query: str | None) -> None:
    import psycopg

    with psycopg.connect(postgres) as con:
        con.execute("DROP TABLE IF EXISTS orders")
        con.execute('CREATE TABLE orders ("Customer ID" bigint, "Order" text, "When" timestamp, "Total" numeric)')
        with con.cursor() as cursor:
            cursor.executemany("INSERT INTO orders VALUES (%s, %s, %s, %s)", ROWS)
    taken = take(postgres, columns=COLUMNS, **({"query": query} if query else {}))
    _check(taken)
    assert taken.quality["uri"].startswith("postgresql://***@/postgres")


def test_postgresql_keeps_zones_and_quotes_and_has_a_fingerprint(take: Any, postgres: str) -> None:
    import psycopg

    with psycopg.connect(postgres, autocommit=True) as con:
        con.execute("DROP TABLE IF EXISTS orders")
        con.execute("CREATE TABLE orders (customer_id text, ts timestamptz, amount numeric, category text)")
        row = ("a,b", "2024-01-05 08:00+08", "5.00005", 'two\nlines, "quoted"')
        con.execute("INSERT INTO orders VALUES (%s, %s, %s, %s), ('', '2024-01-05', '1', NULL)", row)
        taken = take(postgres, query="orders")
        assert taken.column("record_id") == ["a,b"]
        assert taken.column("ts") == [dt.datetime(2024, 1, 5)]
        assert taken.column("amount") == [50_000]
        assert taken.column("category") == ['two\nlines, "quoted"']
        assert tables_of(postgres) == ["orders"]
        source = SourceSettings(name="shop", table="transactions", uri=postgres, query="orders")
        before = fingerprint_of(source)
        assert fingerprint_of(source) == before
        con.execute("UPDATE orders SET amount = 2 WHERE category IS NULL")
        assert fingerprint_of(source) != before


def test_a_password_is_in_no_message(take: Any, postgres: str) -> None:
    folder = postgres.split("host=")[1]
    with pytest.raises(DataError) as caught:
        take(f"postgresql://nobody:secret-word@/postgres?host={folder}")
    assert "PostgreSQL says" in str(caught.value)
    assert "secret-word" not in str(caught.value)


def test_blanks_between_cells(take: Any) -> None:
    text = " customer_id  ts number_of_cds amount\r\n 00001 19970101  1   11.77\r\n 00002 19970112  5   77.00\r\n"
    for delimiter in (None, " ", "whitespace"):
        taken = take(text.encode(), delimiter=delimiter)
        assert taken.column("record_id") == ["00001", "00002"]
        assert taken.column("ts") == [dt.datetime(1997, 1, 1), dt.datetime(1997, 1, 12)]
        assert taken.column("amount") == [117_700, 770_000]
        assert taken.column("order_id") == ["shop-2", "shop-3"]


def test_all_sheets_one_after_the_other(take: Any, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for sheet, customer in ((book.active, 1), (book.create_sheet("Second"), 2)):
        sheet.append(["customer_id", "ts", "amount"])
        sheet.append([customer, dt.datetime(2024, 1, customer), 1.5])
    book.save(tmp_path / "orders.xlsx")
    assert take(tmp_path / "orders.xlsx").column("record_id") == ["1"]
    assert take(tmp_path / "orders.xlsx", sheet="Second").column("record_id") == ["2"]
    taken = take(tmp_path / "orders.xlsx", sheet="*")
    assert taken.column("record_id") == ["1", "2"]
    assert len(set(taken.column("order_id"))) == 2


def test_a_file_with_a_new_byte_has_a_new_fingerprint(tmp_path: Path) -> None:
    source = SourceSettings(name="shop", table="transactions", uri=_text(tmp_path, "orders.csv", ","))
    before = fingerprint_of(source)
    assert fingerprint_of(source) == before
    with Path(source.uri).open("a") as handle:
        handle.write("1,A9,2024-01-01,5\n")
    assert fingerprint_of(source) != before


def test_one_file_may_fill_two_tables(take_config: Any, tmp_path: Path) -> None:
    uri = _text(tmp_path, "orders.csv", ",")
    both = [
        {"name": "shop", "table": "transactions", "uri": uri, "columns": COLUMNS},
        {"name": "shop", "table": "customers", "uri": uri, "columns": {"record_id": "Customer ID"}},
    ]
    taken = take_config({"sources": both})
    assert set(taken.account["sources"]) == {"shop.transactions", "shop.customers"}
    assert taken.column("Total", "customers") == [6.95, 1234.5, -3.0]
    assert len(taken.refused("shop.customers")) == 1


def test_public_cdnow(take_config: Any, root: Path, public_data: Path) -> None:
    from custid.config import load

    config = load(root / "configs/cdnow.yaml", [f"sources.cdnow.uri={public_data / 'cdnow/CDNOW_master.txt'}"])
    taken = take_config(config.model_dump(mode="json", exclude_defaults=True, exclude={"workspace"}))
    assert taken.account["sources"]["cdnow"]["rows"] == 69_659
    assert taken.account["sources"]["cdnow"]["flagged"]["duplicate"] == 255
    assert len({r for r, a in zip(taken.column("record_id"), taken.column("amount"), strict=True) if a > 0}) == 23_500
