from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

from custid.errors import InputError
from custid.models.bundle import Bundle, load
from custid.models.predictor.encoder import Encoder
from custid.models.predictor.members import Linear
from custid.models.predictor.predictor import Predictor


def predictor(task, output):
    flat = Linear(np.ones(1), np.zeros(1), np.ones(1), np.array([0.5]), 0.1)
    return Predictor(
        task, output, "logit", Encoder(("x",), {}), None, (flat,), (1.0,), 0.0, 90.0, 90.0, None, 1.0, None, {}
    )


@pytest.fixture
def release(tmp_path):
    made = {"churn": predictor("churn", "p_churn"), "high_value": predictor("high_value", "p_high_value")}
    for task, one in made.items():
        one.save(tmp_path / task)
    (tmp_path / "manifest.json").write_text(json.dumps({"models": {task: {} for task in made}}))
    return tmp_path


def test_columns_come_in_the_order_of_the_contract(release):
    features = pa.table({"customer_id": ["a", "b"], "as_of": [1, 1], "x": [1.0, None], "other": ["p", "q"]})
    scores = Bundle.load(release).predict(features)
    assert scores.column_names == ["customer_id", "as_of", "p_high_value", "p_churn"]
    assert scores["customer_id"].to_pylist() == ["a", "b"]
    assert all(scores[name].null_count == 0 for name in scores.column_names)


def test_a_missing_feature_is_named(release):
    bundle = Bundle.load(release)
    assert bundle.columns == ("x",)
    with pytest.raises(InputError, match="features: x missing"):
        bundle.predict(pa.table({"customer_id": ["a"], "as_of": [1]}))


def test_a_folder_without_a_predictor_or_manifest_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"predictor\.json"):
        load(tmp_path)
    with pytest.raises(InputError, match=r"manifest\.json"):
        Bundle.load(tmp_path)
