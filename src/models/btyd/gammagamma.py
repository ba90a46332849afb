"""Gamma-Gamma: what a customer spends per purchase, drawn towards the mean of all where there is little to go by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from scipy.special import betaln, digamma

from ...errors import InputError
from .fitting import BOUND, Diagnostics, Saved, check_fit, maximise
from .histories import column

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from .histories import FloatArray

_NAMES = ("p", "q", "gamma")
_LOWEST = np.array([-BOUND, np.log(0.1), -BOUND])
_STARTS = np.log([[2.0, 2.0, 1.0], [6.0, 3.0, 0.5], [1.0, 1.0, 2.0]])  # of p, q - 1, gamma


@dataclass(frozen=True, slots=True)
class GammaGamma(Saved):
    """The Gamma-Gamma model of spend per purchase.

    A purchase is Gamma(p, nu) with nu that is Gamma(q, gamma) over customers, whatever their frequency: the model
    assumes that the two are unrelated. ``correlation`` says how far they are, ``unrelated`` whether that is tolerable.
    gamma is in the money of the values that were fitted. q is kept at 1.1 or more: at 1 the mean of all is infinite.

    References: Fader and Hardie (2013), The Gamma-Gamma model of monetary value; Colombo and Jiang (1999), A stochastic
    RFM model, J. of Interactive Marketing 13(3).

    >>> model = GammaGamma.fit([1, 2, 1, 3, 5, 2], [20.0, 35.0, 10.0, 18.0, 40.0, 25.0], penalty=1.0)
    >>> spend = model.expected_spend([0, 1, 30], [0.0, 80.0, 80.0])
    >>> bool(spend[0] < spend[1] < spend[2] < 80)
    True
    """

    kind: ClassVar[str] = "gamma_gamma"
    title: ClassVar[str] = "Gamma-Gamma"
    tolerable: ClassVar[float] = 0.3

    p: float
    q: float
    gamma: float
    correlation: float
    left_out: float
    diagnostics: Diagnostics

    @classmethod
    def fit(
        cls, frequency: ArrayLike, value: ArrayLike, weights: ArrayLike | None = None, *, penalty: float = 0.0
    ) -> Self:
        """Maximum likelihood on the customers with a repeat purchase and a positive value.

        Args:
            frequency: purchases that ``value`` is the mean of (the repeat purchases, or all of them), shape (n,).
            value: mean spend per purchase, shape (n,); rows with 0 or less, or no purchase, are left out and counted.
            weights: how many customers each row stands for.
            penalty: pulls the logarithms of p, q - 1 and gamma towards (2, 2, mean value) as a normal prior with
                variance 1 / penalty would.

        Raises TooFewCustomersError where fewer than five rows are left.
        """
        x, z = column("frequency", frequency), _values(value)
        if z.size != x.size:
            message = f"The column value has {z.size} rows; expected {x.size}, as frequency has."
            raise InputError(message)
        w = column("weights", np.ones(x.size) if weights is None else weights, x.size)
        used = (x > 0) & (z > 0) & (w > 0)
        left_out = float(w[~used].sum())
        order = np.lexsort((w[used], z[used], x[used]))
        x, z, w = x[used][order], z[used][order], w[used][order]
        n = float(w.sum())
        check_fit(cls.title, n, penalty)
        mean = float(w @ z) / n
        optimum = maximise(_Likelihood(x, z / mean, w), _STARTS, _STARTS[0], penalty / n, lowest=_LOWEST)
        p, above_one, gamma = (float(v) for v in np.exp(optimum.theta))
        found = optimum.diagnose(_NAMES, optimum.likelihood * n - n * float(np.log(mean)), n, penalty)
        return cls(p, 1 + above_one, gamma * mean, _correlation(x, z, w), left_out, found)

    @property
    def unrelated(self) -> bool:
        """Whether frequency and spend are as little correlated as the model assumes."""
        return abs(self.correlation) < self.tolerable

    @property
    def mean_spend(self) -> float:
        """Expected spend per purchase of a customer of whom nothing is known."""
        return self.p * self.gamma / (self.q - 1)

    def expected_spend(self, frequency: ArrayLike, value: ArrayLike) -> FloatArray:
        """Expected spend per future purchase of each customer.

        Between the customer's own mean and that of all, the nearer to their own the more they have bought. A customer
        without a purchase, or whose value is 0 or less, gets the mean of all.
        """
        x, z = column("frequency", frequency), _values(value)
        x = np.where(z > 0, x, 0.0)
        return self.p * (self.gamma + x * np.where(x > 0, z, 0.0)) / (self.p * x + self.q - 1)


class _Likelihood:
    """Mean log-likelihood and gradient by log p, log(q - 1), log gamma; x and z in sorted order."""

    def __init__(self, x: FloatArray, z: FloatArray, weights: FloatArray) -> None:
        self._share = weights / weights.sum()
        self._counts, self._which = np.unique(x, return_inverse=True)
        self._total = x * z
        self._count_share = np.bincount(self._which, self._share, self._counts.size)
        self._log_z = float(self._share @ np.log(z))
        self._x_log_total = float((self._share * x) @ np.log(self._total))

    def __call__(self, theta: FloatArray) -> tuple[float, FloatArray]:
        p, above_one, gamma = (float(v) for v in np.exp(theta))
        q, shape = 1 + above_one, p * self._counts
        reach = np.bincount(self._which, self._share * np.log1p(self._total / gamma), self._counts.size)
        passed = np.bincount(self._which, self._share * self._total / (gamma + self._total), self._counts.size)
        bought = float(self._count_share @ self._counts)
        drawn = digamma(shape + q)
        value = (
            p * (self._x_log_total - theta[2] * bought)
            - self._log_z
            - self._count_share @ betaln(shape, q)
            - (shape + q) @ reach
        )
        slope_p = (self._count_share * self._counts) @ (drawn - digamma(shape)) - self._counts @ reach
        slope_q = self._count_share @ (drawn - digamma(q)) - reach.sum()
        slope = [
            p * (slope_p + self._x_log_total - theta[2] * bought),
            above_one * slope_q,
            (shape + q) @ passed - p * bought,
        ]
        return float(value), np.array(slope)


def _values(value: ArrayLike) -> FloatArray:
    """A column of money: finite, of either sign."""
    array = np.asarray(value, dtype=np.float64)
    wrong = ~np.isfinite(array)
    if array.ndim != 1 or wrong.any():
        message = f"The column value has shape {array.shape} with {int(wrong.sum())} values that are no numbers; "
        raise InputError(message + "expected one finite number per customer.")
    return array


def _correlation(x: FloatArray, z: FloatArray, weights: FloatArray) -> float:
    """Pearson's, 0 where one of the two does not vary."""
    share = weights / weights.sum()
    dx, dz = x - share @ x, z - share @ z
    scale = float(np.sqrt((share @ dx**2) * (share @ dz**2)))
    return float(share @ (dx * dz)) / scale if scale > 0 else 0.0
