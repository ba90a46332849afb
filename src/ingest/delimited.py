"""CSV and other text tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from ..errors import ConfigError, DataError
from .raw import Raw, Stager
from .text import WHITESPACE, BlockStream, cells, decodes, find_encoding, find_separator, head, open_bytes, squeezed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..config import SourceSettings

_BLOCK = 8 << 20


def stage_delimited(source: SourceSettings, path: Path, target: Path) -> Raw:
    """Stage a text table: every cell as text, every row with the line it starts on.

    Rows with too many or too few cells become misfits; lines with nothing in them are no rows.
    """
    encoding = _encoding(source, path)
    lines = head(path, encoding)
    if not any(line.strip() for line in lines):
        raise DataError(f"{path}: is empty; expected a table with a header and rows.")
    separator = _separator(source, lines)
    skipped = next(i for i, line in enumerate(lines) if line.strip())
    names = [name.strip() for name in cells(lines[skipped], separator)]
    above = sum(1 + line.count("\n") for line in lines[: skipped + 1])
    reader = _Reader(path, encoding, separator, names, above)
    with Stager(target, names) as stager:
        try:
            reader.into(stager)
        except (pa.ArrowInvalid, UnicodeError) as error:
            raise DataError(
                f"{path}: cannot be read as a table separated by {_shown(separator)} ({_first_line(error)}); look for "
                f"a quotation mark that is never closed, or set delimiter and encoding."
            ) from None
        return stager.finish("line", reader.misfits, reader.notes)


def _encoding(source: SourceSettings, path: Path) -> str:
    if source.encoding is None:
        return find_encoding(path)
    try:
        readable = decodes(path, source.encoding)
    except LookupError:
        raise ConfigError(
            f"sources.{source.name}.encoding: {source.encoding!r} is no encoding; "
            f"expected one such as utf-8 or gb18030."
        ) from None
    if not readable:
        raise DataError(f"{path}: is not text in {source.encoding}, the setting sources.{source.name}.encoding.")
    return "utf-8-sig" if source.encoding.lower().replace("_", "-") in ("utf-8", "utf8") else source.encoding


def _separator(source: SourceSettings, lines: Sequence[str]) -> str:
    if source.delimiter is None:
        return find_separator(lines, list(source.columns.values()))
    if source.delimiter == " ":
        padded = any(line != line.strip() or "  " in line for line in lines)
        return WHITESPACE if padded else " "
    if source.delimiter == WHITESPACE or len(source.delimiter) == 1:
        return source.delimiter
    raise ConfigError(
        f"sources.{source.name}.delimiter: {source.delimiter!r}; expected one character, "
        f"or {WHITESPACE} for any blanks."
    )


class _Reader:
    """Reads the rows below the header with Arrow and keeps count of the lines."""

    def __init__(self, path: Path, encoding: str, separator: str, names: list[str], above: int) -> None:
        self.path, self.encoding, self.separator, self.names, self.above = path, encoding, separator, names, above
        self.misfits: list[tuple[int, str]] = []
        self._waiting: list[tuple[int, str]] = []
        self._record = above
        self._breaks = 0
        self._empty = 0

    @property
    def notes(self) -> list[str]:
        """What there is to say of the file."""
        return [f"{self._empty:,} empty lines are no rows"] if self._empty else []

    def into(self, stager: Stager) -> None:
        """Stage all rows."""
        columns = [f"c{i}" for i in range(len(self.names))]
        with self._stream() as stream:
            try:
                reader = pa.csv.open_csv(
                    stream,
                    read_options=pa.csv.ReadOptions(
                        column_names=columns,
                        skip_rows=self.above,
                        use_threads=False,
                        block_size=_BLOCK,
                        encoding="utf8" if self.encoding == "utf-8-sig" else self.encoding,
                    ),
                    parse_options=pa.csv.ParseOptions(
                        delimiter="\t" if self.separator == WHITESPACE else self.separator,
                        newlines_in_values=True,
                        ignore_empty_lines=False,
                        invalid_row_handler=self._misfit,
                    ),
                    convert_options=pa.csv.ConvertOptions(
                        column_types={c: pa.string() for c in columns},
                        strings_can_be_null=False,
                    ),
                )
            except pa.ArrowInvalid as error:
                if "Empty CSV" not in str(error):
                    raise
                return
            for batch in reader:
                self._stage(stager, batch)
        self._place(self._record + len(self._waiting))

    def _stream(self) -> Any:
        if self.separator != WHITESPACE:
            return open_bytes(self.path)
        blocks = squeezed(self.path, self.encoding)
        self.encoding = "utf-8-sig"
        return pa.PythonFile(BlockStream(blocks), mode="r")

    def _misfit(self, row: Any) -> str:
        self._waiting.append((row.number, row.text))
        return "skip"

    def _stage(self, stager: Stager, batch: pa.RecordBatch) -> None:
        lines = self._lines(batch)
        blank = np.ones(batch.num_rows, dtype=bool)
        for column in batch.columns:
            blank &= pc.equal(pc.binary_length(column), 0).to_numpy(zero_copy_only=False)
        table = batch
        if blank.any():
            self._empty += int(blank.sum())
            table = batch.filter(pa.array(~blank))
            lines = lines[~blank]
        stager.write(pa.array(lines, pa.int64()), table.columns)

    def _lines(self, batch: pa.RecordBatch) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The line on which each row of a batch starts: misfits and line breaks within cells count."""
        records = self._numbers(batch.num_rows)
        breaks = np.zeros(batch.num_rows, dtype=np.int64)
        for column in batch.columns:
            breaks += pc.count_substring(column, "\n").to_numpy(zero_copy_only=False)
        if not breaks.any() and not any("\n" in text for _, text in self._waiting):
            lines = records + self._breaks
            self._place(int(records[-1]) if len(records) else self._record)
            return lines
        return self._broken_lines(records, breaks)

    def _numbers(self, count: int) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The record numbers of the next rows, leaving out the misfits between them."""
        start = self._record + 1
        taken = np.array([n for n, _ in self._waiting], dtype=np.int64)
        return np.setdiff1d(np.arange(start, start + count + len(taken)), taken)[:count]

    def _broken_lines(
        self, records: np.ndarray[Any, np.dtype[np.int64]], breaks: np.ndarray[Any, np.dtype[np.int64]]
    ) -> np.ndarray[Any, np.dtype[np.int64]]:
        last = int(records[-1]) if len(records) else self._record
        placed = [(n, t) for n, t in self._waiting if n <= last]
        numbers = np.concatenate([records, np.array([n for n, _ in placed], dtype=np.int64)])
        counts = np.concatenate([breaks, np.array([t.count("\n") for _, t in placed], dtype=np.int64)])
        order = np.argsort(numbers, kind="stable")
        before = np.empty(len(order), dtype=np.int64)
        before[order] = self._breaks + np.cumsum(counts[order]) - counts[order]
        for (number, text), shift in zip(placed, before[len(records) :], strict=True):
            self.misfits.append((number + int(shift), text))
        self._waiting = [(n, t) for n, t in self._waiting if n > last]
        self._breaks += int(counts.sum())
        self._record = last
        return records + before[: len(records)]

    def _place(self, last: int) -> None:
        """Number the misfits up to a record."""
        for number, text in [w for w in self._waiting if w[0] <= last]:
            self.misfits.append((number + self._breaks, text))
            self._breaks += text.count("\n")
        self._waiting = [w for w in self._waiting if w[0] > last]
        self._record = last


def _shown(separator: str) -> str:
    return {"\t": "tabs", " ": "blanks", WHITESPACE: "blanks"}.get(separator, repr(separator))


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].removesuffix(".")
