"""The profiles as the service reads them: one SQLite file, a row per customer.

The writer swaps all profiles in one transaction; readers (WAL) see either the old ones or the new ones.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

from ..errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..workspace import Workspace

_TABLE = "CREATE TABLE IF NOT EXISTS profiles (customer_id TEXT PRIMARY KEY, profile BLOB NOT NULL) WITHOUT ROWID"


def publish(ws: Workspace, target: Path | None = None) -> Path:
    """Put ``profiles.parquet`` where the service finds it: ``profiles.db``, or a file of its own for a package.

    Parameters
    ----------
    ws
        The run; its ``profiles.parquet`` must be there.
    target
        Where to write instead; such a file is sealed (no WAL beside it), to be carried away and only read.
    """
    if not ws.profiles.exists():
        raise InputError(f"{ws.profiles.name}: not there yet; run `custid profile CONFIG` first.")
    path = target or ws.profiles_db
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("BEGIN IMMEDIATE")
        try:
            db.execute(_TABLE)
            db.execute("DELETE FROM profiles")
            db.executemany("INSERT INTO profiles VALUES (?, ?)", _rows(ws.profiles))
            db.execute("COMMIT")
        except BaseException:
            db.execute("ROLLBACK")
            raise
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if target is not None:
            db.execute("PRAGMA journal_mode = DELETE")
    return path


class Profiles:
    """The published profiles, read only.

    Parameters
    ----------
    path
        A file that :func:`publish` wrote.
    """

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise InputError(f"{path.name}: no profiles are published there.")
        self._db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False)

    def get(self, customer_id: str) -> dict[str, Any] | None:
        """The profile of a customer, or None: scores, tier, lifecycle, next action, reasons."""
        import msgspec

        row = self._db.execute("SELECT profile FROM profiles WHERE customer_id = ?", (customer_id,)).fetchone()
        profile: dict[str, Any] | None = msgspec.json.decode(row[0]) if row else None
        return profile

    def first(self) -> str | None:
        """The smallest customer id there is, for examples."""
        row = self._db.execute("SELECT customer_id FROM profiles ORDER BY customer_id LIMIT 1").fetchone()
        return str(row[0]) if row else None

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()


def _rows(path: Path) -> Iterator[tuple[str, bytes]]:
    import msgspec
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(20_000):
            for profile in batch.to_pylist():
                yield profile["customer_id"], msgspec.json.encode(profile)
