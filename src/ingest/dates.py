"""How a column writes its times, found out from all of its values.

A column is taken to write the date in one form (its most frequent one), with any of the times of day and zones that go
with it. Where the form is ``1/2/2011``, the values decide between day-first and month-first: a number above 12 can only
be a day. Where they do not decide, nobody guesses: the setting ``date_format`` has to. 8 digits in a row are a date
(``20110601``), other bare numbers are not.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import ConfigError, DataError

if TYPE_CHECKING:
    import duckdb

    from ..config import SourceSettings

_SHAPES = 2_000
_TOLERATED = 0.01
_DATES = (
    (re.compile(r"\d{4}-\d{1,2}-\d{1,2}"), "%Y-%m-%d"),
    (re.compile(r"\d{4}/\d{1,2}/\d{1,2}"), "%Y/%m/%d"),
    (re.compile(r"\d{4}\.\d{1,2}\.\d{1,2}"), "%Y.%m.%d"),
    (re.compile(r"\d{4}年\d{1,2}月\d{1,2}日"), "%Y年%m月%d日"),
    (re.compile(r"\d{8}"), "%Y%m%d"),
    (re.compile(r"\d{1,2}\.\d{1,2}\.\d{4}"), "%d.%m.%Y"),
    (re.compile(r"\d{1,2}\.\d{1,2}\.\d{2}"), "%d.%m.%y"),
    (re.compile(r"\d{1,2}/\d{1,2}/\d{4}"), "?/?/%Y"),
    (re.compile(r"\d{1,2}/\d{1,2}/\d{2}"), "?/?/%y"),
    (re.compile(r"\d{1,2}-\d{1,2}-\d{4}"), "?-?-%Y"),
    (re.compile(r"\d{1,2}-\d{1,2}-\d{2}"), "?-?-%y"),
    (re.compile(r"\d{1,2} [A-Za-z]{3,9} \d{4}"), "%d %b %Y"),
    (re.compile(r"\d{1,2}-[A-Za-z]{3,9}-\d{4}"), "%d-%b-%Y"),
    (re.compile(r"\d{1,2}-[A-Za-z]{3,9}-\d{2}"), "%d-%b-%y"),
    (re.compile(r"[A-Za-z]{3,9} \d{1,2}, \d{4}"), "%b %d, %Y"),
)
_CLOCK = re.compile(r"(?P<sep>T| +)\d{1,2}:\d{2}(?P<sec>:\d{2}(?P<frac>\.\d+)?)?(?P<half> ?[AaPp][Mm])?")
ZONE = r"( ?(?:[Zz]|UTC|GMT)| ?[+-]\d{2}(?::?\d{2})?)$"
_ZONE = re.compile(ZONE)


@dataclass(frozen=True)
class DatePlan:
    """How a column's times are read: ``strptime`` formats in order, and whether some of them name a zone."""

    formats: tuple[str, ...]
    zoned: bool = False
    digits_only: bool = False

    @property
    def about(self) -> str:
        """The formats in words."""
        return " or ".join(self.formats)


def format_of(text: str) -> tuple[str, str, bool] | None:
    """The form of a date, the format of the whole text, and whether it names a zone; nothing where it is no time.

    In forms that do not say what is the day, ``?`` stands for both numbers.

    >>> format_of("2011-06-01T08:05:00+01:00")
    ('%Y-%m-%d', '%Y-%m-%dT%H:%M:%S', True)
    >>> format_of("1/6/2011 8:05")
    ('?/?/%Y', '?/?/%Y %H:%M', False)
    >>> format_of("soon")
    """
    for pattern, form in _DATES:
        match = pattern.match(text)
        rest = text[match.end() :] if match else "x"
        if match is None or (rest and rest[0] not in "T +zZ"):
            continue
        if form.count("%b") and len(max(re.findall(r"[A-Za-z]+", match[0]), key=len)) > 3:
            form = form.replace("%b", "%B")
        if not rest:
            return form, form, False
        clock = _CLOCK.match(rest)
        if clock is None:
            return None
        zone = rest[clock.end() :]
        if zone and _ZONE.fullmatch(zone) is None:
            return None
        return form, form + _clock_format(clock), bool(zone)
    return None


def _clock_format(clock: re.Match[str]) -> str:
    hour = "%I" if clock["half"] else "%H"
    seconds = ":%S" if clock["sec"] else ""
    fraction = ".%f" if clock["frac"] else ""
    half = "" if not clock["half"] else clock["half"][:-2] + "%p"
    return f"{clock['sep']}{hour}:%M{seconds}{fraction}{half}"


def plan(con: duckdb.DuckDBPyConnection, source: SourceSettings, theirs: str, text: str, table: str) -> DatePlan:
    """Find out how a text column writes its times.

    Parameters
    ----------
    con, table
        Where the rows are, as an SQL relation.
    text
        The column, tidied, as an SQL expression.
    theirs
        What the user calls it.

    Raises
    ------
    DataError
        Where the values do not decide between day-first and month-first.
    """
    if source.date_format is not None:
        return _given(con, source)
    shapes = con.execute(
        f"SELECT translate(t, '0123456789', '9999999999') AS shape, count(*), min(t) "
        f"FROM (SELECT {text} AS t FROM {table}) WHERE t IS NOT NULL GROUP BY shape ORDER BY 2 DESC, 1 LIMIT {_SHAPES}"
    ).fetchall()
    known = [(format_of(example), count) for _, count, example in shapes]
    forms: Counter[str] = Counter()
    for found, count in known:
        if found is not None:
            forms[_merged(found[0])] += count
    if not forms:
        return DatePlan(("%Y-%m-%d",))
    form = min(forms, key=lambda f: (-forms[f], f))
    formats = Counter[str]()
    for found, count in known:
        if found is not None and _merged(found[0]) == form:
            formats[found[1]] += count
    zoned = any(found is not None and found[2] for found, _ in known)
    written = tuple(sorted(formats, key=lambda f: (-formats[f], f)))
    if form.startswith("?"):
        written = _decided(con, source, theirs, text, table, form, written)
    return DatePlan(written, zoned, form == "%Y%m%d")


def _merged(form: str) -> str:
    """Long and short month names are one form."""
    return form.replace("%B", "%b")


def _given(con: duckdb.DuckDBPyConnection, source: SourceSettings) -> DatePlan:
    import duckdb

    given = source.date_format
    formats = (given,) if isinstance(given, str) else tuple(given or ())
    where = f"sources.{source.name}.date_format"
    if not formats:
        raise ConfigError(f"{where}: is empty; expected formats such as '%d/%m/%Y %H:%M'.")
    for written in formats:
        try:
            con.execute("SELECT try_strptime('', ?)", [written])
        except duckdb.Error as error:
            said = str(error).splitlines()[0]
            raise ConfigError(
                f"{where}: {written!r} is no date format ({said}); expected one such as %d/%m/%Y."
            ) from None
    return DatePlan(formats)


def _decided(
    con: duckdb.DuckDBPyConnection,
    source: SourceSettings,
    theirs: str,
    text: str,
    table: str,
    form: str,
    written: tuple[str, ...],
) -> tuple[str, ...]:
    """Day-first or month-first, by the numbers above 12."""
    mark = form[1]
    digits = "4" if form.endswith("%Y") else "2"
    pattern = rf"^(\d{{1,2}}){mark}(\d{{1,2}}){mark}\d{{{digits}}}(?:\D|$)"
    row = con.execute(
        f"SELECT count(*) FILTER (a > 12 AND b <= 12), count(*) FILTER (b > 12 AND a <= 12), "
        f"min(t) FILTER (a > 12 AND b <= 12), min(t) FILTER (b > 12 AND a <= 12), min(t) "
        f"FROM (SELECT t, CAST(regexp_extract(t, $p, 1) AS INTEGER) AS a, "
        f"CAST(regexp_extract(t, $p, 2) AS INTEGER) AS b FROM (SELECT {text} AS t FROM {table}) "
        f"WHERE regexp_matches(t, $p))",
        {"p": pattern},
    ).fetchone()
    day_first, month_first, day_example, month_example, example = row or (0, 0, None, None, None)
    setting = f"sources.{source.name}.date_format"
    if day_first == month_first == 0:
        raise DataError(
            f"{source.name}: nothing in the column {theirs!r} says whether {example!r} has the day or the month first; "
            f"set {setting} to {written[0].replace('?', '%d', 1).replace('?', '%m')!r} or "
            f"{written[0].replace('?', '%m', 1).replace('?', '%d')!r}."
        )
    if min(day_first, month_first) > _TOLERATED * (day_first + month_first):
        raise DataError(
            f"{source.name}: the column {theirs!r} has dates with the day first ({day_example!r}, {day_first:,} rows) "
            f"and with the month first ({month_example!r}, {month_first:,} rows); "
            f"set {setting} to the one that is meant."
        )
    order = ("%d", "%m") if day_first > month_first else ("%m", "%d")
    return tuple(f.replace("?", order[0], 1).replace("?", order[1], 1) for f in written)
