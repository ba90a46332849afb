from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from custid.metrics import auc
from custid.training.fit import fit_task
from custid.training.history import Snapshot
from custid.training.uplift.effects import r_stack, strata_of
from custid.training.uplift.metalearners import Trial

DAY = date(2024, 6, 1)
SPAN = timedelta(days=14)


def contacted(n, *, effect=0.35, seed=1, money=False, chosen=False):
    """Customers whom contact changes where ``x`` is above 0; ``chosen``: contact goes to those with a high ``y``."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=n), rng.normal(size=n)
    treated = (rng.random(n) < (1 / (1 + np.exp(-2 * y)) if chosen else 0.5)).astype(float)
    chance = np.clip(0.2 + 0.1 * (y > 0) + effect * treated * (x > 0), 0, 1)
    outcome = (rng.random(n) < chance).astype(float)
    outcome = outcome * rng.gamma(2, 10, n) if money else outcome
    ids = [f"c{i:04d}" for i in range(n)]
    features = pa.table({"customer_id": ids, "as_of": pa.array([DAY] * n, pa.date32()), "x": x, "y": y})
    return Snapshot(DAY, features, pa.table({"customer_id": ids, "treated": treated, "outcome": outcome}))


@pytest.fixture(scope="module")
def fitted(observing, parted):
    return fit_task("uplift", parted(contacted(1500)), observing)


def test_it_finds_whom_contact_changes(fitted):
    rows = contacted(400, seed=2).features
    found = fitted.predictor.predict(rows)["uplift"]
    assert auc((rows["x"].to_numpy() > 0).astype(float), found) > 0.9
    assert found.mean() == pytest.approx(0.175, abs=0.08)


def test_it_is_judged_out_of_fold_beside_its_rivals(fitted):
    assert fitted.metrics["qini"]["low"] > 0
    assert fitted.metrics["average_effect"]["value"] == pytest.approx(0.175, abs=0.08)
    assert set(fitted.baselines) == {"s_learner", "t_learner", "class_transformation", "response"}
    assert len(fitted.curves["folds"]["model"]) == 15
    assert fitted.curves["money"] is False
    assert set(fitted.figures) == {"qini", "drivers"}


def test_where_contact_changes_nothing_the_notes_say_so(observing, parted):
    found = fit_task("uplift", parted(contacted(900, effect=0.0, seed=5), mixed=False), observing)
    assert any("the interval of the Qini area holds 0" in note for note in found.notes)
    assert any("the interval of the effect holds 0" in note for note in found.notes)


def test_money_is_changed_in_money(observing, parted):
    found = fit_task("uplift", parted(contacted(900, money=True), mixed=False), observing)
    assert found.curves["money"] is True
    assert found.metrics["average_effect"]["value"] > 1


def test_contact_that_was_not_left_to_chance_is_noticed(observing, parted):
    found = fit_task("uplift", parted(contacted(900, chosen=True), mixed=False), observing)
    assert any("not left to chance" in note for note in found.notes)


def test_with_few_contacts_everyone_gets_the_average(observing, parted):
    found = fit_task("uplift", parted(contacted(90), mixed=False), observing)
    assert np.ptp(found.predictor.predict(contacted(20).features)["uplift"]) == 0


def test_weights_go_to_the_effect_that_explains_more():
    rng = np.random.default_rng(3)
    n = 20_000
    effect, treated = rng.normal(size=n), (rng.random(n) < 0.5).astype(float)
    outcome = effect * treated + rng.normal(size=n)
    trial = Trial(np.empty((n, 0)), outcome, treated, effect / 2, np.full(n, 0.5), chance=False)
    weights, intercept = r_stack(np.column_stack([rng.normal(size=n), effect]), trial)
    assert weights == pytest.approx([0.0, 1.0], abs=0.05)
    assert intercept == pytest.approx(0.0, abs=0.05)


def test_few_customers_leave_the_weights_equal():
    rng = np.random.default_rng(3)
    effects, treated = 1e-3 * rng.normal(size=(50, 2)), np.arange(50) % 2.0
    trial = Trial(np.empty((50, 0)), rng.normal(size=50), treated, np.zeros(50), np.full(50, 0.5), chance=False)
    assert r_stack(effects, trial)[0] == pytest.approx([0.5, 0.5], abs=0.01)


def test_strata_are_group_and_outcome():
    assert strata_of(np.array([0.0, 3, 0, 1]), np.array([0.0, 0, 1, 1])).tolist() == [0, 2, 1, 3]
