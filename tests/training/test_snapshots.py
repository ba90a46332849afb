from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custid.config.settings import TrainingSettings
from custid.errors import InputError
from custid.training.snapshots import plan

FIRST = date(2020, 1, 1)


@given(st.integers(60, 1200), st.integers(1, 400))
def test_every_label_window_ends_by_as_of_and_has_a_history_before_it(length, horizon):
    as_of = FIRST + timedelta(days=length)
    made = plan(FIRST, as_of, timedelta(days=horizon), TrainingSettings())
    assert made.days
    assert list(made.days) == sorted(set(made.days))
    assert len(made.days) <= TrainingSettings().snapshots
    assert made.learnt <= timedelta(days=horizon)
    assert all(day + made.learnt <= as_of for day in made.days)
    least = min(TrainingSettings().min_history.days, length // 3)
    assert all((day - FIRST).days >= least for day in made.days)
    assert (as_of - made.days[-1] - made.learnt).days in {0, -made.learnt.days % 7 if horizon < 28 else 0}


def test_two_years_leave_room_for_the_whole_horizon():
    made = plan(date(2009, 12, 1), date(2011, 6, 10), timedelta(days=180), TrainingSettings())
    assert made.learnt.days == 180
    assert len(made.days) == 11


@given(st.integers(1, 27))
def test_a_short_horizon_is_learnt_from_days_on_the_weekday_of_as_of(horizon):
    as_of = date(2022, 6, 10)
    made = plan(FIRST, as_of, timedelta(days=horizon), TrainingSettings(stride="4w"))
    assert {day.weekday() for day in made.days} == {as_of.weekday()}


def test_a_history_of_days_is_refused():
    with pytest.raises(InputError, match="10 days before"):
        plan(FIRST, date(2020, 1, 11), timedelta(days=30), TrainingSettings())
