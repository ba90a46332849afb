"""What BG/NBD and MBG/NBD share: a Gamma rate of buying, and a Beta chance of leaving after a purchase."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from scipy.special import expit

from .fitting import Diagnostics, Saved, fit_histories
from .histories import Histories, horizon_of
from .special import purchases_until_dropout, rising

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from .histories import FloatArray

_NAMES = ("r", "alpha", "a", "b")
_STARTS = np.log([[1.0, 1.0, 0.5, 2.0], [0.25, 0.1, 0.8, 2.5], [1.0, 0.2, 0.1, 4.0], [3.0, 1.0, 2.0, 2.0]])


@dataclass(frozen=True, slots=True)
class BetaGeometric(Saved):
    """Fitted parameters; alpha is a time in the unit of the histories, which every prediction must share."""

    title: ClassVar[str]
    first_exit: ClassVar[int]  # chances to leave that come with the very first purchase

    r: float
    alpha: float
    a: float
    b: float
    diagnostics: Diagnostics

    @classmethod
    def fit(cls, histories: Histories, *, penalty: float = 0.0) -> Self:
        """Maximum likelihood, from several starts.

        Args:
            histories: of at least five customers who bought again.
            penalty: pulls the logarithms of the parameters towards (1, mean age, 0.5, 2) as a normal prior with
                variance 1 / penalty would. 0, the default, is maximum likelihood; about 1 keeps a short history, on
                which nobody has had the time to leave, from sending the chance of leaving to 0.

        Raises TooFewCustomersError where fewer bought again.
        """
        found, diagnostics = fit_histories(
            cls.title, _NAMES, _STARTS, partial(_Likelihood, first_exit=cls.first_exit), histories, penalty
        )
        return cls(**found, diagnostics=diagnostics)

    def log_likelihood(self, histories: Histories) -> FloatArray:
        """Of each customer's history, shape (n,)."""
        theta = np.log([self.r, self.alpha, self.a, self.b])
        return _Likelihood(histories, self.first_exit).rows(theta)

    def p_alive(self, histories: Histories) -> FloatArray:
        """Probability that each customer has not left for good."""
        x, exits = histories.frequency, histories.frequency + self.first_exit
        with_exit = exits > 0
        odds_gone = np.full(x.shape, -np.inf)
        stay = (self.r + x) * np.log1p((histories.age - histories.recency) / (self.alpha + histories.recency))
        odds_gone[with_exit] = np.log(self.a / (self.b + exits[with_exit] - 1)) + stay[with_exit]
        return np.asarray(expit(-odds_gone), dtype=np.float64)

    def expected_purchases(self, histories: Histories, horizon: ArrayLike) -> FloatArray:
        """Expected purchases of each customer within ``horizon`` from now: one time for all, or one each."""
        time = horizon_of(horizon, histories.age.size) / (self.alpha + histories.age)
        exits = self.b + histories.frequency + self.first_exit
        alive = purchases_until_dropout(self.r + histories.frequency, time, self.a, exits)
        return self.p_alive(histories) * alive

    def p_purchase_within(self, histories: Histories, horizon: ArrayLike) -> FloatArray:
        """Probability of at least one purchase within ``horizon`` from now.

        Exact: who is alive now leaves at the next purchase at the earliest, so that
        P = P(alive) * (1 - ((alpha + T) / (alpha + T + horizon)) ** (r + x)).
        """
        time = horizon_of(horizon, histories.age.size) / (self.alpha + histories.age)
        return self.p_alive(histories) * -np.expm1(-(self.r + histories.frequency) * np.log1p(time))


class _Likelihood:
    """Mean log-likelihood and gradient by log-parameters; what does not change with them is worked out once."""

    def __init__(self, histories: Histories, first_exit: int) -> None:
        self._x, self._tx, self._age = histories.frequency, histories.recency, histories.age
        self._share = histories.weights / max(histories.customers, 1.0)
        counts, self._which = np.unique(histories.frequency.astype(np.int64), return_inverse=True)
        self._counts, self._exits = counts, counts + first_exit
        self._count_share = np.bincount(self._which, self._share, counts.size)

    def _parts(self, theta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """log(1 + T / alpha), log(1 + t_x / alpha), and the two log terms: alive, gone."""
        r, alpha, a, b = np.exp(theta)
        log_age, log_last = np.log1p(self._age / alpha), np.log1p(self._tx / alpha)
        odds = np.full(self._counts.size, -np.inf)
        np.log(a / (b + self._exits - 1), out=odds, where=self._exits > 0)
        shape, bought = r + self._x, self._x * theta[1]
        return log_age, log_last, -shape * log_age - bought, odds[self._which] - shape * log_last - bought

    def _by_count(self, theta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """What depends on the frequency alone, and its slopes by r, a and b."""
        r, _, a, b = np.exp(theta)
        bought, bought_slope = rising(r, self._counts)
        stayed, stayed_slope = rising(b, self._exits)
        total, total_slope = rising(a + b, self._exits)
        return bought + stayed - total, bought_slope, -total_slope, stayed_slope - total_slope

    def rows(self, theta: FloatArray) -> FloatArray:
        """Log-likelihood of each row."""
        _, _, alive, gone = self._parts(theta)
        return self._by_count(theta)[0][self._which] + np.logaddexp(alive, gone)

    def __call__(self, theta: FloatArray) -> tuple[float, FloatArray]:
        r, alpha, a, b = np.exp(theta)
        log_age, log_last, alive, gone = self._parts(theta)
        constant, slope_r, slope_a, slope_b = self._by_count(theta)
        either = np.logaddexp(alive, gone)
        was_gone = self._share * np.exp(gone - either)
        was_alive = self._share - was_gone
        gone_by_count = np.bincount(self._which, was_gone, self._counts.size)
        per_exit = np.zeros(self._counts.size)
        np.divide(gone_by_count, b + self._exits - 1, out=per_exit, where=self._exits > 0)
        passed = was_alive * self._age / (alpha + self._age) + was_gone * self._tx / (alpha + self._tx)
        slope = np.array(
            [
                r * (self._count_share @ slope_r - was_alive @ log_age - was_gone @ log_last),
                r * passed.sum() - self._x @ (self._share - passed),
                a * (self._count_share @ slope_a) + gone_by_count.sum(),
                b * (self._count_share @ slope_b - per_exit.sum()),
            ]
        )
        return float(self._count_share @ constant + self._share @ either), slope
