from __future__ import annotations

import numpy as np
import pytest

from custid.models.predictor.members import Rows
from custid.training.learners import Lesson, affine, fit_member, loss, past_spend, slope_of, stack
from custid.training.level import mean_shift
from custid.training.task import task_of


@pytest.mark.parametrize("link", ["logit", "log"])
def test_slopes_are_those_of_the_loss(link):
    rng = np.random.default_rng(0)
    margin, truth = rng.normal(size=50), (rng.random(50) < 0.4).astype(float)
    first, second = slope_of(margin, truth, link)
    step = 1e-5
    up, down = loss(margin + step, truth, link), loss(margin - step, truth, link)
    assert first == pytest.approx((up - down) / (2 * step), abs=1e-5)
    assert second == pytest.approx((slope_of(margin + step, truth, link)[0] - first) / step, abs=1e-3)


def many(n, seed=0):
    rng = np.random.default_rng(seed)
    signal = rng.normal(size=n)
    truth = (rng.random(n) < 1 / (1 + np.exp(-signal))).astype(float)
    return np.stack([signal, rng.normal(size=n)], axis=1), truth, np.arange(n) % 3


def test_many_rows_find_the_member_that_knows_and_few_leave_the_weights_where_they_were():
    prior = np.array([0.5, 0.5])
    sure, _ = stack(*many(20_000), prior, 50.0, "logit")
    assert sure[0] == pytest.approx(1.0, abs=0.1)
    assert sure[1] < 0.05
    unsure, _ = stack(*many(30), prior, 50.0, "logit")
    assert unsure == pytest.approx(prior, abs=0.12)


def test_weights_are_never_negative():
    margins, truth, group = many(5000)
    weights, _ = stack(-margins, truth, group, np.array([0.5, 0.5]), 1.0, "logit")
    assert (weights >= 0).all()


def test_the_level_of_a_group_does_not_reach_the_weights():
    margins, truth, group = many(20_000)
    shifted = margins + np.array([0.0, 5.0, -3.0])[group][:, None]
    one, _ = stack(margins, truth, group, np.ones(2) / 2, 50.0, "logit")
    other, _ = stack(shifted, truth, group, np.ones(2) / 2, 50.0, "logit")
    assert other == pytest.approx(one, abs=0.01)


def test_an_overconfident_margin_is_calibrated_back():
    margins, truth, _ = many(20_000)
    slope, intercept = affine(3 * margins[:, 0] + 2, truth, "logit")
    assert slope == pytest.approx(1 / 3, abs=0.03)
    assert intercept == pytest.approx(-2 / 3, abs=0.1)


def test_the_mean_probability_becomes_what_it_should():
    margin = np.random.default_rng(1).normal(size=500) * 3
    for mean in (0.01, 0.5, 0.97):
        shifted = 1 / (1 + np.exp(-margin - mean_shift(margin, mean)))
        assert shifted.mean() == pytest.approx(mean, abs=1e-9)


def test_weights_say_which_rows_count_for_the_mean():
    margin = np.array([0.0, 0.0, 3.0])
    shift = mean_shift(margin, 0.2, np.array([1.0, 1.0, 0.0]))
    assert 1 / (1 + np.exp(-shift)) == pytest.approx(0.2, abs=1e-9)


def test_past_spend_is_a_member_where_it_is_known_and_its_largest_values_stay_apart():
    matrix = np.array([[1.0, 0.0], [1.0, 10.0], [1.0, 1e4], [1.0, 1e6], [1.0, np.nan]])
    some = Rows(matrix, {})
    (member,) = past_spend(task_of("clv"), ("age", "spend_total"), some)
    assert member.margin(some) == pytest.approx([0.0, np.arcsinh(0.001), np.arcsinh(1), np.arcsinh(100), 0.0])
    (gone,) = past_spend(task_of("churn"), ("age", "spend_total"), some)
    assert (gone.margin(some) == -member.margin(some)).all()
    assert past_spend(task_of("clv"), ("age", "visits"), some) == []


def test_a_lesson_in_which_nobody_spends_gives_everyone_the_least():
    rows = Rows(np.random.default_rng(2).normal(size=(50, 3)), {})
    params = {"depth": 2, "rounds": 20, "rate": 0.1, "child_weight": 5.0, "shrink": 5.0, "columns": 1.0}
    member = fit_member(task_of("clv"), "two-part", params, Lesson(rows, np.zeros(50), 10.0), 7)
    margin = member.margin(rows)
    assert np.isfinite(margin).all()
    assert np.ptp(margin) == 0
    assert np.exp(margin[0]) < 1e-6
