"""Whose cells may say how a source is read: where the wall is known, only rows before it.

How dates are written, the decimal mark, the currency and what is a number are found out from a source's rows. If rows
at or after ``as_of`` had a say in that, they would change the ones before it. So a row votes only where all its times
lie before the wall in every reading that they allow; the order of day and month, once decided by such rows, narrows the
readings of the others. Where no wall is set, all rows vote.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from ..asof import midnight
from ..errors import DataError
from .dates import TimeColumn, given, survey
from .sql import quoted
from .times import DatePlan, parsed, utc

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    import duckdb

    from ..config import SourceSettings
    from .raw import Raw

TIMES = ("ts", "started_at", "registered_at", "ingested_at", "valid_from", "as_of")
"""The columns that say when a row was known; see :func:`custid.asof.seen`."""
_UNZONED = ("birth_date",)


def staged_rows(raw: Raw) -> str:
    """A source's staged rows, as an SQL relation."""
    return f"read_parquet({quoted(str(raw.path))})"


def cell_text(raw: Raw, at: int) -> str:
    """A staged cell as tidy text, in SQL."""
    kind = raw.types[at]
    if pa.types.is_string(kind):
        return f"tidy(c{at})"
    if pa.types.is_floating(kind):
        return f"double_text(c{at})"
    if pa.types.is_decimal(kind):
        return f"regexp_replace(CAST(c{at} AS VARCHAR), '\\.0+$', '')"
    return f"CAST(c{at} AS VARCHAR)"


def is_time(kind: pa.DataType) -> bool:
    """Whether a column came as times, not as text that has to be read."""
    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))


class Voters:
    """The rows of one staged source that have a say, as SQL relations.

    Parameters
    ----------
    con, source, raw
        The session, the source and its staged rows.
    canonical
        Canonical column: the place of the source's.
    as_of
        The wall; without one all rows have a say.

    Attributes
    ----------
    rows
        The rows that surely lie before the wall.
    ahead
        An SQL condition on staged rows: this one may lie at or after the wall.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        source: SourceSettings,
        raw: Raw,
        canonical: Mapping[str, int],
        as_of: date | None,
    ) -> None:
        self.con, self.source, self.raw, self.as_of = con, source, raw, as_of
        self.given = given(con, source)
        self._times = {c: canonical[c] for c in TIMES if c in canonical} if as_of is not None else {}
        self._written = {c: self._survey(c, at) for c, at in self._times.items() if not is_time(raw.types[at])}
        self.rows = self._first = self.staged
        self._maybe, self.ahead = "true", "false"
        if as_of is not None:
            self._elect(f"TIMESTAMP '{midnight(as_of).isoformat(sep=' ')}'")

    @property
    def staged(self) -> str:
        """All staged rows, as an SQL relation."""
        return staged_rows(self.raw)

    def zone(self, canonical: str) -> str:
        """The zone of a column's times that name none."""
        return "UTC" if canonical in _UNZONED else self.source.timezone

    def typed(self, canonical: str, at: int, cell: str) -> str:
        """A cell that came as a time, in UTC, in SQL."""
        kind, value = self.raw.types[at], f"try_cast({cell} AS TIMESTAMP)"
        return value if pa.types.is_timestamp(kind) and kind.tz is not None else utc(value, self.zone(canonical))

    def plan(self, canonical: str, at: int) -> DatePlan:
        """How a text column of times is read.

        Raises
        ------
        DataError
            Where the rows that have a say do not decide between day-first and month-first.
        """
        if self.given is not None:
            return self.given
        column = self._written.get(canonical) or self._survey(canonical, at)
        families = list(column.families)
        if self.as_of is None or (len(families) == 1 and not families[0].startswith("?")):
            return column.plan(self.con, self.staged, column.counts)
        for name in ("sure", "maybe"):
            votes = column.votes(self.con, self.rows if name == "sure" else self._kept(name, self._maybe))
            if any(votes.values()):
                return column.plan(self.con, self._first if canonical in self._written else self.rows, votes)
        try:
            return column.plan(self.con, self.staged, column.counts)
        except DataError:  # no row may lie before the wall: whatever they mean, none stops a run
            return DatePlan(("%Y-%m-%d",))

    def _survey(self, canonical: str, at: int) -> TimeColumn:
        text = cell_text(self.raw, at)
        return survey(self.con, self.source, self.raw.names[at], text, self.staged, self.zone(canonical))

    def _elect(self, wall: str) -> None:
        """Find out which rows lie before the wall and which may; first to settle the order of days and months."""
        unsettled = [c for c in self._written.values() if any(f.startswith("?") for f in c.families)]
        if unsettled:
            self._first = self._kept("first", self._conditions(wall)[0])
            for column in unsettled:
                column.settle_orders(self.con, self._first)
        before, self._maybe, self.ahead = self._conditions(wall)
        self.rows = self._kept("sure", before)
        if not unsettled:
            self._first = self.rows

    def _kept(self, name: str, condition: str) -> str:
        """The rows of a condition, looked for once where texts have to be read for it."""
        if condition == "true":
            return self.staged
        if not self._written:
            return f"(SELECT * FROM {self.staged} WHERE {condition})"
        table = f"voters_{name}"
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT row FROM {self.staged} WHERE {condition}")
        return f"(SELECT * FROM {self.staged} WHERE row IN (SELECT row FROM {table}))"

    def _conditions(self, wall: str) -> tuple[str, str, str]:
        """That a row surely lies before the wall, that it may, and that it may lie at or after it."""
        before, maybe, ahead = [], [], []
        for canonical, at in self._times.items():
            low, high = self._readings(canonical, at)
            empty = f"c{at} IS NULL" if is_time(self.raw.types[at]) else f"{cell_text(self.raw, at)} IS NULL"
            before.append(f"({empty} OR {high} < {wall})")
            maybe.append(f"({empty} OR {low} < {wall})")
            ahead.append(f"coalesce({high} >= {wall}, false)")
        return " AND ".join(before) or "true", " AND ".join(maybe) or "true", " OR ".join(ahead) or "false"

    def _readings(self, canonical: str, at: int) -> tuple[str, str]:
        if canonical not in self._written:
            value = self.typed(canonical, at, f"c{at}")
            return value, value
        low, high = self._written[canonical].readings()
        if self.given is None:
            return low, high
        told = parsed(cell_text(self.raw, at), self.given, self.zone(canonical))
        return f"coalesce({told}, {low})", f"coalesce({told}, {high})"
