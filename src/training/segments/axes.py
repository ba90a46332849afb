"""The space in which segments are cut: its axes are learnt from what customers did after earlier days."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...models.predictor.encoder import Encoder
from ...models.segments import Squash, positions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ..history import Outcome, Snapshot

    FloatArray = NDArray[np.float64]

BEHAVIOUR = (
    "days_since_last",
    "silence_ratio",
    "purchases",
    "purchases_90",
    "purchases_365",
    "active_months",
    "spend_total",
    "spend_365",
    "spend_mean",
    "spend_change_90",
    "age",
    "products",
    "return_share",
    "discount_share",
    "visits_90",
)
"""What the axes are made of, as far as it is there: features that can be told in words."""

AMOUNT = 0.3  # the weight of how much beside that of whether: more parts the amounts better, and who leaves worse
MOST_ROWS = 300_000
_RIDGE = 0.1  # per row: related features share their weight, so that the axes stay the same from month to month
_FEWEST = 20  # customers who bought, and who did not, to learn an axis
_DIGITS = 6
_PARTS = 100  # of the median spend
_UNLEARNT: Mapping[str, tuple[float, float]] = {
    "days_since_last": (-0.2, 0.0),
    "purchases": (0.2, 0.0),
    "spend_mean": (0.0, 0.2 * AMOUNT),
    "spend_total": (0.0, 0.2 * AMOUNT),
}


@dataclass(frozen=True, eq=False)
class Lessons:
    """What was known of each customer on each labelled day, and what came: n rows.

    Attributes
    ----------
    squash
        How the features are compared.
    squashed
        The features, shape (n, k).
    bought
        1 for who bought in the horizon, 0 for others, less the mean of the day, in standard deviations of the day.
    amount
        The logarithm of what those spent, likewise; NaN for who bought nothing.
    customer
        Numbers of the customers from 0, the same on all days.
    """

    squash: Squash
    squashed: FloatArray
    bought: FloatArray
    amount: FloatArray
    customer: NDArray[np.intp]

    @classmethod
    def of(cls, snapshots: Sequence[Snapshot]) -> Lessons:
        """Pool labelled days; of more rows than are needed, a fixed part of the customers."""
        there = [name for name in BEHAVIOUR if name in snapshots[-1].features.column_names]
        encoder = Encoder.fit([snapshot.features.select(there) for snapshot in snapshots])
        kept = min(1.0, MOST_ROWS / max(1, sum(s.features.num_rows for s in snapshots)))
        parts = []
        for snapshot in snapshots:
            ids = snapshot.outcome.ids
            use = np.array([zlib.crc32(str(i).encode()) < kept * 2**32 for i in ids], dtype=bool)
            bought, amount = outcomes(snapshot.outcome)
            parts.append((encoder.matrix(snapshot.features)[use], _z(bought)[use], _z(amount)[use], ids[use]))
        matrix, bought, amount, ids = (np.concatenate(part) for part in zip(*parts, strict=True))
        squash = Squash.fit(encoder.columns, matrix)
        columns = [encoder.columns.index(name) for name in squash.columns]
        return cls(squash, squash.of(matrix[:, columns]), bought, amount, np.unique(ids, return_inverse=True)[1])

    def axes(self, weight: FloatArray | None = None) -> FloatArray:
        """What each feature adds to the axes, shape (k, 2): who buys again, and for how much.

        Each axis is a ridge regression over the rows (Hoerl and Kennard 1970, Technometrics 12). Where hardly anyone
        bought, or hardly anyone did not, recency, frequency and spend are taken as they usually work.

        Parameters
        ----------
        weight
            How often each customer is counted, by number; once by default.
        """
        often = np.ones(len(self.bought)) if weight is None else weight[self.customer]
        spent = np.isfinite(self.amount)
        found = np.array([_UNLEARNT.get(name, (0.0, 0.0)) for name in self.squash.columns]).reshape(-1, 2)
        if min(often[spent].sum(), often[~spent].sum()) >= _FEWEST:
            found[:, 0] = _slopes(self.squashed, self.bought, often)
        if often[spent].sum() >= _FEWEST and np.ptp(self.amount[spent]) > 0:
            found[:, 1] = AMOUNT * _slopes(self.squashed[spent], self.amount[spent], often[spent])
        return np.round(found, _DIGITS)

    def positions(self, axes: FloatArray) -> FloatArray:
        """Where the rows lie, shape (n, 2)."""
        return positions(self.squashed, axes)


def outcomes(outcome: Outcome) -> tuple[FloatArray, FloatArray]:
    """Who bought (1 or 0), and the logarithm of what they spent; NaN for the others.

    The logarithm is that of 1 and more: spend counts in hundredths of its median, so that the unit of money is none.
    """
    bought = outcome.purchases > 0
    spend = np.maximum(outcome.spend, 0.0)
    counted = spend[bought & (spend > 0)]
    unit = float(np.median(counted)) / _PARTS if counted.size else 1.0
    return bought.astype(np.float64), np.where(bought, np.log1p(spend / unit), np.nan)


def _z(values: FloatArray) -> FloatArray:
    """Distances from the mean in standard deviations, of those that are known."""
    known = values[np.isfinite(values)]
    spread = float(known.std()) if known.size else 0.0
    return (values - known.mean()) / spread if spread > 0 else np.where(np.isfinite(values), 0.0, values)


def _slopes(squashed: FloatArray, truth: FloatArray, often: FloatArray) -> FloatArray:
    """Ridge regression; sums are taken without BLAS, in one order on any machine."""
    part = often / often.sum()
    centred = squashed - np.einsum("n,nk->k", part, squashed)
    told = truth - np.einsum("n,n->", part, truth)
    weighed = part[:, None] * centred
    gram = np.einsum("nj,nk->jk", weighed, centred) + _RIDGE * np.eye(squashed.shape[1])
    slopes: FloatArray = np.linalg.solve(gram, np.einsum("nk,n->k", weighed, told))
    return slopes
