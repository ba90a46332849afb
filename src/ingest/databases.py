"""SQLite, DuckDB and PostgreSQL: read-only, streaming, and without any extension."""

from __future__ import annotations

import re
import sqlite3
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv

from ..errors import ConfigError, DataError, masked, nearest
from .address import Form, form_of, path_of
from .raw import CHUNK, Raw, Stager
from .text import BlockStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import Self

    from ..config import SourceSettings

_NUMERIC = {20, 21, 23, 700, 701, 1700}  # PostgreSQL's type numbers of integers, floats and numeric
_TABLES = r"""
SELECT CASE WHEN n.nspname = ANY (current_schemas(false)) THEN quote_ident(c.relname)
            ELSE quote_ident(n.nspname) || '.' || quote_ident(c.relname) END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
ORDER BY 1
"""


class Database(ABC):
    """A read-only session with a database; tells its troubles in a sentence, without the password."""

    says: str
    trouble: type[Exception]

    def __init__(self, uri: str) -> None:
        self.uri = uri

    @abstractmethod
    def open(self) -> None:
        """Start the session."""

    @abstractmethod
    def close(self) -> None:
        """End the session."""

    @abstractmethod
    def tables(self) -> list[str]:
        """The names of the tables and views, as a SELECT writes them."""

    @abstractmethod
    def stage(self, source: SourceSettings, target: Path) -> Raw:
        """Stage the rows of the table or SELECT that a source names."""

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, kind: object, error: BaseException | None, at: object) -> None:
        self.close()
        if isinstance(error, self.trouble):
            raise self.told(error) from None

    def told(self, error: BaseException) -> DataError:
        """The database's own sentence, with the address as it may be shown."""
        lines = str(error).strip().splitlines() or [type(error).__name__]
        return DataError(f"{masked(self.uri)}: {self.says} says: {lines[0].removesuffix('.')}.")

    def statement(self, source: SourceSettings) -> str:
        """The SELECT to run: the one given, all of the table named, or all of the only table there is."""
        where = f"sources.{source.name}.query"
        query = (source.query or "").strip().rstrip(";")
        if re.match(r"(?is)^(select|with|from|values)\b", query):
            return query
        tables = self.tables()
        if not query:
            if len(tables) == 1:
                return f"SELECT * FROM {tables[0]}"
            there = f"it has {', '.join(tables)}" if tables else "it has no tables"
            raise ConfigError(f"{where}: not set; expected a table of {masked(self.uri)} or a SELECT; {there}.")
        for table in tables:
            if query.replace('"', "").casefold() == table.replace('"', "").casefold():
                return f"SELECT * FROM {table}"
        raise DataError(
            f"{where}: {query!r} is neither a SELECT nor a table of {masked(self.uri)}; it has "
            f"{', '.join(tables) or 'none'}.{nearest(query, tables)}"
        )


class Sqlite(Database):
    """An SQLite file."""

    says = "SQLite"
    trouble = sqlite3.Error

    def open(self) -> None:
        """Open the file, read-only."""
        try:
            self.con = sqlite3.connect(f"{path_of(self.uri).resolve().as_uri()}?mode=ro", uri=True)
        except sqlite3.Error as error:
            raise self.told(error) from None

    def close(self) -> None:
        """Close the file."""
        self.con.close()

    def tables(self) -> list[str]:
        """The tables and views that are not SQLite's own."""
        found = self.con.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name")
        return [_quoted(name) for (name,) in found if not name.startswith("sqlite_")]

    def stage(self, source: SourceSettings, target: Path) -> Raw:
        """Stage the rows, cells as exact text."""
        cursor = self.con.execute(self.statement(source))
        with Stager(target, [d[0] for d in cursor.description]) as stager:
            stager.write_cells(enumerate(_fetched(cursor), start=1), source.decimal)
            return stager.finish("row")


class Duckdb(Database):
    """A DuckDB file."""

    says = "DuckDB"

    def open(self) -> None:
        """Open the file, read-only and without fetching extensions."""
        import duckdb

        self.trouble = duckdb.Error
        try:
            path = str(path_of(self.uri))
            self.con = duckdb.connect(path, read_only=True, config={"autoinstall_known_extensions": "false"})
        except duckdb.Error as error:
            raise self.told(error) from None
        self.con.execute("SET TimeZone='UTC'")

    def close(self) -> None:
        """Close the file."""
        self.con.close()

    def tables(self) -> list[str]:
        """The tables and views, with their schema where it is not the main one."""
        found = self.con.execute(
            "SELECT table_schema, table_name FROM information_schema.tables ORDER BY 1, 2"
        ).fetchall()
        return [_quoted(t) if schema == "main" else f"{_quoted(schema)}.{_quoted(t)}" for schema, t in found]

    def stage(self, source: SourceSettings, target: Path) -> Raw:
        """Stage the rows, with their types."""
        reader = self.con.execute(self.statement(source)).to_arrow_reader(CHUNK)
        row = 0
        with Stager(target, reader.schema.names, reader.schema.types) as stager:
            for batch in reader:
                stager.write(pa.array(range(row + 1, row + 1 + batch.num_rows), pa.int64()), batch.columns)
                row += batch.num_rows
            return stager.finish("row")


class Postgres(Database):
    """A PostgreSQL server, in one read-only transaction."""

    says = "PostgreSQL"

    def open(self) -> None:
        """Connect; times are asked for in UTC."""
        import psycopg

        self.trouble = psycopg.Error
        try:
            self.con = psycopg.connect(self.uri, connect_timeout=15)
            self.con.read_only = True
            self.con.execute("SET TIME ZONE 'UTC'")
            self.con.execute("SET DateStyle = 'ISO'")
        except psycopg.Error as error:
            raise self.told(error) from None

    def close(self) -> None:
        """Disconnect."""
        self.con.close()

    def told(self, error: BaseException) -> DataError:
        """The server's sentence; a password in it is masked."""
        password = _password(self.uri)
        said = str(super().told(error))
        return DataError(said.replace(password, "***") if password else said)

    def tables(self) -> list[str]:
        """The tables and views, with their schema where it is not on the search path."""
        return [str(name) for (name,) in self.con.execute(_TABLES).fetchall()]

    def stage(self, source: SourceSettings, target: Path) -> Raw:
        """Stage the rows, streamed by COPY, values as exact text."""
        statement = self.statement(source)
        described = self.con.execute(f"SELECT * FROM ({statement}) t LIMIT 0").description or ()
        numeric = [i for i, column in enumerate(described) if column.type_code in _NUMERIC]
        with Stager(target, [column.name for column in described]) as stager:
            with self.con.cursor().copy(f"COPY ({statement}) TO STDOUT (FORMAT csv)") as copy:
                _copy_rows(BlockStream(bytes(block) for block in copy), stager)
            return stager.finish("row", numeric=numeric)

    def fingerprint(self, source: SourceSettings) -> Any:
        """The number of the rows of a source and the sum of their hashes."""
        return self.con.execute(
            "SELECT count(*), coalesce(sum(('x' || substr(md5(t::text), 1, 15))::bit(60)::bigint::numeric), 0) "
            f"FROM ({self.statement(source)}) t"
        ).fetchone()


_DATABASES: dict[Form, type[Database]] = {Form.SQLITE: Sqlite, Form.DUCKDB: Duckdb, Form.POSTGRES: Postgres}


def database(uri: str) -> Database:
    """The session for an address, not yet open."""
    return _DATABASES[form_of(uri)](uri)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _fetched(cursor: sqlite3.Cursor) -> Iterator[tuple[Any, ...]]:
    while rows := cursor.fetchmany(CHUNK):
        yield from rows


def _password(uri: str) -> str | None:
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        found = conninfo_to_dict(uri).get("password")
    except ProgrammingError:
        return None
    return str(found) if found else None


def _copy_rows(stream: BlockStream, stager: Stager) -> None:
    """Stage CSV text as COPY writes it: nothing is NULL, quoted nothing is an empty text."""
    if stream.empty:
        return
    columns: Sequence[str] = [f"c{i}" for i in range(len(stager.names))]
    reader = pa.csv.open_csv(
        pa.PythonFile(stream, mode="r"),
        read_options=pa.csv.ReadOptions(column_names=columns, use_threads=False),
        parse_options=pa.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=pa.csv.ConvertOptions(
            column_types={c: pa.string() for c in columns},
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    row = 0
    for batch in reader:
        stager.write(pa.array(range(row + 1, row + 1 + batch.num_rows), pa.int64()), batch.columns)
        row += batch.num_rows
