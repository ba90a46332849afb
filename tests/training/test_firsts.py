from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from custid.models.bundle import load
from custid.training.fit import fit_task
from custid.training.history import History, Snapshot

DAY = timedelta(days=1)
FIRST = date(2021, 1, 1)


def snapshot(at, seed, *, n=700, rate=0.15, known=True):
    """People who have not bought: the shorter they are registered and the more they visit, the likelier they will."""
    rng = np.random.default_rng([seed, at.toordinal()])
    since, visits = rng.exponential(60, n), rng.poisson(2, n).astype(float)
    features = pa.table(
        {
            "customer_id": [f"p{i:04d}" for i in range(n)],
            "as_of": pa.array([at] * n, pa.date32()),
            "days_since_registration": since,
            "days_since_visit": rng.exponential(20, n),
            "visits_7": visits,
            "registrations": np.ones(n),
            "country": rng.choice(["UK", "CN"], n),
        }
    )
    chance = np.clip(rate * np.exp(-since / 60) * (1 + visits), 0, 0.95)
    buys = rng.random(n) < chance
    spend = np.where(buys, rng.lognormal(3, 0.5, n), 0.0)
    labels = pa.table({"customer_id": features["customer_id"], "purchases": buys.astype(np.int64), "spend": spend})
    return Snapshot(at, features, labels if known else None)


def history_of(seed=1, **options):
    days = [FIRST + k * 30 * DAY for k in range(6)]
    made = [snapshot(day, seed, **options) for day in days]
    back = History(tuple(made[:4]), made[-1], 30 * DAY, 30 * DAY)
    return History(tuple(made), snapshot(FIRST + 210 * DAY, seed, known=False), 30 * DAY, 30 * DAY, back)


@pytest.fixture(scope="module")
def fitted(quick_config):
    return fit_task("prospects", history_of(), quick_config)


def test_chance_and_value_are_said_of_each(fitted):
    features = history_of().latest.features
    said = fitted.predictor.predict(features)
    assert list(said) == ["p_first_purchase", "expected_first_value"]
    assert ((said["p_first_purchase"] > 0) & (said["p_first_purchase"] < 1)).all()
    assert (said["expected_first_value"] > 0).all()


def test_it_is_judged_beside_orders_of_the_same_people(fitted):
    assert set(fitted.baselines) == {"last_visit", "registration", "prior", "xgboost"}
    assert fitted.metrics["auc"]["value"] > fitted.baselines["last_visit"]["auc"]["value"] + 0.1
    assert fitted.metrics["ece"]["value"] < 0.08
    assert 0.7 < fitted.metrics["bias"]["value"] < 1.4
    assert any(note.startswith("Of the value: ") for note in fitted.notes)


def test_contributions_sum_to_the_chance(fitted):
    features = history_of().latest.features.slice(0, 50)
    parts = fitted.predictor.contributions(features)
    assert np.abs(parts.score() - fitted.predictor.predict(features)["p_first_purchase"]).max() < 1e-9


def test_a_saved_one_says_the_same_row_by_row(fitted, tmp_path):
    fitted.predictor.save(tmp_path)
    features = history_of().latest.features
    whole, again = fitted.predictor.predict(features), load(tmp_path)
    for i in (0, 13, 699):
        alone = again.predict(features.slice(i, 1))
        assert {name: values[0] for name, values in alone.items()} == {name: v[i] for name, v in whole.items()}


def test_few_first_purchases_leave_the_time_since_registration(quick_config):
    history = history_of(n=60, rate=0.02)
    made = fit_task("prospects", history, quick_config)
    assert "Fewer than" in made.notes[0]
    assert made.predictor.columns == ("days_since_registration",)
    since = np.argsort(history.latest.features["days_since_registration"].to_numpy())
    chance = made.predictor.predict(history.latest.features)["p_first_purchase"][since]
    assert (np.diff(chance) <= 0).all()
    told = sum(s.outcome.purchases.sum() for s in history.snapshots) / (6 * 60)
    assert told / 2 < chance.mean() < told * 2


def test_nobody_to_learn_from_is_said(quick_config):
    history = history_of()
    empty = tuple(s.take(np.zeros(s.features.num_rows, dtype=bool)) for s in history.snapshots)
    made = fit_task("prospects", replace(history, snapshots=empty, rehearsal=None), quick_config)
    chance = made.predictor.predict(history.latest.features)["p_first_purchase"]
    assert chance.sum() == pytest.approx(0.5, rel=0.01)
    assert "nothing could be learnt" in made.notes[0]


def test_a_day_without_prospects_is_learnt_for_all_the_same(quick_config):
    history = history_of()
    latest = history.latest.take(np.zeros(history.latest.features.num_rows, dtype=bool))
    made = fit_task("prospects", replace(history, latest=latest), quick_config)
    assert made.predictor.predict(latest.features)["p_first_purchase"].size == 0
