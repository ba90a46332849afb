"""A source's rows as they came, staged as one Parquet file so that they can be looked at more than once.

Columns are called ``c0``, ``c1``, ... there, since a user's names may collide; ``row`` is the line of a text file or
the number of a row, counted from 1. Rows that do not have the table's shape are kept apart, with their text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path
    from types import TracebackType

CHUNK = 50_000


@dataclass(frozen=True)
class Raw:
    """A staged source: where it lies, the user's column names, and the rows that do not fit the table's shape.

    ``numeric`` are text columns whose numbers have a decimal point whatever the settings say.
    """

    path: Path
    names: tuple[str, ...]
    types: tuple[pa.DataType, ...]
    unit: Literal["line", "row"]
    misfits: tuple[tuple[int, str], ...] = ()
    notes: tuple[str, ...] = ()
    numeric: frozenset[int] = frozenset()

    def is_text(self, index: int) -> bool:
        """Whether a column came as text, whose meaning has to be found out."""
        return bool(pa.types.is_string(self.types[index]))


class Stager:
    """Writes a :class:`Raw` batch by batch."""

    def __init__(self, path: Path, names: Sequence[str], types: Sequence[pa.DataType] | None = None) -> None:
        self.names = tuple(names)
        self.types = tuple(kept(t) for t in types) if types is not None else (pa.string(),) * len(self.names)
        self._schema = pa.schema([("row", pa.int64()), *((f"c{i}", t) for i, t in enumerate(self.types))])
        self._path = path
        self._writer = pq.ParquetWriter(path, self._schema, compression="lz4")

    def __enter__(self) -> Stager:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._writer.close()

    def write(self, rows: pa.Array, columns: Sequence[pa.Array]) -> None:
        """Add a batch: the row numbers and one array per column."""
        arrays = [_as(column, kind) for column, kind in zip(columns, self.types, strict=True)]
        self._writer.write_table(pa.table([rows, *arrays], schema=self._schema))

    def write_cells(self, rows: Iterable[tuple[int, Sequence[Any]]], decimal: str = ".") -> None:
        """Add rows of Python values, as text; numbers with the decimal mark that the texts beside them have."""
        numbers: list[int] = []
        cells: list[Sequence[Any]] = []
        for number, values in rows:
            numbers.append(number)
            cells.append(values)
            if len(numbers) == CHUNK:
                self._flush(numbers, cells, decimal)
                numbers, cells = [], []
        if numbers:
            self._flush(numbers, cells, decimal)

    def _flush(self, numbers: list[int], cells: list[Sequence[Any]], decimal: str) -> None:
        columns = [[text_of(v, decimal) for v in column] for column in zip(*cells, strict=True)]
        self.write(pa.array(numbers, pa.int64()), [pa.array(column, pa.string()) for column in columns])

    def finish(
        self,
        unit: Literal["line", "row"],
        misfits: Sequence[tuple[int, str]] = (),
        notes: Sequence[str] = (),
        numeric: Iterable[int] = (),
    ) -> Raw:
        """Close the file and say what was staged."""
        self._writer.close()
        return Raw(self._path, self.names, self.types, unit, tuple(misfits), tuple(notes), frozenset(numeric))


def text_of(value: Any, decimal: str = ".") -> str | None:
    """A cell's value as exact text: numbers without an empty fraction, times in ISO form.

    >>> text_of(12345.0), text_of(6.95), text_of(True)
    ('12345', '6.95', 'true')
    """
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        whole = value.is_integer() and abs(value) < 1e15
        return str(int(value)) if whole else repr(value).replace(".", decimal)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "replace")
    return str(value)


def kept(kind: pa.DataType) -> pa.DataType:
    """The Arrow type in which a column is staged: plain scalars as they are, all else as text.

    >>> kept(pa.large_string()), kept(pa.int32()), kept(pa.list_(pa.int8()))
    (DataType(string), DataType(int32), DataType(string))
    """
    test = pa.types
    if test.is_dictionary(kind):
        return kept(kind.value_type)
    plain = (test.is_integer, test.is_float32, test.is_float64, test.is_boolean, test.is_timestamp, test.is_date)
    if any(is_plain(kind) for is_plain in plain):
        return kind
    if test.is_decimal(kind) and kind.precision <= 38 and 0 <= kind.scale <= kind.precision:
        return kind
    return pa.string()


def _as(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if column.type == kind:
        return column
    if pa.types.is_dictionary(column.type):
        return _as(column.dictionary_decode(), kind)
    test = pa.types
    if test.is_binary(column.type) or test.is_large_binary(column.type) or test.is_nested(column.type):
        return pa.array([text_of(v) for v in column.to_pylist()], pa.string())
    if test.is_float16(column.type):
        column = pc.cast(column, pa.float32())
    return pc.cast(column, kind)
