"""How rare a large value is, from the values that were seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

MOST = float(np.log(1e6))
"""The largest surprise: what is rarer than one in a million says no more."""
_KNOTS = np.exp(-np.linspace(0.0, 9.0, 37))  # shares at which the tail is kept
_STEEP = (0.5, 5.0)  # bounds of the tail's exponent


class Tail(NamedTuple):
    """An empirical tail, continued as a Pareto tail.

    Attributes:
        at: values, rising.
        surprise: ``-log P(X >= at)``, rising.
        slope: the exponent of the Pareto tail beyond the largest value; 0 where it ends there.
    """

    at: FloatArray
    surprise: FloatArray
    slope: float

    @classmethod
    def fit(cls, values: FloatArray) -> Tail:
        """The tail of some values, shape (n,); those that are unknown (NaN) count in n and surprise nobody.

        Examples
        --------
        >>> tail = Tail.fit(np.array([1.0, 2.0, 3.0, np.nan]))
        >>> np.exp(-tail(np.array([1.0, 3.0, np.nan]))).round(3).tolist()
        [0.7, 0.3, 1.0]
        """
        known = np.sort(values[~np.isnan(values)])
        if not known.size:
            return cls(np.zeros(1), np.zeros(1), 0.0)
        at = np.unique(known[np.clip(known.size - np.ceil(_KNOTS * known.size).astype(int), 0, known.size - 1)])
        share = (known.size - np.searchsorted(known, at, side="left") + 0.5) / (values.size + 1.0)
        return cls(at, -np.log(share), _slope(known))

    def __call__(self, values: FloatArray) -> FloatArray:
        """The surprise at each value, from 0 to :data:`MOST`, shape (n,)."""
        last = self.at[-1]
        found = np.interp(values, self.at, self.surprise)
        if self.slope > 0:
            beyond = values > last
            found = np.where(beyond, found + self.slope * np.log(np.where(beyond, values, last) / last), found)
        surprise: FloatArray = np.minimum(np.where(np.isnan(values), 0.0, found), MOST)
        return surprise

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"at": self.at.tolist(), "surprise": self.surprise.tolist(), "slope": self.slope}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Tail:
        """The tail that :meth:`to_dict` described."""
        return cls(np.array(saved["at"]), np.array(saved["surprise"]), float(saved["slope"]))


def _slope(known: FloatArray) -> float:
    """Hill's estimate of the exponent from the top per cent, within bounds; 0 where the tail ends at one value."""
    top = known[-max(10, known.size // 100) :]
    if top[0] <= 0 or top[-1] <= top[0]:
        return 0.0
    return float(np.clip(1.0 / np.log(top / top[0]).mean(), *_STEEP))
