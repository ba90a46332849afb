"""The official Online Retail II workbook, as one Parquet file.

The workbook has two sheets of a year each, which overlap by some days in December 2010; of these, the later sheet's
rows are kept. ``data/README.md`` says where to fetch it. To run it::

    python -m custid.ingest.online_retail online_retail_II.xlsx data/raw/online_retail_2009_2011.parquet
"""

from __future__ import annotations

import argparse
import sys
import zipfile
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from ..errors import CustidError, DataError
from ..workspace import Note, silent, write_parquet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PAGE = "https://archive.ics.uci.edu/dataset/502/online+retail+ii"
SCHEMA = pa.schema(
    [
        ("Invoice", pa.string()),
        ("StockCode", pa.string()),
        ("Description", pa.string()),
        ("Quantity", pa.int64()),
        ("InvoiceDate", pa.timestamp("us")),
        ("Price", pa.float64()),
        ("Customer ID", pa.int64()),
        ("Country", pa.string()),
    ]
)


def convert(workbook: Path, target: Path, note: Note = silent) -> int:
    """Write the workbook's rows, the overlap of its sheets once, as Parquet; gives their number.

    Raises
    ------
    DataError
        Where the file is no such workbook, or a cell is not what its column holds.
    """
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = openpyxl.load_workbook(workbook, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, OSError, ValueError) as error:
        raise DataError(f"{workbook}: is no readable Excel workbook ({error}); expected the one of {PAGE}.") from None
    try:
        sheets = []
        for sheet in book.worksheets:
            note(f"reading the sheet {sheet.title}")
            sheets.append(_read(workbook, sheet))
    finally:
        book.close()
    whole = pa.concat_tables(_once(sheets))
    write_parquet(target, whole)
    return int(whole.num_rows)


def _read(workbook: Path, sheet: Any) -> pa.Table:
    rows = sheet.iter_rows(values_only=True)
    header = [str(v) for v in next(rows, ()) if v is not None]
    if header != SCHEMA.names:
        raise DataError(
            f"{workbook}: the sheet {sheet.title!r} has the columns {', '.join(header) or '(none)'}; expected "
            f"{', '.join(SCHEMA.names)}."
        )
    columns: list[list[Any]] = [[] for _ in SCHEMA]
    readers: Sequence[Callable[[Any], Any]] = [_READERS[field.type] for field in SCHEMA]
    for number, row in enumerate(rows, start=2):
        if all(value is None for value in row):
            continue
        for column, read, value, name in zip(columns, readers, row, SCHEMA.names, strict=False):
            try:
                column.append(None if value is None else read(value))
            except (TypeError, ValueError):
                raise DataError(
                    f"{workbook}: the sheet {sheet.title!r} has {value!r} in row {number}, column {name!r}; expected "
                    f"{SCHEMA.field(name).type}."
                ) from None
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, SCHEMA, strict=True)], schema=SCHEMA)


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _whole(value: Any) -> int:
    if float(value) != int(value):
        raise ValueError(value)
    return int(value)


def _moment(value: Any) -> datetime:
    if not isinstance(value, datetime):
        raise TypeError(value)
    return value


_READERS: dict[pa.DataType, Callable[[Any], Any]] = {
    pa.string(): _text,
    pa.int64(): _whole,
    pa.float64(): float,
    pa.timestamp("us"): _moment,
}


def _once(sheets: Sequence[pa.Table]) -> list[pa.Table]:
    """The sheets in the order of their first row, each up to where the next one starts."""
    starts = [(pc.min(sheet["InvoiceDate"]).as_py(), sheet) for sheet in sheets if sheet.num_rows]
    starts.sort(key=lambda item: item[0])
    kept = []
    for at, (_, sheet) in enumerate(starts):
        following = starts[at + 1][0] if at + 1 < len(starts) else None
        kept.append(sheet if following is None else sheet.filter(pc.less(sheet["InvoiceDate"], pa.scalar(following))))
    if not kept:
        raise DataError("The workbook has no rows; expected two sheets of invoices.")
    return kept


def main(arguments: Sequence[str] | None = None) -> int:
    """The command: a workbook and the Parquet file to write."""
    parser = argparse.ArgumentParser(prog="python -m custid.ingest.online_retail", description=__doc__)
    parser.add_argument("workbook", type=Path, help="online_retail_II.xlsx")
    parser.add_argument("target", type=Path, help="the Parquet file to write")
    given = parser.parse_args(arguments)
    try:
        rows = convert(given.workbook, given.target, print)
    except CustidError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(f"{rows:,} rows are in {given.target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
