"""The workbook of two years, in small."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import openpyxl
import pyarrow.parquet as pq
import pytest

from custid.errors import DataError
from custid.ingest.online_retail import SCHEMA, convert, main

if TYPE_CHECKING:
    from pathlib import Path

FIRST = [
    (489434, "85048", "15CM CHRISTMAS GLASS BALL", 12, datetime(2009, 12, 1, 7, 45), 6.95, 13085.0, "United Kingdom"),
    ("C489449", 22087, "PAPER BUNTING", -12, datetime(2009, 12, 1, 10, 33), 2.95, 16321, "Australia"),
    (536365, "85123A", None, 6, datetime(2010, 12, 1, 8, 26), 2.55, None, "United Kingdom"),
]
SECOND = [
    (536365, "85123A", None, 6, datetime(2010, 12, 1, 8, 26), 2.55, None, "United Kingdom"),
    (536366, "22633", "HAND WARMER", 6, datetime(2010, 12, 1, 8, 28), 1.85, 17850, "United Kingdom"),
]


def _workbook(path: Path, header: list[str] | None = None) -> Path:
    book = openpyxl.Workbook()
    book.active.title = "Year 2009-2010"
    for sheet, rows in ((book.active, FIRST), (book.create_sheet("Year 2010-2011"), SECOND)):
        sheet.append(header or SCHEMA.names)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_both_sheets_are_read_and_the_overlap_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "raw/retail.parquet"
    assert main([str(_workbook(tmp_path / "retail.xlsx")), str(target)]) == 0
    assert "4 rows" in capsys.readouterr().out
    table = pq.read_table(target)
    assert table.schema.equals(SCHEMA)
    assert table["Invoice"].to_pylist() == ["489434", "C489449", "536365", "536366"]
    assert table["StockCode"].to_pylist() == ["85048", "22087", "85123A", "22633"]
    assert table["Customer ID"].to_pylist() == [13085, 16321, None, 17850]


def test_another_workbook_is_told(tmp_path: Path) -> None:
    wrong = _workbook(tmp_path / "retail.xlsx", ["Invoice", "Stock"])
    with pytest.raises(DataError, match="has the columns Invoice, Stock; expected Invoice, StockCode"):
        convert(wrong, tmp_path / "out.parquet")
    (tmp_path / "none.xlsx").write_bytes(b"nothing")
    assert main([str(tmp_path / "none.xlsx"), str(tmp_path / "out.parquet")]) == 2
    assert not (tmp_path / "out.parquet").exists()
