"""Broken input gets a sentence, or is quarantined with a reason and a run that says what it did without."""

from __future__ import annotations

import random
import sqlite3
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from custid.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HEADER = "customer_id,order_id,ts,amount\n"
GOOD = "".join(f"{100 + i % 7},{i},2024-01-{1 + i % 28:02d},{i % 9 + 1}.50\n" for i in range(40))


@dataclass(frozen=True)
class Broken:
    """A broken input and the words of the sentence that it gets."""

    name: str
    content: str | bytes | Callable[[Path], Path | str]
    says: tuple[str, ...]
    source: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Refused:
    """An input of which some rows are refused: the reasons, with the lines that they are on."""

    name: str
    content: str | bytes
    reasons: dict[str, list[int]]
    source: dict[str, Any] = field(default_factory=dict)


def _empty_folder(folder: Path) -> Path:
    (folder / "parts").mkdir()
    return folder / "parts"


def _file(name: str, content: bytes) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return write


def _workbook(name: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        book = openpyxl.Workbook()
        book.active.title = "Orders"
        book.active.append(["customer_id", "ts", "amount"])
        book.active.append([1, "2024-01-01", 5])
        book.save(folder / name)
        return folder / name

    return write


def _sqlite(folder: Path) -> Path:
    with sqlite3.connect(folder / "shop.db") as con:
        con.execute("CREATE TABLE orders (customer_id, ts, amount)")
        con.execute("CREATE TABLE people (id)")
    con.close()
    return folder / "shop.db"


def _uneven_folder(folder: Path) -> Path:
    (folder / "parts").mkdir()
    pq.write_table(pa.table({"customer_id": [1], "ts": ["2024-01-01"], "amount": [1.0]}), folder / "parts/a.parquet")
    pq.write_table(pa.table({"customer_id": [1], "when": ["2024-01-01"]}), folder / "parts/b.parquet")
    return folder / "parts"


STOPPED = [
    Broken("no such file", lambda f: f / "none.csv", ("none.csv", "no such file", "expected")),
    Broken("empty file", b"", ("shop.csv", "is empty", "expected a table with a header and rows")),
    Broken("blank file", b"\n\n  \n", ("is empty",)),
    Broken("header alone", HEADER, ("has a header and no rows",)),
    Broken(
        "missing column",
        HEADER + GOOD,
        ("no column 'Amount'", "sources.shop.columns.amount", "Did you mean 'amount'"),
        {"columns": {"amount": "Amount"}},
    ),
    Broken(
        "required column not mapped",
        "who,when,amount\n1,2024-01-01,5\n",
        ("no column for record_id, ts", "who, when, amount", "sources.shop.columns"),
    ),
    Broken(
        "column twice",
        "customer_id,ts,amount,amount\n1,2024-01-01,5,5\n",
        ("2 columns called 'amount'",),
        {"columns": {"amount": "amount"}},
    ),
    Broken("random bytes", random.Random(5).randbytes(4000), ("is not text in any known encoding",)),
    Broken(
        "wrong encoding",
        (HEADER + GOOD + "Zoë,1,2024-01-01,5\n").encode("cp1252"),
        ("is not text in utf-8", "sources.shop.encoding"),
        {"encoding": "utf-8"},
    ),
    Broken(
        "unknown encoding", HEADER + GOOD, ("sources.shop.encoding", "'utf-9' is no encoding"), {"encoding": "utf-9"}
    ),
    Broken(
        "odd delimiter",
        HEADER + GOOD,
        ("sources.shop.delimiter", "';;'", "expected one character"),
        {"delimiter": ";;"},
    ),
    Broken(
        "undecidable dates",
        "customer_id,ts,amount\n1,1/2/2024,5\n2,3/4/2024,5\n",
        ("'ts'", "day or the month first", "sources.shop.date_format", "'%d/%m/%Y'"),
    ),
    Broken(
        "day-first and month-first",
        "customer_id,ts,amount\n1,13/2/2024,5\n2,2/13/2024,5\n",
        ("'13/2/2024'", "'2/13/2024'", "sources.shop.date_format"),
    ),
    Broken("no date format", HEADER + GOOD, ("sources.shop.date_format", "'%Q'"), {"date_format": "%Q"}),
    Broken(
        "decimal comma",
        "customer_id;ts;amount\n1;2024-01-01;5,50\n2;2024-01-02;1.234,00\n",
        ("'amount'", "decimal mark ','", "sources.shop.decimal"),
    ),
    Broken(
        "mixed currencies",
        "customer_id,ts,amount,currency\n1,2024-01-01,5,EUR\n2,2024-01-01,5,GBP\n3,2024-01-01,5,EUR\n",
        ("EUR (2 rows)", "GBP (1 row)", "currency.rates"),
    ),
    Broken(
        "mixed currency signs",
        "customer_id,ts,amount\n1,2024-01-01,€5\n2,2024-01-01,$5\n",
        ("'amount'", "several currencies", "€", "$"),
    ),
    Broken(
        "rates without a base",
        "customer_id,ts,amount,currency\n1,2024-01-01,5,EUR\n",
        ("currency.code",),
        settings={"currency": {"rates": {"EUR": 1.1}}},
    ),
    Broken(
        "all refused",
        "customer_id,ts,amount\n,2024-01-01,5\n,2024-01-01,6\n",
        ("2 of 2 rows were refused", "record_id_missing 2", "no usable row is left", "line 2"),
    ),
    Broken(
        "more refused than allowed",
        HEADER + GOOD + ",9,2024-01-01,5\n" * 20,
        ("20 of 60 rows", "quality.max_refused allows (10%)"),
        settings={"quality": {"max_refused": 0.1}},
    ),
    Broken(
        "as_of before the data",
        HEADER + GOOD,
        ("as_of: 2020-01-01 lies before all rows", "2024-01-01"),
        settings={"as_of": "2020-01-01"},
    ),
    Broken("no times at all", "record_id,label\n1,yes\n", ("as_of: not set",), {"table": "observations"}),
    Broken(
        "bad pattern",
        HEADER + GOOD,
        ("quality.non_product_codes", "'('"),
        settings={"quality": {"non_product_codes": "("}},
    ),
    Broken("unknown scheme", lambda _: "s3://bucket/shop.csv", ("s3://", "cannot be read")),
    Broken("unknown ending", _file("shop.docx", b"hello"), ("of a kind that is not known",)),
    Broken("workbook called csv", _workbook("shop.csv"), ("ends in .csv, but is Excel by its contents",)),
    Broken("old workbook", _file("shop.xls", b"\xd0\xcf\x11\xe0"), (".xls", "saved as .xlsx")),
    Broken("no workbook", _file("shop.xlsx", b"nothing of the kind"), ("no readable Excel workbook",)),
    Broken(
        "unknown sheet", _workbook("shop.xlsx"), ("no sheet 'orders'", "Did you mean 'Orders'"), {"sheet": "orders"}
    ),
    Broken("broken Parquet", _file("shop.parquet", b"PAR1 and nothing else"), ("no readable Parquet file",)),
    Broken("folder without Parquet", _empty_folder, ("a folder without Parquet files",)),
    Broken("folder of different tables", _uneven_folder, ("b.parquet", "expected those of the first file")),
    Broken("several tables", _sqlite, ("sources.shop.query: not set", "orders", "people")),
    Broken("unknown table", _sqlite, ("'order' is neither a SELECT nor a table", "Did you mean"), {"query": "order"}),
    Broken("wrong SELECT", _sqlite, ("SQLite says", "no such column"), {"query": "SELECT absent FROM orders"}),
    Broken("no database", _file("shop.db", b"SQLite format 3\x00 and then nothing"), ("shop.db", "SQLite says")),
    Broken(
        "no DuckDB file", _file("shop.duckdb", b"nothing of the kind, but long enough to look at"), ("DuckDB says",)
    ),
]

QUARANTINED = [
    Refused(
        "text in amounts",
        HEADER + GOOD + "1,2,2024-01-01,plenty\n1,3,2024-01-01,\n",
        {"amount_unreadable": [42], "amount_missing": [43]},
    ),
    Refused(
        "not finite",
        HEADER + GOOD + "1,2,2024-01-01,inf\n1,3,2024-01-01,1e300\n1,4,2024-01-01,nan\n",
        {"amount_not_finite": [42], "amount_too_large": [43], "amount_missing": [44]},
    ),
    Refused("two date formats", HEADER + GOOD + "1,2,17.03.2024,5\n", {"ts_unreadable": [42]}),
    Refused(
        "dates beyond sense",
        HEADER + GOOD + "1,2,0001-01-01,5\n1,2,9999-12-31,5\n1,2,2024-02-30,5\n",
        {"ts_out_of_range": [42, 43], "ts_unreadable": [44]},
    ),
    Refused("ragged rows", HEADER + GOOD + "1,2\n1,2,2024-01-01,5,6\n1,2,2024-01-01,5\n", {"row_misshapen": [42, 43]}),
    Refused(
        "line breaks in cells",
        HEADER + '1,"a\nb",2024-01-01,5\n,"c\nd",2024-01-01,5\n"x\ny"\n,4,2024-01-01,5\n' + GOOD,
        {"record_id_missing": [4, 8], "row_misshapen": [6]},
    ),
    Refused(
        "several reasons",
        HEADER + GOOD + ",2,soon,lots\n",
        {"record_id_missing": [42], "ts_unreadable": [42], "amount_unreadable": [42]},
    ),
    Refused(
        "BOM and CRLF",
        b"\xef\xbb\xbf" + (HEADER + GOOD + ",2,2024-01-01,5\n").replace("\n", "\r\n").encode(),
        {"record_id_missing": [42]},
    ),
    Refused("UTF-16", (HEADER + GOOD + ",2,2024-01-01,5\n").encode("utf-16"), {"record_id_missing": [42]}),
    Refused("epochs", HEADER + GOOD + "1,2,1704067200,5\n", {"ts_unreadable": [42]}),
    Refused("an hour that is none", HEADER + GOOD + "1,2,2024-01-01 25:00,5\n", {"ts_unreadable": [42]}),
]


@pytest.mark.parametrize("broken", STOPPED, ids=lambda b: b.name)
def test_stops_with_a_sentence(take: Any, tmp_path: Path, broken: Broken) -> None:
    content = broken.content(tmp_path) if callable(broken.content) else broken.content
    with pytest.raises(InputError) as caught:
        take(content, broken.settings, **broken.source)
    sentence = str(caught.value)
    assert all(words in sentence for words in broken.says), sentence
    assert sentence.rstrip().endswith((".", "?"))


@pytest.mark.parametrize("refused", QUARANTINED, ids=lambda r: r.name)
def test_quarantines_with_a_reason(take: Any, refused: Refused) -> None:
    taken = take(refused.content, **refused.source)
    found: dict[str, list[int]] = {}
    for row in taken.refused():
        for reason in row["reasons"]:
            found.setdefault(reason, []).append(row["row"])
    assert {reason: sorted(lines) for reason, lines in found.items()} == refused.reasons
    quality = taken.quality
    assert quality["reasons"] == {reason: len(lines) for reason, lines in refused.reasons.items()}
    assert quality["rows"] == quality["accepted"] + quality["quarantined"]
    assert quality["quarantined"] == len({line for lines in refused.reasons.values() for line in lines})


@pytest.mark.parametrize(
    "rows",
    ["1,1,2024-01-01,5\n", GOOD, "7,1,2024-01-01,-5\n7,2,2024-01-02,-6\n"],
    ids=["one row", "forty rows", "returns alone, of one customer"],
)
def test_little_is_not_broken(take: Any, rows: str) -> None:
    taken = take(HEADER + rows)
    assert taken.quality["accepted"] == taken.table().num_rows == rows.count("\n")
    assert taken.refused() == []


@pytest.mark.parametrize(
    ("header", "cells", "says"),
    [
        (
            "customer_id,ts,Total",
            "7,2024-01-01,ten",
            "amount_unreadable is line 2 (column 'Total': 'ten'; expected a number)",
        ),
        ("customer_id,When,amount", "7,soon,5", "(column 'When': 'soon'; expected a time such as 2024-01-31)"),
        ("customer_id,ts,amount", ",2024-01-01,5", "(column 'customer_id': empty; expected a value)"),
        ("customer_id,ts,mobile", "7,2024-01-01,138-0013-8000", "(column 'mobile': '***'; expected a number)"),
        ("customer_id,ts,amount", "7,2024-01-01,ann@example.com", "(column 'amount': '***'; expected a number)"),
        ("customer_id,ts,amount", "7,2024-01-01,9e15", "'9e15'; expected at most 1,000,000,000,000)"),
        (
            "customer_id,ts,quantity,unit_price",
            "7,2024-01-01,2,dear",
            "(column 'quantity': '2', column 'unit_price': 'dear';",
        ),
    ],
)
def test_a_refusal_names_column_value_and_what_was_expected(take: Any, header: str, cells: str, says: str) -> None:
    ours = {"Total": "amount", "When": "ts", "mobile": "amount"}
    columns = {ours[name]: name for name in header.split(",") if name in ours}
    with pytest.raises(InputError) as caught:
        take(f"{header}\n{cells}\n", columns=columns)
    assert says in str(caught.value)
    assert "1 of 1 row was refused" in str(caught.value)


def test_the_refused_rows_are_there_when_a_run_stops(take: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        take("customer_id,ts,amount\n,2024-01-01,5\n")
    assert pq.read_table(tmp_path / "workspace/quarantine/shop.parquet").num_rows == 1
    assert (tmp_path / "workspace/quality.json").exists()
    assert not (tmp_path / "workspace/.staging").exists()


def test_future_dates_are_left_aside(take: Any) -> None:
    taken = take(HEADER + GOOD + "1,2,2150-01-01,5\n")
    assert str(taken.as_of) == "2024-01-29"
    assert taken.later().num_rows == taken.quality["later"] == 1
    assert any("lie in the future" in sentence for sentence in taken.quality["notes"])


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16", "utf-8-sig"])
def test_chinese_in_any_encoding(take: Any, encoding: str) -> None:
    text = "客户编号,日期,金额,品类\n王小明,2024年1月5日,¥1,234.50,家居\n李雷,2024年1月6日,12元,图书\n"
    text = text.replace("¥1,234.50", '"¥1,234.50"').replace("12元", "¥12")
    columns = {"record_id": "客户编号", "ts": "日期", "amount": "金额", "category": "品类"}
    taken = take(text.encode(encoding), columns=columns)
    assert taken.column("record_id") == ["王小明", "李雷"]
    assert taken.column("amount") == [12_345_000, 120_000]


def test_western_text_is_not_taken_for_chinese(take: Any) -> None:
    text = "customer_id;ts;amount;category\nZoë;2024-01-05;5;Bücher\nJosé;2024-01-05;5;Café\n"
    taken = take(text.encode("cp1252"))
    assert taken.column("category") == ["Bücher", "Café"]


def test_every_reason_is_documented(root: Path) -> None:
    page = (root / "docs/quality.md").read_text(encoding="utf-8")
    reasons = {reason for refused in QUARANTINED for reason in refused.reasons}
    ends = ("missing", "unreadable", "out_of_range", "not_finite", "too_large")
    shown = {next((f"<column>_{end}" for end in ends if reason.endswith(end)), reason) for reason in reasons}
    assert len(shown) >= 6
    assert [reason for reason in shown if f"`{reason}`" not in page] == []
