from __future__ import annotations

import numpy as np
import pytest
import xgboost as xgb
from hypothesis import given
from hypothesis import strategies as st

from custid.models.predictor.contributions import logit, sigmoid
from custid.models.predictor.interval import Bands
from custid.models.predictor.members import Formula, Linear, Rows, Trees, TwoPart, load_member

FLOATS = st.floats(-50, 50)


@given(FLOATS)
def test_sigmoid_and_logit_are_inverse_within_their_reach(x):
    p = sigmoid(np.array([x]))
    assert 0 <= p[0] <= 1
    if abs(x) < 13:
        assert logit(p)[0] == pytest.approx(x, abs=1e-6)


def linear(rng, k=4, intercept=0.3):
    return Linear(np.full(k, 2.0), rng.normal(size=k), np.ones(k), rng.normal(size=k), intercept)


def rows(rng, n=30, k=4):
    matrix = rng.normal(size=(n, k)) * 10
    matrix[rng.random((n, k)) < 0.2] = np.nan
    return Rows(matrix, {"buys": rng.normal(size=n), "value": rng.normal(size=n)})


@given(st.integers(0, 50))
def test_the_parts_of_every_member_sum_to_its_margin(seed):
    rng = np.random.default_rng(seed)
    some = rows(rng)
    members = [Formula("buys", 0.4), linear(rng), TwoPart(linear(rng), linear(rng, intercept=4.0))]
    for member in members:
        parts = member.parts(some)
        total = parts.base + parts.features.sum(axis=1) + parts.formula
        assert np.abs(total - member.margin(some)).max() < 1e-9


def test_members_come_back_from_their_folder(tmp_path):
    rng = np.random.default_rng(1)
    some = rows(rng)
    for number, member in enumerate([Formula("value", 0.4), linear(rng), TwoPart(linear(rng), Formula("value", 1.0))]):
        again = load_member(tmp_path, member.save(tmp_path, str(number)))
        assert (again.margin(some) == member.margin(some)).all()


def test_what_is_unknown_counts_as_usual_and_outliers_are_held():
    model = Linear(np.ones(1), np.zeros(1), np.ones(1), np.ones(1), 0.0)
    margins = model.margin(Rows(np.array([[np.nan], [1e12], [-1e12]]), {}))
    assert margins.tolist() == [0.0, Linear.reach, -Linear.reach]


@given(st.integers(0, 30), st.sampled_from([0.6, 0.8, 0.9]))
def test_intervals_hold_new_outcomes_as_often_as_they_say(seed, coverage):
    rng = np.random.default_rng(seed)
    predicted = np.exp(rng.normal(4, 1, 6000))
    spent = predicted * rng.gamma(2.0, 0.5, 6000)
    sure = np.full(3000, 20.0)
    bands = Bands.fit(predicted[:3000], spent[:3000], sure, (1.0, 0.0), coverage)
    low, high = bands.ends(predicted[3000:], sure)
    held = ((spent[3000:] >= low) & (spent[3000:] <= high)).mean()
    assert held == pytest.approx(coverage, abs=0.04)
    assert (low <= predicted[3000:]).all()
    assert (predicted[3000:] <= high).all()


def test_where_most_spend_nothing_the_rest_is_covered_as_often_as_all_together_allow():
    rng = np.random.default_rng(3)
    predicted = np.repeat([1.0, 100.0], 2000)
    signal = np.where(predicted > 50, 3.0, -3.0)
    chance = 1 / (1 + np.exp(-signal))
    spent = np.where(rng.random(4000) < chance, predicted / chance * rng.gamma(2.0, 0.5, 4000), 0.0)
    low, high = Bands.fit(predicted, spent, signal, (1.0, 0.0), 0.8).ends(predicted, signal)
    assert 0.78 < ((spent >= low) & (spent <= high)).mean() < 0.86
    assert (low[predicted > 50] > 0).all()
    assert (low[predicted < 50] == 0).all()


def test_an_interval_says_the_same_alone_and_after_it_was_kept():
    rng = np.random.default_rng(4)
    predicted, signal = np.exp(rng.normal(3, 1, 500)), rng.normal(size=500)
    bands = Bands.fit(predicted, predicted * rng.gamma(1.0, 1.0, 500) * (signal > -1), signal, (1.0, 0.0), 0.8)
    again = Bands.from_dict(bands.to_dict())
    low, high = bands.ends(predicted, signal)
    alone = [again.ends(predicted[i : i + 1], signal[i : i + 1]) for i in range(50)]
    assert [(a[0], b[0]) for a, b in alone] == list(zip(low[:50], high[:50], strict=True))


@pytest.mark.filterwarnings("ignore")  # shap's own libraries warn
def test_the_parts_of_trees_are_shap_values():
    """XGBoost's own contributions beside the reference implementation of TreeSHAP, missing values included."""
    shap = pytest.importorskip("shap")
    rng = np.random.default_rng(2)
    some = rows(rng, n=300)
    target = np.nan_to_num(some.matrix[:, 0]) + np.abs(np.nan_to_num(some.matrix[:, 1])) + rng.normal(size=300)
    data = xgb.DMatrix(some.matrix, label=target)
    booster = xgb.train({"max_depth": 3, "base_score": 0.0, "nthread": 1, "seed": 1}, data, 20)
    parts = Trees(bytes(booster.save_raw("ubj")), 1.5, 0.0, "buys", 0.0).parts(some)
    explainer = shap.TreeExplainer(booster)
    assert np.abs(parts.features - explainer.shap_values(some.matrix)).max() < 1e-3
    assert np.abs(parts.base - 1.5 - explainer.expected_value).max() < 1e-3
