"""Opening a source: the one place that knows which reader reads what."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from ..errors import DataError, masked
from ..workspace import digest
from .address import Form, form_of, path_of
from .databases import Postgres, database
from .delimited import stage_delimited
from .tabular import stage_excel, stage_parquet

if TYPE_CHECKING:
    from pathlib import Path

    from ..config import SourceSettings
    from .raw import Raw

_READERS = {Form.DELIMITED: stage_delimited, Form.PARQUET: stage_parquet, Form.EXCEL: stage_excel}


def stage_source(source: SourceSettings, target: Path) -> Raw:
    """Stage a source's rows, as they are, in a Parquet file at ``target``.

    Raises
    ------
    DataError
        Where the source is not there or cannot be read as what it says it is.
    """
    form = form_of(source.uri)
    if form not in _READERS:
        with database(source.uri) as session:
            return session.stage(source, target)
    try:
        return _READERS[form](source, path_of(source.uri), target)
    except OSError as error:
        raise DataError(f"{masked(source.uri)}: cannot be read ({error.strerror or error}).") from error


def fingerprint_of(source: SourceSettings) -> str:
    """A digest of what a source holds, whatever the order of a server's rows.

    Files are digested by their bytes (with a database's write-ahead log), a PostgreSQL SELECT by the number of its rows
    and the sum of their hashes.
    """
    if form_of(source.uri) is not Form.POSTGRES:
        path = path_of(source.uri)
        logs = (path.with_name(path.name + end) for end in ("-wal", ".wal"))
        return "-".join(digest(p) for p in (path, *logs) if p.exists())
    with Postgres(source.uri) as server:
        return hashlib.sha256(repr(server.fingerprint(source)).encode()).hexdigest()[:24]


def tables_of(uri: str) -> list[str]:
    """The names of a database's tables and views."""
    with database(uri) as session:
        return session.tables()
