import itertools
from datetime import date, datetime, timedelta

import ibis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custid.asof import DAY, ahead, arrival, midnight, parse_day, parse_duration, parse_span, schedule, seen


@pytest.mark.parametrize(("text", "days"), [("180d", 180), ("26w", 182), (" 1 day ", 1), ("2 weeks", 14)])
def test_spans_are_days_or_weeks(text, days):
    assert parse_span(text) == timedelta(days=days)


@pytest.mark.parametrize("text", ["", "d", "0d", "1.5d", "-3d", "6 months", timedelta(hours=3)])
def test_other_spans_are_refused(text):
    with pytest.raises(ValueError, match="days or weeks"):
        parse_span(text)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("10m", 600), ("2 h", 7200)])
def test_durations_go_by_the_clock(text, seconds):
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "10", "0m", "3d", "1.5h"])
def test_other_durations_are_refused(text):
    with pytest.raises(ValueError, match="minutes"):
        parse_duration(text)


def test_a_time_of_day_is_no_day():
    assert parse_day(datetime(2011, 6, 10)) == date(2011, 6, 10)
    with pytest.raises(ValueError, match="without a time"):
        parse_day(datetime(2011, 6, 10, 12))
    with pytest.raises(ValueError, match="2011-06-10"):
        parse_day("10/06/2011")


def rows(**columns):
    return ibis.memtable(columns)


def count(table) -> int:
    return int(table.count().execute())


def test_rows_at_the_midnight_are_ahead_and_not_seen():
    wall = date(2024, 3, 1)
    table = rows(ts=[datetime(2024, 2, 29, 23, 59, 59, 999999), midnight(wall), midnight(wall + 30 * DAY)])
    assert count(seen(table, wall)) == 1
    assert count(ahead(table, wall, 30 * DAY)) == 1


def test_a_row_that_arrived_late_is_not_seen_early():
    wall = date(2024, 3, 1)
    early = datetime(2024, 2, 1)
    table = rows(ts=[early] * 3, ingested_at=[None, early, midnight(wall)])
    assert count(seen(table, wall)) == 2


@given(
    history=st.integers(1, 900),
    horizon=st.integers(1, 400),
    stride=st.integers(1, 90),
    most=st.integers(1, 20),
)
def test_scheduled_labels_end_by_as_of_and_start_within_the_history(history, horizon, stride, most):
    as_of = date(2024, 1, 1)
    first = as_of - history * DAY
    days = schedule(first, as_of, horizon * DAY, stride * DAY, most)
    assert len(days) <= most
    assert all(first < day and day + horizon * DAY <= as_of for day in days)
    assert all(later - earlier == stride * DAY for earlier, later in itertools.pairwise(days))


def test_a_row_is_seen_from_the_first_midnight_after_its_arrival():
    moments = [None, datetime(2024, 1, 1), datetime(2024, 1, 1, 23, 59, 59, 999_999), datetime(2024, 1, 2)]
    names = ("ts", "started_at", "registered_at", "ingested_at", "valid_from")
    rows = [dict(zip(names, times, strict=True)) for times in itertools.product(moments, repeat=5)]
    happened = [row for row in rows if row["ts"] and row["started_at"]]
    whole = ibis.memtable(happened, schema=dict.fromkeys(names, "timestamp"))
    for some in (names, ("ts", "ingested_at"), ("started_at",), ("registered_at", "valid_from")):
        table = whole.select(*some)
        for day in (date(2024, 1, 1), date(2024, 1, 2), date(2024, 1, 3)):
            expected = table.filter(arrival(table) < ibis.literal(midnight(day), type="timestamp"))
            assert seen(table, day).count().execute() == expected.count().execute()
            assert seen(table, day).count().execute() == seen(expected, day).count().execute()
