"""Operational time: a clock that runs faster when customers buy more, by season and by the state of the business.

Buy-till-you-die models take every customer's rate for constant. Where all customers buy more before Christmas and less
in January, a silence in January means less, and a horizon that holds a December is worth more. On this clock rates are
constant again: the intensity of buying at a moment is a customer's own rate times a pace that all share, and counts of
purchases depend on the clock's time alone (the time change of a Poisson process). The pace of the past is fitted
together with BG/NBD by maximum posterior likelihood; that of the time to come is the posterior mean of its prior, a
Gaussian process on the logarithm: a level that wanders, a season that returns each year, and what holds for two weeks.

References: Fader, Hardie and Lee (2005), Counting your customers the easy way, Marketing Science 24 (BG/NBD).
Daley and Vere-Jones (2003), An introduction to the theory of point processes, 7.4 (time change). Rasmussen and
Williams (2006), Gaussian processes for machine learning, 5.4.3 (sums of kernels, one of them periodic).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy.special import expit, gammaln

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

STEP = 14.0  # days for which the pace is taken for constant
YEAR = 365.25
_MOST_STEPS = 130
_FEWEST_STEPS = 4
_FEWEST_REPEATS = 100
_SEASONED = 300.0  # days of history from which on a season can be told from a change of level
_LEVEL, _LEVEL_DAYS = 0.2, 365.0  # standard deviation of the log pace, and how long it remembers
_SEASON, _SEASON_WIDTH = 0.4, 0.8
_SHOCK = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Diary:
    """When a group of customers bought, up to a midnight: what a clock is fitted to.

    Attributes:
        first, last: each customer's first and last day with a purchase, in days since 1970, shape (n,).
        repeats: how many days with a purchase after the first each has, shape (n,).
        bought: all those days of all of them, in any order.
    """

    first: FloatArray
    last: FloatArray
    repeats: FloatArray
    bought: FloatArray

    @classmethod
    def of(cls, who: NDArray[np.intp], day: NDArray[np.intp]) -> Diary:
        """From the days with a purchase: the customer's number from 0, and the day, in any order.

        >>> diary = Diary.of(np.array([0, 1, 0]), np.array([12, 3, 10]))
        >>> diary.first.tolist(), diary.repeats.tolist(), diary.bought.tolist()
        ([10.0, 3.0], [1.0, 0.0], [12.0])
        """
        n = int(who.max(initial=-1)) + 1
        first, last = np.full(n, np.inf), np.full(n, -np.inf)
        np.minimum.at(first, who, day)
        np.maximum.at(last, who, day)
        repeats = (np.bincount(who, minlength=n) - 1).astype(np.float64)
        return cls(first, last, repeats, np.sort(day[day > first[who]]).astype(np.float64))


@dataclass(frozen=True, slots=True, eq=False)
class Clock:
    """A rising function from calendar days (since 1970) to operational days, linear between knots, of pace 1 beyond.

    Attributes:
        days: the knots, rising.
        ticks: the clock's time at the knots.
    """

    days: FloatArray
    ticks: FloatArray

    @classmethod
    def even(cls) -> Clock:
        """The calendar itself.

        >>> Clock.even().between(np.array([3.0]), np.array([10.0])).tolist()
        [7.0]
        """
        return cls(np.zeros(1), np.zeros(1))

    @classmethod
    def fit(cls, diary: Diary, now: float, ahead: float) -> Clock:
        """The pace up to ``now``, and what is to be expected of it for ``ahead`` days more.

        Where there is little to go by (fewer than 100 repeat purchases, or less than eight weeks), the calendar itself.

        >>> rng = np.random.default_rng(1)
        >>> who = np.repeat(np.arange(200), 6)
        >>> day = np.where(rng.random(1200) < 0.8, rng.integers(50, 100, 1200), rng.integers(0, 50, 1200))
        >>> clock = Clock.fit(Diary.of(who, day), 100.0, 50.0)
        >>> slow, fast = clock.between(np.array([10.0, 60.0]), np.array([40.0, 90.0]))
        >>> bool(slow < 30 < fast)
        True
        """
        start = float(diary.first.min(initial=now))
        steps = min(_MOST_STEPS, int(np.ceil((now - start) / STEP)))
        if steps < _FEWEST_STEPS or diary.bought.size < _FEWEST_REPEATS:
            return cls.even()
        past = now - STEP * np.arange(steps, -1, -1)
        coming = now + STEP * np.arange(int(np.ceil(ahead / STEP)) + 1)
        season = _SEASON if now - start >= _SEASONED else 0.0
        pace = np.exp(_log_pace(diary, past, coming, season))
        days = np.concatenate([past, coming[1:]])
        return cls(days, np.concatenate([[0.0], np.cumsum(pace * np.diff(days))]))

    def at(self, day: FloatArray) -> FloatArray:
        """The clock's time on some days, shape as given; a day alone gives the same as among others."""
        inside = np.interp(day, self.days, self.ticks)
        time: FloatArray = inside + np.minimum(day - self.days[0], 0.0) + np.maximum(day - self.days[-1], 0.0)
        return time

    def between(self, start: FloatArray, end: FloatArray) -> FloatArray:
        """How long it is from one day to another by this clock."""
        return self.at(end) - self.at(start)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"days": self.days.tolist(), "ticks": self.ticks.tolist()}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Self:
        """The clock that :meth:`to_dict` described."""
        return cls(np.array(saved["days"], dtype=np.float64), np.array(saved["ticks"], dtype=np.float64))


def _log_pace(diary: Diary, past: NDArray[Any], coming: NDArray[Any], season: float) -> FloatArray:
    """The logarithm of the pace in each step of the past and of the time to come."""
    from scipy.optimize import minimize
    from threadpoolctl import threadpool_limits

    then, later = (past[1:] + past[:-1]) / 2, (coming[1:] + coming[:-1]) / 2
    kernel = _kernel(then, then, season)
    with threadpool_limits(1):  # sums in one order on any machine
        precision = np.linalg.inv(kernel + _SHOCK**2 * np.eye(then.size))
        posterior = _Posterior(diary, past, (precision + precision.T) / 2)
        found = minimize(posterior, posterior.start, jac=True, method="L-BFGS-B", options={"maxiter": 500})
        pace = np.asarray(found.x[_PARAMETERS:], dtype=np.float64)
        return np.concatenate([pace, _kernel(later, then, season) @ (precision @ pace)])


def _kernel(one: FloatArray, other: FloatArray, season: float) -> FloatArray:
    """The covariance of the log pace between two sets of days: level and season."""
    apart = np.abs(one[:, None] - other[None, :])
    level = _LEVEL**2 * np.exp(-apart / _LEVEL_DAYS)
    yearly: FloatArray = season**2 * np.exp(-2 * (np.sin(np.pi * apart / YEAR) / _SEASON_WIDTH) ** 2)
    return level + yearly


_PARAMETERS = 4


class _Posterior:
    """What is minimised: minus the log posterior of BG/NBD's log-parameters and the log pace, with its gradient."""

    def __init__(self, diary: Diary, steps: FloatArray, precision: FloatArray) -> None:
        self._x, self._precision = diary.repeats, precision
        self._counts, _ = np.histogram(diary.bought, steps)
        early = np.maximum(steps[0] - diary.first, 0.0)  # before the first step the pace is 1
        late = np.maximum(np.minimum(steps[0], diary.last) - diary.first, 0.0)
        self._before = np.stack([early, late])
        opens = np.maximum(diary.first[:, None], steps[:-1])
        self._age = np.clip(steps[1:] - opens, 0.0, None)
        self._last = np.clip(np.minimum(steps[1:], diary.last[:, None]) - opens, 0.0, None)
        unit = float((self._age.sum(axis=1) + early).mean())
        self._centre = np.log([1.0, max(unit, 1.0), 0.5, 2.0])
        self.start = np.concatenate([self._centre, np.zeros(steps.size - 1)])

    def __call__(self, theta: FloatArray) -> tuple[float, FloatArray]:
        shapes, log_pace = theta[:_PARAMETERS], theta[_PARAMETERS:]
        pace = np.exp(log_pace)
        age = self._before[0] + self._age @ pace
        last = self._before[1] + self._last @ pace
        value, by_shape, by_age, by_last = bg_nbd(shapes, self._x, last, age)
        by_pace = (self._age.T @ by_age + self._last.T @ by_last) * pace + self._counts
        drawn = self._precision @ log_pace
        off = shapes - self._centre
        total = -value - float(self._counts @ log_pace) + 0.5 * float(log_pace @ drawn) + 0.5 * float(off @ off)
        return total, np.concatenate([off - by_shape, drawn - by_pace])


def bg_nbd(
    theta: FloatArray, x: FloatArray, last: FloatArray, age: FloatArray
) -> tuple[float, FloatArray, FloatArray, FloatArray]:
    """BG/NBD's log-likelihood, and its slopes by the four log-parameters, by each age and by each last purchase."""
    from scipy.special import digamma

    r, alpha, a, b = np.exp(theta)
    again = x > 0
    exits = b + np.maximum(x, 1.0) - 1
    constant = gammaln(r + x) - gammaln(r) + gammaln(a + b) - gammaln(b) + gammaln(b + x) - gammaln(a + b + x)
    alive = -(r + x) * np.log(alpha + age)
    gone = np.where(again, np.log(a / exits) - (r + x) * np.log(alpha + last), -np.inf)
    stays = np.where(again, expit(alive - gone), 1.0)
    leaves = 1.0 - stays
    by_age, by_last = -stays * (r + x) / (alpha + age), -leaves * (r + x) / (alpha + last)
    total = constant + r * theta[1] + np.logaddexp(alive, gone)
    logs = stays * np.log(alpha + age) + leaves * np.log(alpha + last)
    slopes = np.array(
        [
            r * float((digamma(r + x) - digamma(r) + theta[1] - logs).sum()),
            float((r + alpha * (by_age + by_last)).sum()),
            a * float((digamma(a + b) - digamma(a + b + x)).sum()) + float(leaves.sum()),
            b * float((digamma(a + b) - digamma(b) + digamma(b + x) - digamma(a + b + x) - leaves / exits).sum()),
        ]
    )
    return float(total.sum()), slopes, by_age, by_last
