from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custid.errors import InputError
from custid.models.bundle import load
from custid.models.predictor.contributions import logit
from custid.models.risk.risk import Risk

TRAITS = ("recent_amount_ratio", "recent_return_change", "spend_30", "score_mean_180")


def customers(n=1_500, seed=0):
    rng = np.random.default_rng(seed)
    size = rng.lognormal(0, 0.5, n)
    columns = {
        "purchases": 1.0 + rng.poisson(4, n),
        "recent_amount_ratio": size,
        "recent_return_change": np.where(rng.random(n) < 0.3, rng.uniform(-0.2, 0.3, n), np.nan),
        "spend_30": 20 * size * rng.lognormal(0, 0.3, n),
        "score_mean_180": rng.uniform(0.4, 1.0, n),
        "age": rng.uniform(1, 400, n),
    }
    ids = [f"c{i:05d}" for i in range(n)]
    return pa.table({"customer_id": ids, **{k: pa.array(v, from_pandas=True) for k, v in columns.items()}})


@pytest.fixture(scope="module")
def model():
    return Risk.fit([customers(seed=1), customers(seed=2)])


def having(table, row, **values):
    """One customer with other values."""
    one = table.slice(row, 1)
    for name, value in values.items():
        one = one.set_column(one.schema.get_field_index(name), name, pa.array([value], pa.float64()))
    return one


def test_it_is_the_share_of_customers_who_are_less_abnormal(model):
    risk = model.predict(customers(seed=3))["risk"]
    for share in (0.5, 0.9, 0.99):
        assert (risk > share).mean() == pytest.approx(1 - share, abs=0.03)


def test_what_is_rare_raises_it_and_is_named_first(model):
    usual = having(customers(seed=4), 5, recent_amount_ratio=1.0, spend_30=20.0, score_mean_180=0.8)
    odd = having(usual, 0, recent_amount_ratio=60.0)
    low, high = model.predict(usual)["risk"][0], model.predict(odd)["risk"][0]
    assert low < 0.9 < 0.99 < high < 1
    parts = model.contributions(odd)
    assert parts.names[int(np.argmax(parts.values[0]))] == "recent_amount_ratio"


def test_a_usual_size_with_an_unusual_other_is_seen_together(model):
    table = customers(seed=4)
    alike = having(table, 5, recent_amount_ratio=2.2, spend_30=44.0, score_mean_180=0.8)
    apart = having(table, 5, recent_amount_ratio=2.2, spend_30=6.0, score_mean_180=0.8)
    assert model.predict(apart)["risk"][0] > model.predict(alike)["risk"][0]


def test_small_values_are_suspicious_where_the_trait_says_so(model):
    table = customers(seed=4)
    scores = [model.predict(having(table, 5, score_mean_180=s))["risk"][0] for s in (0.9, 0.41, 0.0)]
    assert scores[2] >= scores[1] > scores[0]


def test_contributions_sum_to_the_score_on_its_link(model):
    table = customers(seed=5)
    parts, risk = model.contributions(table), model.predict(table)["risk"]
    assert parts.names == TRAITS
    assert np.abs(parts.base + parts.values.sum(axis=1) - logit(risk)).max() < 1e-9
    assert np.ptp(parts.base) < 1e-9


def test_a_saved_one_says_the_same_to_the_bit_row_by_row(model, tmp_path):
    model.save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["predictor.json"]
    again, table = load(tmp_path), customers(seed=6)
    whole = model.predict(table)["risk"]
    assert [again.predict(table.slice(i, 1))["risk"][0] for i in range(0, 1_500, 31)] == whole[::31].tolist()
    assert again.usual == model.usual


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.floats(0, 1e9), st.floats(1, 1e3))
def test_more_of_what_is_rare_is_never_less_abnormal_by_itself(start, factor):
    from custid.models.risk.tail import Tail

    tail = Tail.fit(np.random.default_rng(0).lognormal(0, 2, 800))
    low, high = tail(np.array([start, start * factor]))
    assert 0 <= low <= high


def test_nothing_known_is_nothing_odd_and_a_missing_feature_is_named(model):
    row = pa.table({name: pa.array([None], pa.float64()) for name in model.columns})
    assert 0 < model.predict(row)["risk"][0] < 1
    with pytest.raises(InputError, match="spend_30 missing"):
        model.predict(customers().drop_columns(["spend_30"]))


def test_a_table_without_any_trait_is_learnt_from_without_complaint():
    bare = pa.table({"customer_id": ["a", "b"], "age": [1.0, 2.0]})
    said = Risk.fit([bare]).predict(bare)["risk"]
    assert np.isfinite(said).all()
