"""The stage: all sources of a config become canonical tables in the workspace."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..asof import DAY, midnight
from ..errors import DataError, masked
from ..tables import SPECS, Kind, TableSpec, arrow_schema, arrow_type
from ..workspace import Note, Workspace, discard, replacing, silent, write_json
from .columns import counted, layout
from .currency import unify
from .flags import flag
from .quality import BATCH, account, check, write_refused
from .read import stage_source
from .sql import connect, name, quoted
from .standardise import Standardised, standardise
from .voters import TIMES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import duckdb

    from ..config import Config, SourceSettings
    from .columns import Layout
    from .raw import Raw

_NEEDED = ("transactions", "subscriptions", "observations")


@dataclass(frozen=True)
class Part:
    """One source, standardised: its number names its tables in the session."""

    key: str
    number: int
    source: SourceSettings
    raw: Raw
    shape: Layout
    std: Standardised

    @property
    def rows(self) -> str:
        """The accepted rows."""
        return f"(SELECT * FROM {self.std.table} WHERE len(reasons) = 0)"

    @property
    def flags(self) -> str:
        """The table of the rows' flags, for transactions."""
        return f"flags_{self.number}"


def ingest(config: Config, ws: Workspace, note: Note = silent) -> date:
    """Read all sources and write the canonical tables, the refused rows and ``quality.json``.

    Parameters
    ----------
    config
        The settings; ``as_of`` is found out where it is not set.
    ws
        The workspace; its tables of an earlier run are replaced one by one.
    note
        Is told what is being done.

    Returns
    -------
    date
        The ``as_of`` of the run.

    Raises
    ------
    DataError
        Where a source cannot be read, nothing usable is left of it, or all of it lies at or after ``as_of``.
    """
    folder = ws.root / ".staging"
    discard(folder)
    folder.mkdir(parents=True)
    try:
        with connect(config, folder) as con:
            return _Run(config, ws, note, folder, con).go()
    finally:
        discard(folder)


class _Run:
    """One ingest, from the first source to the last table."""

    def __init__(self, config: Config, ws: Workspace, note: Note, folder: Path, con: duckdb.DuckDBPyConnection) -> None:
        self.config, self.ws, self.note, self.folder, self.con = config, ws, note, folder, con
        self.quality: dict[str, Any] = {}
        self.parts: list[Part] = []

    def go(self) -> date:
        """Do all of it."""
        for number, source in enumerate(self.config.sources):
            self._take(number, source)
        self._unify()
        for part in self.parts:
            part.raw.path.unlink()
        as_of = self._as_of()
        for part in self.parts:
            self._settle(part, as_of)
        self._enough(as_of)
        written = [table for table in SPECS if self._write(table, as_of)]
        for path in (*self.ws.root.glob("tables/*.parquet"), *self.ws.root.glob("tables/later/*.parquet")):
            if path.stem not in written:
                discard(path)
        self._write_quality(as_of)
        return as_of

    def _take(self, number: int, source: SourceSettings) -> None:
        """Read and standardise one source, and put its refused rows away."""
        key = self._key(source)
        self.note(f"reading {key} ({source.table})")
        raw = stage_source(source, self.folder / f"raw_{number}.parquet")
        shape = layout(source, raw.names)
        self.note(f"checking {key}")
        std = standardise(self.con, source, raw, shape, f"rows_{number}", self.config.as_of)
        part = Part(key, number, source, raw, shape, std)
        self._account(part)
        try:
            check(self.con, source, raw, shape, std, self.config.quality.max_refused)
        except DataError:
            self._write_quality(self.config.as_of)
            raise
        self.parts.append(part)

    def _account(self, part: Part) -> None:
        """Count a source's rows and put its refused ones away."""
        entry = account(self.con, part.source, part.raw, part.std)
        self.quality[part.key] = entry
        if entry["quarantined"]:
            write_refused(self.con, part.source, part.raw, part.std, self.ws.refused(part.key))
        else:
            discard(self.ws.refused(part.key))

    def _unify(self) -> None:
        """Bring the transactions to one currency; later rows of a currency without a rate are refused."""
        parts = {p.key: p for p in self.parts if p.source.table == "transactions" and not p.std.counted}
        pieces = next((p for p in self.parts if p.std.counted), None)
        if parts and pieces is not None:
            raise DataError(
                f"{pieces.source.name} ({masked(pieces.source.uri)}): its transactions say nothing of money, and those "
                f"of {next(iter(parts.values())).source.name} do; expected amounts in both, or "
                "sources.<name>.amounts: counted for both."
            )
        as_of = self.config.as_of
        money = [
            (key, p.std.table, p.std.columns, _known(p.std.columns, as_of) if as_of else "true")
            for key, p in parts.items()
        ]
        for key, notes in unify(self.con, money, self.config.currency).items():
            if as_of is not None:
                self._account(parts[key])
            self.quality[key]["notes"] += notes

    def _key(self, source: SourceSettings) -> str:
        """What a source is called in the account: its name, with the table where it fills several."""
        several = sum(s.name == source.name for s in self.config.sources) > 1
        return f"{source.name}.{source.table}" if several else source.name

    def _as_of(self) -> date:
        """The config's wall, or the day after the newest row that does not lie in the future."""
        if self.config.as_of is not None:
            return self.config.as_of
        now = datetime.now(UTC).replace(tzinfo=None)
        past, newest = _newest(self.con, self.parts, now)
        if newest is None:
            raise DataError("as_of: not set, and no source has times; expected a day, such as 2011-06-10.")
        as_of = (past or newest).date() + DAY
        ahead = (
            f"; rows as late as {newest.date()} lie in the future and are left aside" if past and newest > now else ""
        )
        sentence = f"as_of is not set: {as_of}, the day after the newest row, is taken{ahead}"
        self.note(sentence)
        for entry in self.quality.values():
            entry["notes"].append(sentence)
        return as_of

    def _settle(self, part: Part, as_of: date) -> None:
        """Count a source's later rows and flag its transactions."""
        known, entry = _known(part.std.columns, as_of), self.quality[part.key]
        entry["later"] = _count(self.con, f"{part.rows} WHERE NOT ({known})")
        if entry["later"]:
            entry["notes"].append(f"{counted(entry['later'])} at or after {as_of}, kept apart and not used")
        if part.source.table != "transactions":
            return
        self.note(f"flagging {part.key}")
        given = "CASE WHEN filled_order_id THEN order_id END" if "order_id" in part.std.given else "NULL::VARCHAR"
        rows = f"(SELECT *, {given} AS order_given FROM {part.rows})"
        entry["notes"] += flag(self.con, rows, part.std.columns, self.config.quality, known, part.flags)
        counts = self.con.execute(
            f"SELECT count(*) FILTER (duplicate), count(*) FILTER (cancellation), count(cancelled_at), "
            f"count(*) FILTER (non_product) FROM {part.flags}"
        ).fetchone()
        entry["flagged"] = dict(
            zip(("duplicate", "cancellation", "cancelled", "non_product"), counts or (), strict=True)
        )

    def _enough(self, as_of: date) -> None:
        """Stop where the tables that a prediction needs have no row before the wall."""
        there = [t for t in _NEEDED if any(p.source.table == t for p in self.parts)] or ["customers"]
        parts = [p for p in self.parts if p.source.table in there]
        if parts and not any(self._before(p) for p in parts):
            self._write_quality(as_of)
            first = min((m for p in parts if (m := _first(self.con, p)) is not None), default=None)
            begins = f" The first row is of {first.date()}." if first else ""
            raise DataError(
                f"as_of: {as_of} lies before all rows of {' and '.join(there)}; expected a later day.{begins}"
            )

    def _before(self, part: Part) -> int:
        """How many accepted rows of a source were known before the wall."""
        return int(self.quality[part.key]["accepted"] - self.quality[part.key]["later"])

    def _write(self, table: str, as_of: date) -> bool:
        """Write one canonical table and its later rows; false where no source fills it, or not before the wall."""
        parts = [p for p in self.parts if p.source.table == table]
        if not any(self._before(p) for p in parts):
            return False
        self.note(f"writing {table}")
        spec = SPECS[table]
        schema, extras = _schema(spec, parts, [p for p in parts if self._before(p)])
        for path, later in ((self.ws.table(table), False), (self.ws.later(table), True)):
            selects = [_select(p, spec, extras, as_of, later) for p in parts]
            reader = self.con.execute(f"{' UNION ALL '.join(selects)} ORDER BY source, row").to_arrow_reader(BATCH)
            with replacing(path) as draft, pq.ParquetWriter(draft, schema, compression="zstd") as writer:
                for batch in reader:
                    columns = [c for n, c in zip(batch.schema.names, batch.columns, strict=True) if n != "row"]
                    writer.write_table(pa.Table.from_arrays(columns, names=schema.names).cast(schema))
        return True

    def _write_quality(self, as_of: date | None) -> None:
        known = {self.ws.refused(key) for key in self.quality}
        for path in self.ws.quarantine.glob("*.parquet"):
            if path not in known:
                discard(path)
        write_json(self.ws.quality, {"as_of": as_of, "sources": self.quality})


def _count(con: duckdb.DuckDBPyConnection, rows: str) -> int:
    row = con.execute(f"SELECT count(*) FROM {rows}").fetchone()
    return int(row[0]) if row else 0


def _times(columns: Sequence[str]) -> list[str]:
    return [c for c in TIMES if c in columns]


def _known(columns: Sequence[str], as_of: date) -> str:
    """The SQL condition that a row was known before a day; see :func:`custid.asof.seen`."""
    wall = _wall(as_of)
    tests = [f"({c} < {wall} OR {c} IS NULL)" for c in _times(columns)]
    return " AND ".join(tests) or "true"


def _wall(as_of: date) -> str:
    return f"TIMESTAMP '{midnight(as_of).isoformat(sep=' ')}'"


def _newest(
    con: duckdb.DuckDBPyConnection, parts: Sequence[Part], now: datetime
) -> tuple[datetime | None, datetime | None]:
    """The newest time up to now, and the newest of all."""
    past: list[datetime] = []
    newest: list[datetime] = []
    for part in parts:
        for column in _times(part.std.columns):
            row = con.execute(
                f"SELECT max({column}) FILTER ({column} <= ?), max({column}) FROM {part.rows}", [now]
            ).fetchone()
            past += [row[0]] if row and row[0] is not None else []
            newest += [row[1]] if row and row[1] is not None else []
    return max(past, default=None), max(newest, default=None)


def _first(con: duckdb.DuckDBPyConnection, part: Part) -> datetime | None:
    time = SPECS[part.source.table].time
    if time not in part.std.columns:
        return None
    row = con.execute(f"SELECT min({time}) FROM {part.rows}").fetchone()
    return row[0] if row else None


def _schema(spec: TableSpec, parts: Sequence[Part], known: Sequence[Part]) -> tuple[pa.Schema, dict[str, Kind]]:
    """A table's columns as written: the canonical ones, then further attributes.

    Those are numbers, or yes and no, where all sources agree that have rows before the wall.
    """
    told: dict[str, set[Kind]] = {label: set() for part in parts for label, _ in part.std.extras}
    for part in known or parts:
        for label, kind in part.std.extras:
            told[label].add(kind)
    extras = {label: kinds.pop() if len(kinds) == 1 else Kind.TEXT for label, kinds in told.items()}
    schema = arrow_schema(spec)
    for label, kind in extras.items():
        schema = schema.append(pa.field(label, arrow_type(kind)))
    return schema, extras


def _select(part: Part, spec: TableSpec, extras: dict[str, Kind], as_of: date, later: bool) -> str:
    """The rows of one source as they are written, before the wall or after it."""
    std, known = part.std, _known(part.std.columns, as_of)
    columns = [f"{quoted(part.source.name)} AS source", "s.row AS row"]
    columns += [_column(c.name, c.kind, std, as_of, later) for c in spec.columns]
    rows = f"{std.table} s"
    if spec.name == "transactions":
        rows += f" JOIN {part.flags} f USING (row)"
        until = "f.cancelled_at" if later else f"CASE WHEN f.cancelled_at < {_wall(as_of)} THEN f.cancelled_at END"
        columns += ["f.duplicate", "f.cancellation", f"{until} AS cancelled_at", "f.non_product"]
    own = dict(std.extras)
    for label, kind in extras.items():
        cast = "CAST" if kind is Kind.TEXT else "try_cast"
        columns.append(f"{cast}({name('x_' + label)} AS {_TYPES[kind]})" if label in own else _nothing(kind))
    side = f"({known})" if not later else f"NOT ({known})"
    if later and "ended_at" in std.columns:
        side = f"({side} OR ended_at >= {_wall(as_of)})"
    return f"SELECT {', '.join(columns)} FROM {rows} WHERE len(s.reasons) = 0 AND {side}"


_TYPES = {
    Kind.TEXT: "VARCHAR",
    Kind.TIME: "TIMESTAMP",
    Kind.FIXED: "BIGINT",
    Kind.NUMBER: "DOUBLE",
    Kind.FLAG: "BOOLEAN",
}


def _nothing(kind: Kind) -> str:
    return f"CAST(NULL AS {_TYPES[kind]})"


def _column(column: str, kind: Kind, std: Standardised, as_of: date, later: bool) -> str:
    if column not in std.columns:
        return f"{_nothing(kind)} AS {column}"
    if column == "ended_at" and not later:
        return f"CASE WHEN s.ended_at < {_wall(as_of)} THEN s.ended_at END AS ended_at"
    return f"s.{column} AS {column}"
