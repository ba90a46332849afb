"""How a column writes its times, found out from its values.

The forms that begin with the year can be taken for nothing else and are accepted together; of all others a column is
taken to write one (its most frequent one), with any of the times of day and zones that go with it. Where the form is
``1/2/2011``, the values decide between day-first and month-first: a number above 12 can only be a day. Where they do
not decide, nobody guesses: the setting ``date_format`` has to. 8 digits in a row are a date (``20110601``), other bare
numbers are not.

Where the wall is known, the rows at or after it have no say in any of this; see :mod:`custid.ingest.voters`.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import ConfigError, DataError
from .columns import counted
from .sql import quoted
from .times import ZONE, DatePlan, parsed

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

    from ..config import SourceSettings

_TOLERATED = 0.01
_MONTH = (
    "(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|january|february|march|april|june|july|august|september|"
    "october|november|december)"
)
_PATTERNS = {
    "%Y-%m-%d": r"\d{4}-\d{1,2}-\d{1,2}",
    "%Y/%m/%d": r"\d{4}/\d{1,2}/\d{1,2}",
    "%Y.%m.%d": r"\d{4}\.\d{1,2}\.\d{1,2}",
    "%Y年%m月%d日": r"\d{4}年\d{1,2}月\d{1,2}日",
    "%Y%m%d": r"\d{8}",
    "%d.%m.%Y": r"\d{1,2}\.\d{1,2}\.\d{4}",
    "%d.%m.%y": r"\d{1,2}\.\d{1,2}\.\d{2}",
    "?/?/%Y": r"\d{1,2}/\d{1,2}/\d{4}",
    "?/?/%y": r"\d{1,2}/\d{1,2}/\d{2}",
    "?-?-%Y": r"\d{1,2}-\d{1,2}-\d{4}",
    "?-?-%y": r"\d{1,2}-\d{1,2}-\d{2}",
    "%d %b %Y": rf"\d{{1,2}} {_MONTH} \d{{4}}",
    "%d-%b-%Y": rf"\d{{1,2}}-{_MONTH}-\d{{4}}",
    "%d-%b-%y": rf"\d{{1,2}}-{_MONTH}-\d{{2}}",
    "%b %d, %Y": rf"{_MONTH} \d{{1,2}}, \d{{4}}",
}
_DATES = tuple((re.compile(pattern), form) for form, pattern in _PATTERNS.items())
_CLOCK = re.compile(r"(?P<sep>T| +)\d{1,2}:\d{2}(?P<sec>:\d{2}(?P<frac>\.\d+)?)?(?P<half> ?[AaPp][Mm])?")
_ZONE = re.compile(ZONE)
_ANY = rf"({'|'.join(_PATTERNS.values())})({_CLOCK.pattern}({ZONE.removesuffix('$')})?)?"
_YEAR_FIRST = "%Y"


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


def _family(form: str) -> str:
    """Forms that are accepted together: those that begin with the year, and long and short month names."""
    return _YEAR_FIRST if form.startswith("%Y") else form.replace("%B", "%b")


@dataclass
class TimeColumn:
    """A text column of times: the families of forms that occur in it, with the formats and the rows of each.

    ``text`` is the tidy cell as an SQL expression, ``theirs`` what the user calls the column, ``zone`` that of times
    without one. ``orders`` holds, for families that do not say what is the day, the order that was decided on.
    """

    source: SourceSettings
    theirs: str
    text: str
    zone: str
    families: Mapping[str, tuple[str, ...]]
    counts: Mapping[str, int]
    zoned: bool
    orders: dict[str, tuple[str, str]]

    def readings(self) -> tuple[str, str]:
        """The earliest and the latest that a cell can mean, in SQL; NULL where it is no time."""
        low, high = [], []
        for family in self.families:
            matches = f"WHEN regexp_matches({self.text}, {quoted(_pattern(family))}) THEN"
            first, second = self.orders.get(family, ("%d", "%m"))
            one = parsed(self.text, self._plan(family, (first, second)), self.zone)
            two = parsed(self.text, self._plan(family, (second, first)), self.zone)
            if not family.startswith("?"):
                each = one, one
            elif family in self.orders:
                each = f"coalesce({one}, {two})", f"coalesce({one}, {two})"
            else:
                each = f"least({one}, {two})", f"greatest({one}, {two})"
            low.append(f"{matches} {each[0]}")
            high.append(f"{matches} {each[1]}")
        if not low:
            return "CAST(NULL AS TIMESTAMP)", "CAST(NULL AS TIMESTAMP)"
        return f"CASE {' '.join(low)} END", f"CASE {' '.join(high)} END"

    def settle_orders(self, con: duckdb.DuckDBPyConnection, rows: str) -> None:
        """Decide between day-first and month-first where the given rows do."""
        for family in self.families:
            if family.startswith("?"):
                try:
                    self.orders[family] = self._order(con, rows, family)
                except DataError:
                    self.orders.pop(family, None)

    def votes(self, con: duckdb.DuckDBPyConnection, rows: str) -> dict[str, int]:
        """How many of the given rows are written in each family."""
        if not self.families:
            return {}
        counts = ", ".join(
            f"count(*) FILTER (regexp_matches(t, {quoted(_pattern(family))}))" for family in self.families
        )
        row = con.execute(f"SELECT {counts} FROM (SELECT {self.text} AS t FROM {rows})").fetchone()
        return dict(zip(self.families, row or (), strict=True))

    def plan(self, con: duckdb.DuckDBPyConnection, rows: str, votes: Mapping[str, int]) -> DatePlan:
        """How the column is read, as most of the votes say.

        Raises
        ------
        DataError
            Where the given rows do not decide between day-first and month-first.
        """
        if not any(votes.values()):
            return DatePlan(("%Y-%m-%d",))
        family = min(votes, key=lambda f: (-votes[f], f))
        return self._plan(family, self._order(con, rows, family) if family.startswith("?") else ("", ""))

    def _plan(self, family: str, order: tuple[str, str]) -> DatePlan:
        first, second = order
        formats = (f.replace("?", first, 1).replace("?", second, 1) for f in self.families[family])
        return DatePlan(tuple(formats), self.zoned)

    def _order(self, con: duckdb.DuckDBPyConnection, rows: str, family: str) -> tuple[str, str]:
        """Day-first or month-first, by the numbers above 12."""
        mark = family[1]
        pattern = rf"^(\d{{1,2}}){mark}(\d{{1,2}}){mark}\d{{{4 if family.endswith('%Y') else 2}}}(?:\D|$)"
        row = con.execute(
            f"SELECT count(*) FILTER (a > 12 AND b <= 12), count(*) FILTER (b > 12 AND a <= 12), "
            f"min(t) FILTER (a > 12 AND b <= 12), min(t) FILTER (b > 12 AND a <= 12), min(t) "
            f"FROM (SELECT t, CAST(regexp_extract(t, $p, 1) AS INTEGER) AS a, "
            f"CAST(regexp_extract(t, $p, 2) AS INTEGER) AS b FROM (SELECT {self.text} AS t FROM {rows}) "
            f"WHERE regexp_matches(t, $p))",
            {"p": pattern},
        ).fetchone()
        day_first, month_first, day_example, month_example, example = row or (0, 0, None, None, None)
        name, setting = self.source.name, f"sources.{self.source.name}.date_format"
        if day_first == month_first == 0:
            one, other = (self._plan(family, order).formats[0] for order in (("%d", "%m"), ("%m", "%d")))
            raise DataError(
                f"{name}: nothing in the column {self.theirs!r} says whether {example!r} has the day or the month "
                f"first; set {setting} to {one!r} or {other!r}."
            )
        if min(day_first, month_first) > _TOLERATED * (day_first + month_first):
            raise DataError(
                f"{name}: the column {self.theirs!r} has dates with the day first ({day_example!r}, "
                f"{counted(day_first)}) and with the month first ({month_example!r}, {counted(month_first)}); "
                f"set {setting} to the one that is meant."
            )
        return ("%d", "%m") if day_first > month_first else ("%m", "%d")


def _pattern(family: str) -> str:
    """What begins as a family's dates do."""
    patterns = [pattern for form, pattern in _PATTERNS.items() if _family(form) == family]
    return rf"^({'|'.join(patterns)})(\D|$)"


def survey(
    con: duckdb.DuckDBPyConnection, source: SourceSettings, theirs: str, text: str, rows: str, zone: str
) -> TimeColumn:
    """Find out in which forms a text column writes times.

    Parameters
    ----------
    con, rows
        Where the rows are, as an SQL relation.
    theirs
        What the user calls the column.
    text
        The column, tidied, as an SQL expression.
    zone
        The zone of times that name none.
    """
    shapes = con.execute(
        f"SELECT translate(t, '0123456789', '9999999999') AS shape, count(*), min(t) FROM (SELECT {text} AS t "
        f"FROM {rows}) WHERE t IS NOT NULL GROUP BY shape HAVING regexp_full_match(shape, {quoted(_ANY)}) ORDER BY 1"
    ).fetchall()
    families: dict[str, Counter[str]] = {}
    zoned = False
    for _, count, example in shapes:
        found = format_of(example)
        if found is not None:
            families.setdefault(_family(found[0]), Counter())[found[1]] += count
            zoned = zoned or found[2]
    formats = {name: tuple(sorted(of, key=lambda f: (-of[f], f))) for name, of in families.items()}
    counts = {name: of.total() for name, of in families.items()}
    return TimeColumn(source, theirs, text, zone, formats, counts, zoned, {})


def given(con: duckdb.DuckDBPyConnection, source: SourceSettings) -> DatePlan | None:
    """The formats that the config sets, if it sets any.

    Raises
    ------
    ConfigError
        Where one of them is none.
    """
    import duckdb

    if source.date_format is None:
        return None
    formats = (source.date_format,) if isinstance(source.date_format, str) else tuple(source.date_format)
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
