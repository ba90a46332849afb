from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gammaln

from custid.errors import InputError, TooFewCustomersError
from custid.models.btyd import GammaGamma


def simulate(n: int = 20_000, seed: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Customers who spend as the model says: p = 4, q = 3, gamma = 30, a mean of 60."""
    rng = np.random.default_rng(seed)
    x = rng.poisson(2.0, n)
    rate = rng.gamma(3.0, 1 / 30.0, n)
    spent = rng.gamma(4.0 * np.maximum(x, 1), 1 / rate)
    return x, np.where(x > 0, spent / np.maximum(x, 1), 0.0)


@pytest.fixture(scope="module")
def bought() -> tuple[np.ndarray, np.ndarray]:
    return simulate()


@pytest.fixture(scope="module")
def fitted(bought) -> GammaGamma:
    return GammaGamma.fit(*bought)


def log_likelihood(model: GammaGamma, x: np.ndarray, z: np.ndarray) -> float:
    """As the note has it, equation 1a."""
    p, q, gamma = model.p, model.q, model.gamma
    constant = gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(gamma)
    return float((constant + (p * x - 1) * np.log(z) + p * x * np.log(x) - (p * x + q) * np.log(gamma + x * z)).sum())


def test_the_truth_is_found_again(fitted):
    assert fitted.diagnostics.converged
    assert (fitted.p, fitted.q, fitted.gamma) == pytest.approx((4.0, 3.0, 30.0), rel=0.15)
    assert fitted.mean_spend == pytest.approx(60.0, rel=0.05)
    assert fitted.unrelated


def test_the_fit_is_a_maximum_of_the_published_likelihood(fitted, bought):
    x, z = (column[bought[0] > 0] for column in bought)
    best = log_likelihood(fitted, x, z)
    assert fitted.diagnostics.log_likelihood == pytest.approx(best, rel=1e-10)
    saved = fitted.to_dict()
    for name in ("p", "q", "gamma"):
        for factor in (0.99, 1.01):
            assert log_likelihood(GammaGamma.from_dict({**saved, name: saved[name] * factor}), x, z) < best


@given(x=st.integers(0, 500), z=st.floats(-50, 5000))
@settings(max_examples=100, deadline=None)
def test_expected_spend_lies_between_the_customer_and_everyone(x, z):
    model = GammaGamma.from_dict(KNOWN)
    spend = model.expected_spend([x], [z])[0]
    if x == 0 or z <= 0:
        assert spend == pytest.approx(model.mean_spend)
    else:
        low, high = sorted([z, model.mean_spend])
        assert low * (1 - 1e-9) <= spend <= high * (1 + 1e-9)


def test_more_purchases_count_for_more():
    spend = GammaGamma.from_dict(KNOWN).expected_spend(np.arange(1, 100), np.full(99, 500.0))
    assert (np.diff(spend) > 0).all()
    assert spend[-1] == pytest.approx(500.0, rel=0.02)


def test_json_and_back_is_exact(fitted):
    assert GammaGamma.from_dict(json.loads(json.dumps(fitted.to_dict()))) == fitted


def test_rows_may_come_in_any_order_and_money_in_any_unit(fitted, bought):
    x, z = bought
    order = np.random.default_rng(0).permutation(x.size)
    assert GammaGamma.fit(x[order], z[order]) == fitted
    cents = GammaGamma.fit(x, z * 100)
    assert cents.expected_spend(x, z * 100) == pytest.approx(fitted.expected_spend(x, z) * 100, rel=1e-7)


def test_weights_stand_for_rows(fitted, bought):
    x, z = bought
    doubled = GammaGamma.fit(x, z, np.full(x.size, 2.0))
    assert (doubled.p, doubled.q, doubled.gamma) == pytest.approx((fitted.p, fitted.q, fitted.gamma), rel=1e-9)
    assert doubled.diagnostics.customers == 2 * fitted.diagnostics.customers


def test_rows_without_spend_are_left_out_and_counted(fitted, bought):
    x, z = bought
    more = GammaGamma.fit(np.append(x, [3, 4]), np.append(z, [0.0, -20.0]))
    assert more.left_out == fitted.left_out + 2 == (x == 0).sum() + 2
    assert (more.p, more.q, more.gamma) == (fitted.p, fitted.q, fitted.gamma)


def test_spend_that_grows_with_frequency_is_told():
    x, z = simulate(600)
    model = GammaGamma.fit(x, z * x**2)
    assert model.correlation > GammaGamma.tolerable
    assert not model.unrelated


def test_a_tail_too_heavy_for_a_mean_is_held_and_told():
    rng = np.random.default_rng(4)
    z = np.exp(3 * rng.standard_cauchy(300).clip(-8, 8))
    model = GammaGamma.fit(np.ones(300), z)
    assert "q" in model.diagnostics.at_bound
    assert model.q == pytest.approx(1.1)
    assert np.isfinite(model.mean_spend)


def test_all_alike_is_fitted_without_a_word():
    model = GammaGamma.fit(np.full(50, 2), np.full(50, 10.0))
    assert model.correlation == 0
    assert model.expected_spend([0, 2], [0.0, 10.0]) == pytest.approx([10.0, 10.0], rel=1e-3)


def test_what_cannot_be_fitted_is_refused_in_a_sentence():
    with pytest.raises(TooFewCustomersError, match="Gamma-Gamma needs at least 5"):
        GammaGamma.fit([0, 1, 2], [0.0, 5.0, 6.0])
    with pytest.raises(InputError, match="value has 2 rows; expected 3"):
        GammaGamma.fit([0, 1, 2], [5.0, 6.0])
    with pytest.raises(InputError, match="1 values that are no numbers"):
        GammaGamma.fit([1, 1], [5.0, float("nan")])


KNOWN = {
    "model": "gamma_gamma",
    "p": 6.25,
    "q": 3.74,
    "gamma": 15.44,
    "correlation": 0.1,
    "left_out": 0.0,
    "diagnostics": {
        "converged": True,
        "gradient_norm": 0.0,
        "starts": 3,
        "at_bound": [],
        "log_likelihood": -4055.92,
        "customers": 946.0,
        "penalty": 0.0,
    },
}
