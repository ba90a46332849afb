"""The one definition of as-of, window and horizon.

``as_of`` and every snapshot are midnights (UTC). Features see rows *before* a midnight; labels see the rows of the
horizon that starts at it, and only horizons that have ended by ``as_of`` are labelled.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ibis

DAY = timedelta(days=1)
_HAPPENED = ("ts", "started_at")
_ARRIVED = ("registered_at", "ingested_at", "valid_from")
_SPAN = re.compile(r"^\s*(\d+)\s*(d|w|day|days|week|weeks)\s*$")


def parse_span(value: object) -> timedelta:
    """A whole number of days or weeks: ``180d``, ``39w``.

    >>> parse_span("39w")
    datetime.timedelta(days=273)
    >>> parse_span("a while")
    Traceback (most recent call last):
    ValueError: expected a number of days or weeks, such as 180d or 26w
    """
    if isinstance(value, timedelta) and value >= DAY and value % DAY == timedelta(0):
        return value
    match = _SPAN.match(str(value))
    if match is None or int(match[1]) == 0:
        raise ValueError("expected a number of days or weeks, such as 180d or 26w")
    return timedelta(days=int(match[1]) * (7 if match[2].startswith("w") else 1))


def parse_duration(value: object) -> timedelta:
    """A length of time by the clock: ``90s``, ``10m``, ``2h``.

    >>> parse_duration("10m")
    datetime.timedelta(seconds=600)
    """
    if isinstance(value, timedelta) and value > timedelta(0):
        return value
    match = re.fullmatch(r"\s*(\d+)\s*([smh])\s*", str(value))
    if match is None or int(match[1]) == 0:
        raise ValueError("expected seconds, minutes or hours, such as 90s, 10m or 2h")
    return timedelta(seconds=int(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2]])


def midnight(day: date | datetime) -> datetime:
    """The midnight that starts a day, without a zone, as times are kept in the tables (UTC).

    >>> midnight(date(2011, 6, 10))
    datetime.datetime(2011, 6, 10, 0, 0)
    """
    return datetime(day.year, day.month, day.day, tzinfo=UTC).replace(tzinfo=None)


def parse_day(value: object) -> date:
    """A day written as ``2011-06-10``; a time of day is refused, since snapshots are midnights.

    >>> parse_day("2011-06-10")
    datetime.date(2011, 6, 10)
    """
    if isinstance(value, datetime):
        if value != midnight(value):
            raise ValueError("expected a day without a time of day, such as 2011-06-10")
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value).strip())
    except ValueError:
        raise ValueError("expected a day, such as 2011-06-10") from None


def seen(table: ibis.Table, snapshot: date) -> ibis.Table:
    """The rows that were known before a snapshot: they happened, had arrived and were valid before it.

    Looks at whichever of ``ts``, ``started_at``, ``registered_at``, ``ingested_at`` and ``valid_from`` the table has;
    a missing arrival or validity counts as known all along.
    """
    wall = _literal(midnight(snapshot))
    for name in _HAPPENED:
        if name in table.columns:
            table = table.filter(table[name] < wall)
    for name in _ARRIVED:
        if name in table.columns:
            table = table.filter(table[name].isnull() | (table[name] < wall))
    return table


def arrival(table: ibis.Table) -> Any:
    """When each row became known: a snapshot sees it (:func:`seen`) if that was before it."""
    import ibis

    always = ibis.literal(midnight(date.min), type="timestamp")
    happened = [table[name] for name in _HAPPENED if name in table.columns]
    arrived = [table[name].fill_null(always) for name in _ARRIVED if name in table.columns]
    return ibis.greatest(always, *happened, *arrived)


def ahead(table: ibis.Table, snapshot: date, horizon: timedelta) -> ibis.Table:
    """The rows of the label window: ``snapshot <= ts < snapshot + horizon``."""
    start = midnight(snapshot)
    return table.filter((table.ts >= _literal(start)) & (table.ts < _literal(start + horizon)))


def schedule(first: date, as_of: date, horizon: timedelta, stride: timedelta, most: int) -> list[date]:
    """The labelled snapshots, oldest first: their horizons have ended by ``as_of``.

    Goes back from ``as_of - horizon`` by ``stride`` while a snapshot lies after the ``first`` day of the history.

    >>> schedule(date(2011, 1, 1), date(2011, 4, 1), 30 * DAY, 30 * DAY, 9)
    [datetime.date(2011, 1, 31), datetime.date(2011, 3, 2)]
    """
    last = as_of - horizon
    days = (last - i * stride for i in range(most))
    return sorted(day for day in days if day > first)


def _literal(moment: datetime) -> Any:
    import ibis

    return ibis.literal(moment, type="timestamp")
