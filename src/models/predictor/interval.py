"""Intervals of the expected value: conformal, from the chance of spending and the amounts of those who spend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .contributions import sigmoid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

_BANDS = 10
_LEAST = 40  # spenders in a band
_STEPS = 40  # of the amounts' distribution
_GIVEN = 0.05  # of the coverage, at most, for those whose interval holds too much
_LEAST_CHANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Bands:
    """What the outcome may be beside a prediction: nothing, with some chance, or an amount around it.

    Attributes:
        borders: the k - 1 values of the prediction that part its bands, rising.
        amounts: for each band, evenly spaced quantiles of ``spent * chance / predicted`` of those who spent.
        slope, intercept: from a signal of buying to the log-odds of spending.
        level: the share of the distribution between the ends.
    """

    borders: tuple[float, ...]
    amounts: tuple[tuple[float, ...], ...]
    slope: float
    intercept: float
    level: float

    @classmethod
    def fit(
        cls,
        predicted: FloatArray,
        spent: FloatArray,
        signal: FloatArray,
        chance: tuple[float, float],
        coverage: float,
    ) -> Bands:
        """From predictions and outcomes of later days than the predictor was fitted on.

        The ends are quantiles of a distribution that says nothing with the chance of not spending, and else an amount
        as those of the same band of the prediction spent it. Where nothing is likelier than a tail, the interval begins
        at 0, and all that it misses lies above. Where nothing is likelier than the coverage, it holds more than it
        should; the level of the quantiles is chosen so that all rows together are covered as often as asked for.

        Reference: Romano, Patterson and Candes (2019), Conformalized quantile regression, NeurIPS.

        Parameters
        ----------
        predicted, spent
            Shape (n,), predictions above 0. Who got more back than was spent is outside every interval, and counts so.
        signal
            What tells who buys, shape (n,).
        chance
            Slope and intercept that lead from it to the log-odds of spending.
        coverage
            How often the interval is to hold the outcome.

        Examples
        --------
        >>> predicted = np.repeat([1.0, 10.0], 500)
        >>> spent = predicted * np.tile(np.linspace(0.01, 3.0, 500), 2)
        >>> sure = np.full(1000, 20.0)
        >>> bands = Bands.fit(predicted, spent, sure, (1.0, 0.0), coverage=0.8)
        >>> low, high = bands.ends(np.array([10.0]), np.array([20.0]))
        >>> bool(2 < low[0] < 4) and bool(26 < high[0] < 28)
        True
        """
        slope, intercept = chance
        spends = spent > 0
        count = max(1, min(_BANDS, int(spends.sum()) // _LEAST))
        borders = np.unique(np.quantile(predicted[spends], np.arange(1, count) / count)) if count > 1 else np.zeros(0)
        which = np.searchsorted(borders, predicted, side="right")
        spending = np.maximum(sigmoid(intercept + slope * signal), _LEAST_CHANCE)
        share = spent * spending / predicted
        steps = np.linspace(0.0, 1.0, _STEPS + 1)
        groups = [share[spends & (which == band)] for band in range(borders.size + 1)]
        amounts = tuple(
            tuple(np.quantile(group, steps).tolist()) if group.size else (0.0,) * steps.size for group in groups
        )
        narrow, wide = max(0.0, coverage - _GIVEN), 1.0
        bands = cls(tuple(borders.tolist()), amounts, slope, intercept, wide)
        for _ in range(25):
            level = (narrow + wide) / 2
            low, high = cls(bands.borders, amounts, slope, intercept, level).ends(predicted, signal)
            if float(((spent >= low) & (spent <= high)).mean()) < coverage:
                narrow = level
            else:
                wide = level
        return cls(bands.borders, amounts, slope, intercept, wide)

    def ends(self, predicted: FloatArray, signal: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Lower and upper end for each prediction, around it, shape (n,) each."""
        which = np.searchsorted(np.array(self.borders), predicted, side="right")
        spending = np.maximum(sigmoid(self.intercept + self.slope * signal), _LEAST_CHANCE)
        unit, tail, idle = predicted / spending, (1 - self.level) / 2, 1 - spending
        low = unit * self._quantile(which, (tail - idle) / spending)
        top = np.where(idle < tail, 1 - tail, self.level)
        high = unit * self._quantile(which, (top - idle) / spending)
        return np.minimum(low, predicted), np.maximum(high, predicted)

    def _quantile(self, which: NDArray[np.intp], at: FloatArray) -> FloatArray:
        """Amounts of the bands' spenders at these levels; where a level is not above 0, nothing is spent."""
        table = np.array(self.amounts)
        place = np.clip(at, 0.0, 1.0) * _STEPS
        left = np.minimum(place.astype(np.intp), _STEPS - 1)
        start = table[which, left]
        value: FloatArray = start + (place - left) * (table[which, left + 1] - start)
        return np.where(at > 0, value, 0.0)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        amounts = [list(band) for band in self.amounts]
        chance = {"slope": self.slope, "intercept": self.intercept}
        return {"borders": list(self.borders), "amounts": amounts, **chance, "level": self.level}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Bands:
        """The bands that :meth:`to_dict` described."""
        amounts = tuple(tuple(band) for band in saved["amounts"])
        return cls(tuple(saved["borders"]), amounts, saved["slope"], saved["intercept"], saved["level"])
