"""Intervals of the expected value: split-conformal, by bands of the value, each side for itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

_BANDS = 10
_LEAST = 40  # rows in a band


@dataclass(frozen=True, slots=True)
class Bands:
    """Bands of the predicted value, and the factors that lead from a prediction to the ends of its interval.

    Attributes:
        borders: the k - 1 values that part the bands, rising.
        low: factors of the lower end, at most 1, k of them.
        high: factors of the upper end, at least 1.
    """

    borders: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    @classmethod
    def fit(cls, predicted: FloatArray, spent: FloatArray, coverage: float) -> Bands:
        """From predictions and outcomes of later days than the predictor was fitted on.

        In each band the ends are quantiles of spent / predicted. Where most of a band spends nothing, its interval
        holds more than it should whatever its ends; the level of the quantiles is then chosen so that all rows together
        are covered as often as asked for.

        Reference: Romano, Patterson and Candes (2019), Conformalized quantile regression, NeurIPS.

        >>> predicted = np.repeat([1.0, 10.0], 500)
        >>> bands = Bands.fit(predicted, predicted * np.tile(np.linspace(0.0, 3.0, 500), 2), coverage=0.8)
        >>> low, high = bands.ends(np.array([10.0]))
        >>> bool(2 < low[0] < 4) and bool(26 < high[0] < 28)
        True
        """
        count = max(1, min(_BANDS, predicted.size // _LEAST))
        borders = np.unique(np.quantile(predicted, np.arange(1, count) / count))
        which = np.searchsorted(borders, predicted, side="right")
        ratio = np.maximum(spent, 0.0) / predicted
        groups = [np.sort(ratio[which == band]) for band in range(borders.size + 1)]
        narrow, wide = max(0.0, coverage - 0.15), 1.0
        for _ in range(30):
            level = (narrow + wide) / 2
            if _covered(groups, level) < coverage:
                narrow = level
            else:
                wide = level
        ends = [_factors(group, wide) for group in groups]
        return cls(tuple(borders.tolist()), tuple(low for low, _ in ends), tuple(high for _, high in ends))

    def ends(self, predicted: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Lower and upper end for each prediction, shape (n,) each."""
        which = np.searchsorted(np.array(self.borders), predicted, side="right")
        return predicted * np.array(self.low)[which], predicted * np.array(self.high)[which]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"borders": list(self.borders), "low": list(self.low), "high": list(self.high)}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Bands:
        """The bands that :meth:`to_dict` described."""
        return cls(tuple(saved["borders"]), tuple(saved["low"]), tuple(saved["high"]))


def _factors(ratio: FloatArray, level: float) -> tuple[float, float]:
    """The ends of the middle ``level`` of sorted ratios, with the finite-sample correction, and around 1."""
    if ratio.size == 0:
        return 0.0, 1.0
    tail = (1 - level) / 2
    below = int(np.floor(tail * (ratio.size + 1))) - 1
    above = int(np.ceil((1 - tail) * (ratio.size + 1))) - 1
    low = float(ratio[below]) if below >= 0 else 0.0
    high = float(ratio[min(above, ratio.size - 1)])
    return min(low, 1.0), max(high, 1.0)


def _covered(groups: list[FloatArray], level: float) -> float:
    held, rows = 0.0, 0
    for ratio in groups:
        low, high = _factors(ratio, level)
        held += float(((ratio >= low) & (ratio <= high)).sum())
        rows += ratio.size
    return held / max(rows, 1)
