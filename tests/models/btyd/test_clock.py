from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custid.models.btyd import BgNbd, Clock, Diary, Histories
from custid.models.btyd.clock import YEAR, bg_nbd

LENGTH = 700


def buyers(pace, customers=800, seed=0):
    """Days with a purchase of customers who come all the time, stay with BG/NBD's chances, and share a daily pace."""
    rng = np.random.default_rng(seed)
    time = np.concatenate([[0.0], np.cumsum(pace)])
    who, day = [], []
    for customer in range(customers):
        start = int(rng.integers(0, LENGTH - 60))
        days, now, rate, leaves = {start}, time[start], rng.gamma(1.5, 1 / 60), rng.beta(0.7, 4.0)
        while rng.random() > leaves:
            now += rng.exponential(1 / rate)
            if now >= time[-1]:
                break
            days.add(int(np.searchsorted(time, now)) - 1)
        who += [customer] * len(days)
        day += days
    return np.array(who), np.array(day)


def seasonal(days):
    return np.exp(0.5 * np.sin(2 * np.pi * days / YEAR))


@pytest.fixture(scope="module")
def world():
    return buyers(seasonal(np.arange(LENGTH)))


def known(world, now):
    who, day = world
    seen = day < now
    _, number = np.unique(who[seen], return_inverse=True)
    return Diary.of(number, day[seen])


def foretold(diary, clock, now, horizon):
    """What BG/NBD expects of all customers together on a clock."""
    age = clock.between(diary.first, np.full(diary.first.size, now))
    span = np.where(diary.repeats > 0, clock.between(diary.first, diary.last), 0.0)
    histories = Histories.of(diary.repeats, span, age)
    ahead = clock.between(np.array([now]), np.array([now + horizon]))
    return float(BgNbd.fit(histories, penalty=1.0).expected_purchases(histories, float(ahead[0])).sum())


def test_slopes_are_those_of_the_likelihood():
    rng = np.random.default_rng(3)
    x = rng.integers(0, 4, 20).astype(float)
    last = np.where(x > 0, rng.uniform(1, 40, 20), 0.0)
    age, theta, step = last + rng.uniform(0, 30, 20), np.log([0.7, 30.0, 0.4, 2.0]), 1e-5
    _, slopes, by_age, by_last = bg_nbd(theta, x, last, age)
    for axis, slope in zip(np.eye(4) * step, slopes, strict=True):
        up, down = bg_nbd(theta + axis, x, last, age)[0], bg_nbd(theta - axis, x, last, age)[0]
        assert slope == pytest.approx((up - down) / (2 * step), rel=1e-5, abs=1e-5)
    one = np.eye(20)[4] * step
    up, down = bg_nbd(theta, x, last, age + one)[0], bg_nbd(theta, x, last, age - one)[0]
    assert by_age[4] == pytest.approx((up - down) / (2 * step), abs=1e-5)
    at = int(np.argmax(x > 0))
    one = np.eye(20)[at] * step
    up, down = bg_nbd(theta, x, last + one, age)[0], bg_nbd(theta, x, last - one, age)[0]
    assert by_last[at] == pytest.approx((up - down) / (2 * step), abs=1e-5)


def test_the_likelihood_is_that_of_the_model():
    histories = Histories.of([0, 2, 5], [0.0, 12.0, 30.0], [40.0, 35.0, 33.0])
    model = BgNbd.fit(Histories.of([0, 2, 5, 1, 3, 1], [0, 12, 30, 9, 20, 3], [40, 35, 33, 40, 30, 8]), penalty=1.0)
    theta = np.log([model.r, model.alpha, model.a, model.b])
    total = bg_nbd(theta, histories.frequency, histories.recency, histories.age)[0]
    assert total == pytest.approx(float(model.log_likelihood(histories).sum()))


@pytest.mark.parametrize("now", [500, 590])
def test_a_season_that_was_seen_a_year_before_makes_the_forecast_nearer(world, now):
    diary, horizon = known(world, now), 90
    who, day = world
    there = np.isin(who, np.unique(who[day < now]))
    came = int((there & (day >= now) & (day < now + horizon)).sum())
    with_clock = foretold(diary, Clock.fit(diary, now, horizon), now, horizon)
    without = foretold(diary, Clock.even(), now, horizon)
    assert abs(np.log(with_clock / came)) < 0.5 * abs(np.log(without / came))


def test_the_pace_that_was_is_found(world):
    clock = Clock.fit(known(world, 640), 640, 60)
    middle = np.arange(100.0, 620.0, 40.0)
    found = np.log(clock.between(middle - 20, middle + 20))
    true = np.log([seasonal(np.arange(m - 20, m + 20)).sum() for m in middle])
    assert np.corrcoef(found, true)[0, 1] > 0.9


def test_without_a_season_the_forecast_is_about_the_calendars():
    diary = known(buyers(np.ones(LENGTH), seed=5), 600)
    on_clock = foretold(diary, Clock.fit(diary, 600, 90), 600, 90)
    assert on_clock == pytest.approx(foretold(diary, Clock.even(), 600, 90), rel=0.15)


def test_little_to_go_by_leaves_the_calendar():
    few = Diary.of(np.array([0, 0, 1]), np.array([1, 200, 7]))
    assert Clock.fit(few, 300.0, 60.0).between(np.array([3.0]), np.array([200.0])).tolist() == [197.0]


def test_the_order_of_rows_changes_nothing_and_a_later_calendar_only_shifts_it(world):
    who, day = world
    turned = np.random.default_rng(0).permutation(who.size)
    one, same = Clock.fit(Diary.of(who, day), LENGTH, 90), Clock.fit(Diary.of(who[turned], day[turned]), LENGTH, 90)
    assert np.array_equal(one.days, same.days)
    assert np.array_equal(one.ticks, same.ticks)
    later = Clock.fit(Diary.of(who, day + 1000), LENGTH + 1000, 90)
    assert later.ticks == pytest.approx(one.ticks, rel=1e-6)
    assert np.array_equal(later.days, one.days + 1000)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.1, 5.0), min_size=1, max_size=9), st.integers(-500, 500))
def test_time_goes_forward_and_adds_up(paces, start):
    clock = Clock(np.arange(len(paces) + 1.0) * 14, np.concatenate([[0.0], np.cumsum(np.array(paces) * 14)]))
    days = start + np.arange(60.0)
    times = clock.at(days)
    assert (np.diff(times) > 0).all()
    assert times[-1] - times[0] == pytest.approx(clock.between(days[:-1], days[1:]).sum())
    back = Clock.from_dict(json.loads(json.dumps(clock.to_dict())))
    assert np.array_equal(back.at(days), times)
    assert [clock.at(days[i : i + 1])[0] for i in range(3)] == times[:3].tolist()
