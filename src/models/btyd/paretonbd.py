"""Pareto/NBD: buying as a Poisson process, leaving at an exponential moment, bought or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from scipy.special import expit, exprel

from .fitting import Diagnostics, Saved, fit_histories
from .histories import Histories, horizon_of
from .special import FallingPowers, falling_powers, rising

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from .histories import FloatArray

_NAMES = ("r", "alpha", "s", "beta")
_STARTS = np.log([[1.0, 1.0, 0.5, 1.0], [0.5, 0.25, 0.5, 0.3], [1.0, 0.2, 1.0, 3.0]])


@dataclass(frozen=True, slots=True)
class ParetoNbd(Saved):
    """The Pareto / negative binomial model.

    Customers buy at a rate that is Gamma(r, alpha) over customers, and leave for good after a lifetime whose rate is
    Gamma(s, beta). alpha and beta are times in the unit of the histories, which every prediction must share.

    References: Schmittlein, Morrison and Colombo (1987), Counting your customers, Management Science 33(1); the
    likelihood as the integral over the moment of leaving: Fader and Hardie (2005), A note on deriving the Pareto/NBD
    model. That integral is positive for alpha > beta, alpha < beta and alpha = beta alike, and is taken by quadrature.

    >>> from custid.models.btyd import Histories
    >>> seen = Histories.of([0, 0, 0, 1, 1, 2, 4, 7], [0, 0, 0, 4, 20, 9, 30, 37], [39, 38, 30, 36, 39, 33, 38, 39])
    >>> model = ParetoNbd.fit(seen, penalty=1.0)
    >>> bool(model.expected_purchases(seen, 13)[7] > 1)
    True
    """

    kind: ClassVar[str] = "pareto_nbd"
    title: ClassVar[str] = "Pareto/NBD"

    r: float
    alpha: float
    s: float
    beta: float
    diagnostics: Diagnostics

    @classmethod
    def fit(cls, histories: Histories, *, penalty: float = 0.0) -> Self:
        """Maximum likelihood, from several starts.

        Args:
            histories: of at least five customers who bought again.
            penalty: pulls the logarithms of the parameters towards (1, mean age, 0.5, mean age) as a normal prior with
                variance 1 / penalty would. 0, the default, is maximum likelihood; about 1 keeps a short history, on
                which nobody has had the time to leave, from sending the rate of leaving to 0.

        Raises TooFewCustomersError where fewer bought again.
        """
        found, diagnostics = fit_histories(cls.title, _NAMES, _STARTS, _Likelihood, histories, penalty)
        return cls(**found, diagnostics=diagnostics)

    def log_likelihood(self, histories: Histories) -> FloatArray:
        """Of each customer's history, shape (n,)."""
        return _Likelihood(histories).rows(np.log([self.r, self.alpha, self.s, self.beta]))

    def p_alive(self, histories: Histories) -> FloatArray:
        """Probability that each customer has not left for good."""
        likelihood = _Likelihood(histories)
        _, alive, gone = likelihood.parts(np.log([self.r, self.alpha, self.s, self.beta]))
        return np.asarray(expit(alive - gone), dtype=np.float64)

    def expected_purchases(self, histories: Histories, horizon: ArrayLike) -> FloatArray:
        """Expected purchases of each customer within ``horizon`` from now: one time for all, or one each."""
        rate = (self.r + histories.frequency) / (self.alpha + histories.age)
        passed = np.log1p(horizon_of(horizon, histories.age.size) / (self.beta + histories.age))
        lived = (self.beta + histories.age) * passed * exprel((1 - self.s) * passed)
        return np.asarray(self.p_alive(histories) * rate * lived, dtype=np.float64)

    def p_purchase_within(self, histories: Histories, horizon: ArrayLike) -> FloatArray:
        """Probability of at least one purchase within ``horizon`` from now.

        Exact: P(alive) times the integral, over the moment u of the next purchase, of its density times the
        probability of living until then,
        (r + x) / (alpha + T) * (1 + u / (alpha + T)) ** -(r + x + 1) * (1 + u / (beta + T)) ** -s.
        """
        time, age = horizon_of(horizon, histories.age.size), histories.age
        shape = self.r + histories.frequency
        dropout = np.full(age.shape, self.s)
        integral = falling_powers(age, age + time, self.alpha, self.beta, shape + 1, dropout)
        bought = np.exp(integral.log_ratio) * shape / (self.alpha + age)
        return np.minimum(self.p_alive(histories) * bought, 1.0)


class _Likelihood:
    """Mean log-likelihood and gradient by log-parameters; what does not change with them is worked out once."""

    def __init__(self, histories: Histories) -> None:
        self._x, self._tx, self._age = histories.frequency, histories.recency, histories.age
        self._share = histories.weights / max(histories.customers, 1.0)
        self._counts, self._which = np.unique(histories.frequency.astype(np.int64), return_inverse=True)
        self._count_share = np.bincount(self._which, self._share, self._counts.size)

    def parts(self, theta: FloatArray) -> tuple[FallingPowers, FloatArray, FloatArray]:
        """The integral over the moment of leaving, and the two log terms: alive, gone."""
        r, alpha, s, beta = (float(v) for v in np.exp(theta))
        shape, bought = r + self._x, self._x * theta[1]
        integral = falling_powers(self._tx, self._age, alpha, beta, shape, np.full(shape.shape, s + 1))
        alive = -shape * np.log1p(self._age / alpha) - s * np.log1p(self._age / beta)
        at_last = -shape * np.log1p(self._tx / alpha) - (s + 1) * np.log1p(self._tx / beta)
        return integral, alive - bought, theta[2] - theta[3] + at_last + integral.log_ratio - bought

    def rows(self, theta: FloatArray) -> FloatArray:
        """Log-likelihood of each row."""
        _, alive, gone = self.parts(theta)
        bought = rising(float(np.exp(theta[0])), self._counts)[0]
        return np.asarray(bought[self._which] + np.logaddexp(alive, gone), dtype=np.float64)

    def __call__(self, theta: FloatArray) -> tuple[float, FloatArray]:
        r, alpha, s, beta = (float(v) for v in np.exp(theta))
        integral, alive, gone = self.parts(theta)
        bought, bought_slope = rising(r, self._counts)
        either = np.logaddexp(alive, gone)
        was_gone = self._share * np.exp(gone - either)
        was_alive = self._share - was_gone
        passed = was_alive * self._age / (alpha + self._age) + was_gone * integral.part_alpha
        slope = np.array(
            [
                r * (self._count_share @ bought_slope)
                - r * (was_alive @ np.log1p(self._age / alpha) + was_gone @ integral.log_alpha),
                r * passed.sum() - self._x @ (self._share - passed),
                was_gone.sum() - s * (was_alive @ np.log1p(self._age / beta) + was_gone @ integral.log_beta),
                s * (was_alive @ (self._age / (beta + self._age)))
                + (s + 1) * (was_gone @ integral.part_beta)
                - was_gone.sum(),
            ]
        )
        return float(self._count_share @ bought + self._share @ either), slope
