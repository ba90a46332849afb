"""Parquet files and Excel workbooks."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import DataError, nearest
from .raw import Raw, Stager

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from ..config import SourceSettings


def parquet_files(path: Path) -> list[Path]:
    """The Parquet files at an address: itself, or all below a folder, in the order of their names."""
    if path.is_file():
        return [path]
    found = sorted(p for p in path.rglob("*") if p.suffix.lower() in (".parquet", ".pq") and p.is_file())
    if not found:
        raise DataError(f"{path}: a folder without Parquet files; expected a file, or a folder of .parquet files.")
    return found


def stage_parquet(source: SourceSettings, path: Path, target: Path) -> Raw:
    """Stage a Parquet file, or a folder of files with the same columns; rows are numbered through all of them."""
    del source
    files = parquet_files(path)
    try:
        schema = pq.read_schema(files[0])
        with Stager(target, schema.names, schema.types) as stager:
            row = 0
            for file in files:
                row = _copy(file, schema, stager, row)
            return stager.finish("row")
    except pa.ArrowInvalid as error:
        raise DataError(f"{path}: is no readable Parquet file ({str(error).splitlines()[0]}).") from None


def _copy(file: Path, schema: pa.Schema, stager: Stager, row: int) -> int:
    parquet = pq.ParquetFile(file)
    if parquet.schema_arrow.names != schema.names:
        raise DataError(
            f"{file}: has the columns {', '.join(parquet.schema_arrow.names)}; expected those of the first file of "
            f"the folder, {', '.join(schema.names)}."
        )
    for batch in parquet.iter_batches(batch_size=1 << 18):
        numbers = pa.array(range(row + 1, row + 1 + batch.num_rows), pa.int64())
        stager.write(numbers, batch.columns)
        row += batch.num_rows
    return row


def stage_excel(source: SourceSettings, path: Path, target: Path) -> Raw:
    """Stage one sheet of a workbook, or with ``sheet: "*"`` all of them, one after the other.

    The first row that is not empty holds the names; sheets that follow must bear the same ones. With several sheets,
    the rows are numbered through all of them.
    """
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, OSError, ValueError) as error:
        raise DataError(f"{path}: is no readable Excel workbook ({error}); expected an .xlsx file.") from None
    try:
        sheets = _sheets(source, path, book)
        names = _header(path, sheets[0])
        with Stager(target, names) as stager:
            stager.write_cells(_rows(path, sheets, names), source.decimal)
            return stager.finish("row")
    finally:
        book.close()


def _sheets(source: SourceSettings, path: Path, book: Any) -> list[Any]:
    if source.sheet == "*":
        return list(book.worksheets)
    if source.sheet is None:
        return list(book.worksheets[:1])
    if source.sheet not in book.sheetnames:
        raise DataError(
            f"{path}: has no sheet {source.sheet!r} (sources.{source.name}.sheet); it has "
            f"{', '.join(book.sheetnames)}.{nearest(source.sheet, book.sheetnames)}"
        )
    return [book[source.sheet]]


def _header(path: Path, sheet: Any) -> list[str]:
    for values in sheet.iter_rows(values_only=True):
        cut = _trimmed(values)
        if cut:
            return ["" if v is None else str(v).strip() for v in cut]
    raise DataError(f"{path}: the sheet {sheet.title!r} is empty; expected a header and rows.")


def _rows(path: Path, sheets: Sequence[Any], names: list[str]) -> Iterator[tuple[int, Sequence[Any]]]:
    number = 0
    for sheet in sheets:
        header = None
        for at, values in enumerate(sheet.iter_rows(values_only=True), start=1):
            cut = _trimmed(values)
            if not cut:
                continue
            if header is None:
                header = ["" if v is None else str(v).strip() for v in cut]
                if header != names:
                    raise DataError(
                        f"{path}: the sheet {sheet.title!r} has the columns {', '.join(header)}; expected those of the "
                        f"first sheet, {', '.join(names)}."
                    )
                continue
            yield number + at, _padded(values, len(names))
        number += sheet.max_row or 0


def _trimmed(values: Sequence[Any]) -> list[Any]:
    """A row's cells up to the last one that is filled."""
    last = max((i for i, v in enumerate(values) if v not in (None, "")), default=-1)
    return list(values[: last + 1])


def _padded(values: Sequence[Any], width: int) -> Sequence[Any]:
    cut = list(values[:width])
    return cut + [None] * (width - len(cut))
