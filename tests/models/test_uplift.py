from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from custid.models.bundle import load
from custid.models.predictor.encoder import Encoder
from custid.models.uplift import CONTACT, Uplift
from custid.training.uplift.metalearners import CANDIDATES, LEARNERS, Trial


@pytest.fixture(scope="module", params=[True, False], ids=["chance", "money"])
def model(request):
    """One of each meta-learner on 400 customers."""
    rng = np.random.default_rng(4)
    features = table(400)
    encoder = Encoder.fit([features])
    matrix = encoder.matrix(features)
    treated = (rng.random(400) < 0.5).astype(float)
    signal = 0.2 + 0.4 * treated * (matrix[:, 0] > 0)
    outcome = (rng.random(400) < signal).astype(float) if request.param else signal * 50 + rng.normal(size=400)
    trial = Trial(matrix, outcome, treated, np.full(400, outcome.mean()), np.full(400, 0.5), request.param)
    sizes = {"depth": 2, "rounds": 10, "rate": 0.2, "child_weight": 1.0, "shrink": 1.0, "columns": 1.0}
    effects = [part for learn in LEARNERS.values() for part in learn(trial, sizes, 7)]
    weights = tuple(0.2 * weight for weight, _ in effects)
    return Uplift(encoder, tuple(effect for _, effect in effects), weights, 0.01, {"x": (-1.0, 0.0, 1.0)})


def table(n, seed=4):
    rng = np.random.default_rng(seed)
    columns = {"x": rng.normal(size=n), "place": pa.array(rng.choice(["north", "south"], n))}
    return pa.table({"customer_id": [f"c{i}" for i in range(n)], "as_of": pa.array([date(2024, 1, 1)] * n), **columns})


def test_it_comes_back_equal_to_the_bit(model, tmp_path):
    model.save(tmp_path)
    rows = table(50, seed=5)
    assert load(tmp_path).predict(rows)["uplift"].tolist() == model.predict(rows)["uplift"].tolist()
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".ubj"}


def test_a_row_alone_gets_the_same_value(model):
    rows = table(30, seed=6)
    together = model.predict(rows)["uplift"]
    assert [model.predict(rows.slice(i, 1))["uplift"][0] for i in range(30)] == together.tolist()


def test_reasons_sum_to_the_value_from_one_start(model):
    rows = table(60, seed=7)
    parts = model.contributions(rows)
    assert np.abs(parts.score() - model.predict(rows)["uplift"]).max() < 1e-9
    assert parts.names == ("x", "place", CONTACT)
    assert np.ptp(parts.base) < 1e-4 * max(1.0, np.abs(parts.base).max())


def test_it_sees_whom_contact_changes(model):
    rows = table(500, seed=8)
    found, x = model.predict(rows)["uplift"], rows["x"].to_numpy()
    assert found[x > 0].mean() > found[x <= 0].mean()


def test_without_effects_everyone_gets_the_average():
    rows = table(3)
    assert Uplift(Encoder.fit([rows]), (), (), 0.25, {}).predict(rows)["uplift"].tolist() == [0.25] * 3


def test_candidates_name_known_learners():
    assert {name for name, _ in CANDIDATES} <= set(LEARNERS)
