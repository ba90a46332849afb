from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custid.training.baselines import rfm_points
from custid.training.history import Outcome
from custid.training.segments.telling import compare, expected, explained, rfm_cells

GROUPS = st.lists(st.integers(0, 4), min_size=3, max_size=60)


def outcome(n=400, seed=0):
    rng = np.random.default_rng(seed)
    purchases = rng.poisson(0.6, n).astype(float)
    return Outcome(np.arange(n).astype(str), purchases, np.where(purchases > 0, rng.gamma(2, 30, n), 0.0))


@given(GROUPS, st.integers(0, 1000))
def test_a_customer_does_not_speak_for_itself(group, seed):
    truth = np.random.default_rng(seed).normal(size=len(group))
    changed = truth.copy()
    changed[0] += 5.0
    numbers = np.array(group)
    assert (numbers == numbers[0]).sum() == 1 or expected(truth, numbers)[0] == pytest.approx(
        expected(changed, numbers)[0]
    )


def test_groups_drawn_at_random_explain_nothing_however_many_they_are():
    rng = np.random.default_rng(3)
    truth = (rng.random(4000) < 0.4).astype(float)
    for count in (5, 125, 1000):
        assert explained(truth, expected(truth, rng.integers(0, count, 4000))) < 0.01
    assert explained(truth, expected(truth, truth.astype(int))) == pytest.approx(1.0)


@given(st.permutations(range(5)))
def test_the_numbers_of_the_groups_do_not_matter(order):
    truth, group = outcome(200).spend, np.arange(200) % 5
    assert expected(truth, np.array(order)[group]) == pytest.approx(expected(truth, group))


def test_cells_are_the_quintiles_that_the_points_add_up():
    rng = np.random.default_rng(5)
    table = pa.table(
        {
            "days_since_last": rng.exponential(50, 300),
            "purchases": 1.0 + rng.poisson(3, 300),
            "spend_total": rng.gamma(2, 50, 300),
        }
    )
    cells = rfm_cells(table)
    assert cells.min() >= 0
    assert cells.max() < 125
    assert (cells // 25 + cells // 5 % 5 + cells % 5 + 3 == rfm_points(table)).all()


def test_the_same_groups_are_level_and_better_ones_ahead():
    came = outcome()
    good = (came.purchases > 0).astype(int)
    chance = np.random.default_rng(1).integers(0, 3, good.size)
    model, baselines, ahead = compare(came, good, {"same": good, "chance": chance}, 40, 7)
    assert model["churn_explained"]["value"] == pytest.approx(1.0)
    assert baselines["same"] == model
    assert {gap["low"] for gap in ahead["same"].values()} == {0.0}
    assert ahead["chance"]["churn_explained"]["low"] > 0.9
    assert ahead["chance"]["amount_explained"]["low"] < 0.05


def test_where_all_did_the_same_nothing_is_explained():
    everyone = Outcome(np.array(["a", "b", "c"]), np.zeros(3), np.zeros(3))
    model, _, ahead = compare(everyone, np.array([0, 1, 1]), {"rfm": np.array([0, 0, 1])}, 5, 7)
    assert model["churn_explained"]["value"] is None
    assert ahead["rfm"]["churn_explained"] == {"value": None, "low": None, "high": None}
    assert "amount_explained" not in model
