"""How one column of a source is read, as SQL in steps: its text, its number, its value, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

from ..errors import DataError
from ..tables import SCALE, Column, Kind
from .dates import ZONE, DatePlan, plan
from .sql import CODES, MOST, SIGNS, quoted

if TYPE_CHECKING:
    import duckdb

    from ..config import SourceSettings
    from .raw import Raw

_STRICT = ("ingested_at", "valid_from", "registered_at", "ended_at")
_IDS = ("record_id", "order_id")
_AMOUNTS = ("amount", "quantity", "unit_price")
_UNZONED = ("birth_date",)
_CLOCK_ZONE = r"(:\d{2}(?:\.\d+)?(?: ?[AaPp][Mm])?)" + ZONE


@dataclass(frozen=True)
class Cell:
    """One canonical column of one source, as SQL in steps, each in terms of the one before.

    ``text`` is the tidy cell (``t_*``), ``bare`` a number's text without its ornaments (``b_*``), ``number`` the same
    as casts read it (``n_*``), ``exact`` its decimal where it is long (``d_*``), ``parsed`` the typed value (``p_*``),
    and ``trouble`` the code of what is wrong or NULL (``e_*``). A cell that ``decides`` has its row refused by a
    trouble.
    """

    name: str
    text: str
    parsed: str
    trouble: str
    decides: bool
    bare: str = ""
    number: str = ""
    exact: str = ""


@dataclass
class CellReader:
    """Finds out how the columns of one staged source are to be read; keeps sentences about it in ``notes``."""

    con: duckdb.DuckDBPyConnection
    source: SourceSettings
    raw: Raw
    notes: list[str] = field(default_factory=list)

    @property
    def staged(self) -> str:
        """The staged rows, as an SQL relation."""
        return f"read_parquet({quoted(str(self.raw.path))})"

    def cell(self, column: Column, at: int) -> Cell:
        """How the source's column ``at`` is read as a canonical column."""
        n = column.name
        text = f"id_text({self.text(at)})" if n in _IDS else self.text(at)
        wanted = column.required or n in _AMOUNTS
        missing = f"CASE WHEN t_{n} IS NULL THEN {quoted('missing') if wanted else 'NULL'} "
        decides = column.required or n in _STRICT
        if column.kind is Kind.TEXT:
            return Cell(n, text, f"t_{n}", missing + "END", decides)
        if column.kind is Kind.FLAG:
            return Cell(n, text, f"flag(t_{n})", f"{missing}WHEN p_{n} IS NULL THEN 'unreadable' END", decides)
        if column.kind is Kind.TIME:
            trouble = f"WHEN p_{n} IS NULL THEN 'unreadable' WHEN NOT sensible(p_{n}) THEN 'out_of_range' END"
            parsed = self._time(n, at, text)
            return Cell(n, f"c{at}" if _is_time(self.raw.types[at]) else text, parsed, missing + trouble, decides)
        return self._numeric(column, at, text, missing, decides)

    def text(self, at: int) -> str:
        """A cell as tidy text."""
        kind = self.raw.types[at]
        if pa.types.is_string(kind):
            return f"tidy(c{at})"
        if pa.types.is_floating(kind):
            return f"double_text(c{at})"
        if pa.types.is_decimal(kind):
            return f"regexp_replace(CAST(c{at} AS VARCHAR), '\\.0+$', '')"
        return f"CAST(c{at} AS VARCHAR)"

    def is_number(self, at: int) -> bool:
        """Whether a further attribute is kept as a number: a code with leading zeros is text."""
        kind = self.raw.types[at]
        if not self.raw.is_text(at):
            return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))
        row = self.con.execute(
            f"SELECT count(t), count(*) FILTER (t IS NOT NULL AND "
            f"(point_number(plain_or_bare(t)) IS NULL OR regexp_matches(t, '^0\\d'))) "
            f"FROM (SELECT {self.text(at)} AS t FROM {self.staged})"
        ).fetchone()
        return row is not None and row[0] > 0 and row[1] == 0

    def attribute(self, at: int, is_number: bool) -> str:
        """A further attribute, as a number or as text."""
        text = self.text(at)
        return f"try_cast(point_number(plain_or_bare({text})) AS DOUBLE)" if is_number else text

    def _numeric(self, column: Column, at: int, text: str, missing: str, decides: bool) -> Cell:
        n, bare, number = column.name, "", f"t_{column.name}"
        if self.raw.is_text(at):
            self._check_decimal(at, text)
            self._check_signs(column.name, at, text)
            comma = self.source.decimal == "," and at not in self.raw.numeric
            bare = f"{'bare_number' if comma else 'plain_or_bare'}(t_{n})"
            number = f"{'comma' if comma else 'point'}_number(b_{n})"
        unread = (
            f"CASE WHEN infinite(t_{n}) THEN 'not_finite' WHEN n_{n} IS NULL THEN 'unreadable' ELSE 'too_large' END"
        )
        if column.kind is Kind.FIXED:
            trouble = f"WHEN p_{n} IS NULL THEN {unread} WHEN abs(p_{n}) > {MOST * SCALE} THEN 'too_large' END"
            parsed, exact = f"fixed(n_{n}, d_{n})", f"exact(n_{n})"
            return Cell(n, text, parsed, missing + trouble, decides, bare, number, exact)
        bounds = f"WHEN p_{n} NOT BETWEEN 0 AND 1 THEN 'out_of_range' " if n == "score" else ""
        trouble = f"WHEN p_{n} IS NULL THEN {unread} WHEN NOT isfinite(p_{n}) THEN 'not_finite' {bounds}END"
        return Cell(n, text, f"try_cast(n_{n} AS DOUBLE)", missing + trouble, decides, bare, number)

    def _check_decimal(self, at: int, text: str) -> None:
        """Stop where the numbers plainly have the other decimal mark: some would be misread in silence."""
        if at in self.raw.numeric:
            return
        mark, ours, other = (",", "point", "comma") if self.source.decimal == "." else (".", "comma", "point")
        row = self.con.execute(
            f"SELECT count(*), count(*) FILTER (a IS NOT NULL AND b IS NULL), "
            f"count(*) FILTER (a IS NULL AND b IS NOT NULL), min(t) FILTER (a IS NULL AND b IS NOT NULL) "
            f"FROM (SELECT t, {ours}_number(s) AS a, {other}_number(s) AS b FROM "
            f"(SELECT t, plain_or_bare(t) AS s FROM (SELECT {text} AS t FROM {self.staged})))"
        ).fetchone()
        rows, only_ours, only_other, example = row or (0, 0, 0, None)
        if only_other > only_ours and only_other * 10 > rows:
            raise DataError(
                f"{self.source.name}: {only_other:,} values of the column {self.raw.names[at]!r}, such as {example!r}, "
                f"have the decimal mark {mark!r}; expected {self.source.decimal!r}. "
                f"Set sources.{self.source.name}.decimal to '{mark}'."
            )

    def _check_signs(self, canonical: str, at: int, text: str) -> None:
        """Stop where the amounts themselves name several currencies."""
        if canonical not in ("amount", "unit_price"):
            return
        found = self.con.execute(
            f"SELECT sign, count(*) FROM (SELECT upper(regexp_extract({text}, '(?i)[{SIGNS}]|{CODES}|元')) AS sign "
            f"FROM {self.staged}) WHERE sign <> '' GROUP BY 1 ORDER BY 2 DESC, 1"
        ).fetchall()
        if len(found) > 1:
            told = ", ".join(f"{sign} ({count:,} rows)" for sign, count in found)
            raise DataError(
                f"{self.source.name}: the column {self.raw.names[at]!r} has amounts in several currencies: {told}; "
                f"expected one, or plain numbers beside a column mapped to currency."
            )

    def _time(self, canonical: str, at: int, text: str) -> str:
        """A cell as a UTC timestamp."""
        kind = self.raw.types[at]
        if pa.types.is_timestamp(kind) and kind.tz is not None:
            return f"try_cast(t_{canonical} AS TIMESTAMP)"
        zone = "UTC" if canonical in _UNZONED else self.source.timezone
        if _is_time(kind):
            return _utc(f"try_cast(t_{canonical} AS TIMESTAMP)", zone)
        found = plan(self.con, self.source, self.raw.names[at], text, self.staged)
        self.notes.append(f"{self.raw.names[at]} is read as {found.about}")
        return _parsed(f"t_{canonical}", found, zone)


def _is_time(kind: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))


def _parsed(text: str, found: DatePlan, zone: str) -> str:
    if any("%f" in f for f in found.formats):
        text = f"regexp_replace({text}, '(\\.\\d{{6}})\\d+', '\\1')"
    if found.digits_only:
        text = f"CASE WHEN regexp_matches({text}, '^\\d{{8}}(\\D|$)') THEN {text} END"
    zoned = [f for f in found.formats if "%z" in f or "%Z" in f]
    if zoned:
        return "coalesce(" + ", ".join(_one(text, f, "UTC" if f in zoned else zone) for f in found.formats) + ")"
    formats = "[" + ", ".join(quoted(f) for f in found.formats) + "]"
    return _shifted(text, formats, zone) if found.zoned else _utc(f"try_strptime({text}, {formats})", zone)


def _shifted(text: str, formats: str, zone: str) -> str:
    """A time whose text may end in a zone: ``Z`` or an offset from UTC."""
    base = f"try_strptime(regexp_replace({text}, {quoted(_CLOCK_ZONE)}, '\\1'), {formats})"
    said = f"trim(regexp_extract({text}, {quoted(_CLOCK_ZONE)}, 2))"
    digits = f"regexp_replace({said}, '[^0-9]', '', 'g')"
    offset = f"to_minutes(CAST({digits}[1:2] AS INTEGER) * 60 + coalesce(try_cast({digits}[3:4] AS INTEGER), 0))"
    return (
        f"CASE WHEN {said} = '' THEN {_utc(base, zone)} WHEN {said}[1] = '+' THEN {base} - {offset} "
        f"WHEN {said}[1] = '-' THEN {base} + {offset} ELSE {base} END"
    )


def _one(text: str, written: str, zone: str) -> str:
    return _utc(f"CAST(try_strptime({text}, {quoted(written)}) AS TIMESTAMP)", zone)


def _utc(local: str, zone: str) -> str:
    return local if zone == "UTC" else f"CAST(timezone({quoted(zone)}, {local}) AS TIMESTAMP)"
