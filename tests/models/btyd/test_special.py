"""The integrals behind the models, beside closed forms and brute force."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate
from scipy.special import hyp2f1

from custid.models.btyd.special import falling_powers, purchases_until_dropout, rising


def one(value: float) -> np.ndarray:
    return np.array([value])


@pytest.mark.parametrize(
    ("alpha", "beta"), [(10.578, 11.669), (11.669, 10.578), (11.0, 11.0), (0.5, 300.0), (80.0, 2.0)]
)
@pytest.mark.parametrize(("x", "low", "high"), [(0, 0.0, 39.0), (2, 30.43, 38.86), (26, 30.86, 31.0), (3, 0.0, 90.0)])
def test_the_lifetime_integral_is_the_difference_of_two_hypergeometric_functions(alpha, beta, x, low, high):
    """Both branches of the published likelihood, alpha above and below beta."""
    r, s = 0.553, 0.606

    def closed(time: float) -> float:
        most = max(alpha, beta)
        second = s + 1 if alpha >= beta else r + x
        function = hyp2f1(r + s + x, second, r + s + x + 1, abs(alpha - beta) / (most + time))
        return function / (most + time) ** (r + s + x)

    expected = (closed(low) - closed(high)) / (r + s + x)
    found = falling_powers(one(low), one(high), alpha, beta, one(r + x), one(s + 1))
    at_low = (alpha + low) ** -(r + x) * (beta + low) ** -(s + 1)
    assert np.exp(found.log_ratio[0]) * at_low == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("p", [0.01, 1.0, 40.0, 900.0])
@pytest.mark.parametrize(
    ("alpha", "beta", "q"), [(1e-4, 1e3, 0.5), (1e3, 1e-4, 1.5), (5.0, 7.0, 1e-3), (5.0, 5.0, 80.0)]
)
def test_the_lifetime_integral_and_its_means_by_brute_force(alpha, beta, p, q):
    low, high = 0.5, 200.0
    y = np.linspace(0, 1, 400_001) ** 3 * np.log1p((high - low) / (min(alpha, beta) + low))
    gone = (min(alpha, beta) + low) * np.expm1(y)
    density = np.exp(y - p * np.log1p(gone / (alpha + low)) - q * np.log1p(gone / (beta + low)))
    time = low + gone

    def mean(of: np.ndarray) -> float:
        return integrate.simpson(of * density, x=y) / integrate.simpson(density, x=y)

    found = falling_powers(one(low), one(high), alpha, beta, one(p), one(q))
    total = integrate.simpson(density, x=y) * (min(alpha, beta) + low)
    assert np.exp(found.log_ratio[0]) == pytest.approx(total, rel=1e-8)
    assert found.log_alpha[0] == pytest.approx(mean(np.log1p(time / alpha)), rel=1e-8)
    assert found.log_beta[0] == pytest.approx(mean(np.log1p(time / beta)), rel=1e-8)
    assert found.part_alpha[0] == pytest.approx(mean(time / (alpha + time)), rel=1e-8)
    assert found.part_beta[0] == pytest.approx(mean(time / (beta + time)), rel=1e-8)


def test_an_interval_without_length_holds_nothing():
    assert falling_powers(one(3.0), one(3.0), 1.0, 2.0, one(4.0), one(1.5)).log_ratio[0] == -np.inf


@pytest.mark.parametrize(
    ("shape", "time", "a", "b"), [(0.243, 0.9, 0.793, 2.426), (7.2, 0.5, 0.16, 10.4), (40.0, 2.0, 2.5, 45.0)]
)
def test_purchases_until_dropout_are_the_published_bracket(shape, time, a, b):
    c = a + b - 1
    inner = hyp2f1(shape, b, c, time / (1 + time)) * (1 + time) ** -shape
    found = purchases_until_dropout(one(shape), one(time), a, one(b))[0]
    assert found == pytest.approx(c / (a - 1) * (1 - inner), rel=1e-9)


@pytest.mark.parametrize(
    ("shape", "time", "a", "b"),
    [
        (0.5, 50.0, 1.0, 1.0),
        (300.0, 0.5, 0.2, 290.0),
        (0.25, 1e4, 0.8, 2.4),
        (600.0, 0.3, 900.0, 1e5),
        (2.0, 1.0, 1e-4, 3.0),
    ],
)
def test_purchases_until_dropout_are_a_sum_over_purchases(shape, time, a, b):
    """The k-th purchase happens when k - 1 were stayed for and the Poisson process gets there: all terms positive."""
    from scipy.stats import nbinom

    k = np.arange(2_000_000 if time > 1000 else 20_000)
    stayed = np.concatenate([[0.0], np.cumsum(np.log((b + k) / (a + b + k)))[:-1]])
    expected = (np.exp(stayed) * nbinom.sf(k, shape, 1 / (1 + time))).sum()
    assert purchases_until_dropout(one(shape), one(time), a, one(b))[0] == pytest.approx(expected, rel=1e-8)


def test_many_customers_are_worked_out_as_one_by_one():
    rng = np.random.default_rng(1)
    n = 20_000  # more than one block
    low, p = rng.uniform(0, 50, n), rng.uniform(0.1, 30, n)
    together = falling_powers(low, low + 5, 3.0, 9.0, p, np.full(n, 1.5)).log_ratio
    bought = purchases_until_dropout(p, low, 0.7, np.round(low) + 1)
    for i in (0, 8191, 8192, n - 1):
        alone = falling_powers(low[[i]], low[[i]] + 5, 3.0, 9.0, p[[i]], one(1.5)).log_ratio[0]
        assert together[i] == pytest.approx(alone, rel=1e-12)
        alone = purchases_until_dropout(p[[i]], low[[i]], 0.7, np.round(low[[i]]) + 1)[0]
        assert bought[i] == pytest.approx(alone, rel=1e-12)


def test_rising_factorials_of_a_huge_base_do_not_cancel():
    logs, slopes = rising(1e12, np.array([0, 1, 2]))
    assert logs.tolist() == pytest.approx([0.0, np.log(1e12), np.log(1e12) + np.log(1e12 + 1)], rel=1e-15)
    assert slopes.tolist() == pytest.approx([0.0, 1e-12, 2e-12])
