from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from custid.training.history import Outcome
from custid.training.segments.axes import BEHAVIOUR, Lessons, outcomes


def weights(lessons, axis):
    return dict(zip(lessons.squash.columns, lessons.axes()[:, axis], strict=True))


def test_the_first_axis_follows_who_comes_back_and_the_second_how_much_they_spend(history):
    lessons = Lessons.of(history.snapshots)
    place = lessons.positions(lessons.axes())
    bought = np.isfinite(lessons.amount)
    assert np.corrcoef(place[:, 0], bought)[0, 1] > 0.4
    assert np.corrcoef(place[bought, 1], lessons.amount[bought])[0, 1] > 0.4
    assert set(lessons.squash.columns) <= set(BEHAVIOUR)
    assert weights(lessons, 0)["days_since_last"] < 0 < weights(lessons, 1)["spend_mean"]


def test_a_customer_who_is_drawn_twice_counts_twice(history):
    one = Lessons.of(history.snapshots)
    twice = np.ones(one.customer.max() + 1)
    twice[3] = 2.0
    rows = np.concatenate([np.arange(len(one.bought)), np.flatnonzero(one.customer == 3)])
    more = replace(
        one, squashed=one.squashed[rows], bought=one.bought[rows], amount=one.amount[rows], customer=one.customer[rows]
    )
    assert one.axes(twice) == pytest.approx(more.axes(), abs=1e-6)
    assert (one.axes(twice) != one.axes()).any()


def test_the_order_of_the_rows_and_the_unit_of_money_do_not_matter(history, make):
    one = Lessons.of(history.snapshots).axes()
    mixed = []
    for snapshot in history.snapshots:
        order = np.random.default_rng(1).permutation(snapshot.features.num_rows)
        mixed.append(replace(snapshot, features=snapshot.features.take(order), labels=snapshot.labels.take(order)))
    assert Lessons.of(mixed).axes() == pytest.approx(one, abs=2e-6)
    world = make()
    cents = Lessons.of(replace(world, amount=world.amount * 64).history().snapshots).axes()
    assert cents == pytest.approx(one, abs=2e-6)


def test_where_nobody_comes_back_recency_frequency_and_spend_work_as_usual(history):
    silent = [
        replace(s, labels=s.labels.set_column(1, "purchases", pa.array([0] * s.labels.num_rows)))
        for s in history.snapshots
    ]
    lessons = Lessons.of(silent)
    assert not np.isfinite(lessons.amount).any()
    assert weights(lessons, 0)["days_since_last"] < 0 < weights(lessons, 0)["purchases"]
    assert weights(lessons, 1)["spend_mean"] > 0


def test_outcomes_are_who_bought_and_the_logarithm_of_what_they_spent_in_any_unit(history):
    outcome = history.snapshots[0].outcome
    bought, amount = outcomes(outcome)
    assert (bought == (outcome.purchases > 0)).all()
    assert (np.isfinite(amount) == (outcome.purchases > 0)).all()
    share = np.expm1(amount[bought > 0])
    assert share / share.sum() == pytest.approx(outcome.spend[bought > 0] / outcome.spend[bought > 0].sum())
    assert outcomes(replace(outcome, spend=outcome.spend * 3))[1] == pytest.approx(amount, nan_ok=True)


def test_returns_alone_are_no_spend():
    came = Outcome(np.array(["a", "b", "c"]), np.array([1.0, 1.0, 0.0]), np.array([-5.0, 0.0, -2.0]))
    bought, amount = outcomes(came)
    assert bought.tolist() == [1.0, 1.0, 0.0]
    assert amount[:2].tolist() == [0.0, 0.0]
