"""Where a source lies and what kind of thing it is."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path

from ..errors import DataError, masked


class Form(StrEnum):
    """The kinds of tables that can be read."""

    DELIMITED = "CSV"
    PARQUET = "Parquet"
    EXCEL = "Excel"
    SQLITE = "SQLite"
    DUCKDB = "DuckDB"
    POSTGRES = "PostgreSQL"


EXPECTED = "a CSV, Parquet, Excel, SQLite or DuckDB file, or a postgresql:// address"
_SUFFIXES = {
    ".csv": Form.DELIMITED,
    ".tsv": Form.DELIMITED,
    ".txt": Form.DELIMITED,
    ".dat": Form.DELIMITED,
    ".parquet": Form.PARQUET,
    ".pq": Form.PARQUET,
    ".xlsx": Form.EXCEL,
    ".xlsm": Form.EXCEL,
    ".sqlite": Form.SQLITE,
    ".sqlite3": Form.SQLITE,
    ".db": Form.SQLITE,
    ".duckdb": Form.DUCKDB,
    ".ddb": Form.DUCKDB,
}
_PACKED = {".gz", ".bz2", ".zst"}


def form_of(uri: str) -> Form:
    """What kind of table an address names: by its scheme, its ending, and then by its first bytes.

    Raises
    ------
    DataError
        Where there is no such file, or it is nothing that can be read.
    """
    if re.match(r"^postgres(ql)?://", uri):
        return Form.POSTGRES
    path = path_of(uri)
    if path.is_dir():
        return Form.PARQUET
    magic = _first_bytes(path, uri)
    suffix = _suffix(path)
    found = _SUFFIXES.get(suffix)
    by_bytes = _by_magic(magic)
    if suffix == ".xls" and by_bytes is not Form.EXCEL:
        raise DataError(f"{uri}: an old Excel file (.xls); expected it saved as .xlsx.")
    if found in (Form.SQLITE, None) and by_bytes is not None:
        return by_bytes
    if found is None:
        raise DataError(f"{uri}: of a kind that is not known; expected {EXPECTED}.")
    if found is Form.DELIMITED and by_bytes is not None and not set(path.suffixes) & _PACKED:
        raise DataError(f"{uri}: ends in {suffix}, but is {by_bytes.value} by its contents; expected the right ending.")
    return found


def path_of(uri: str) -> Path:
    """The path of a file address; ``sqlite:///`` and ``duckdb:///`` may stand before it."""
    match = re.match(r"^([a-z][a-z0-9+]+)://(.*)$", uri)
    if match is None:
        return Path(uri).expanduser()
    if match[1] in ("sqlite", "duckdb", "file"):
        return Path(match[2] if match[1] == "file" else match[2].removeprefix("/"))
    raise DataError(f"{masked(uri)}: {match[1]}:// cannot be read; expected {EXPECTED}.")


def _suffix(path: Path) -> str:
    suffixes = [s.lower() for s in path.suffixes]
    if len(suffixes) > 1 and suffixes[-1] in _PACKED:
        return suffixes[-2]
    return suffixes[-1] if suffixes else ""


def _first_bytes(path: Path, uri: str) -> bytes:
    try:
        with path.open("rb") as handle:
            magic = handle.read(16)
    except FileNotFoundError:
        raise DataError(f"{uri}: no such file; expected {EXPECTED}.") from None
    except OSError as error:
        raise DataError(f"{uri}: cannot be read ({error.strerror}); expected {EXPECTED}.") from error
    if not magic:
        raise DataError(f"{uri}: is empty; expected a table with a header and rows.")
    return magic


def _by_magic(magic: bytes) -> Form | None:
    if magic.startswith(b"PAR1"):
        return Form.PARQUET
    if magic.startswith(b"PK\x03\x04"):
        return Form.EXCEL
    if magic.startswith(b"SQLite format 3\x00"):
        return Form.SQLITE
    return Form.DUCKDB if magic[8:12] == b"DUCK" else None
