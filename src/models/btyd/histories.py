"""The whole memory of a buy-till-you-die model: how often, how lately and how long each customer has bought."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Histories:
    """Counts of ``n`` customers up to one moment, in one unit of time; make them with :meth:`of`, which checks them.

    Attributes:
        frequency: repeat purchases x, the first one not counted, shape (n,).
        recency: time from the first purchase to the last one, t_x; 0 where frequency is 0.
        age: time from the first purchase to the moment of looking, T.
        weights: how many customers each row stands for.
    """

    frequency: FloatArray
    recency: FloatArray
    age: FloatArray
    weights: FloatArray

    @classmethod
    def of(
        cls,
        frequency: ArrayLike,
        recency: ArrayLike,
        age: ArrayLike,
        weights: ArrayLike | None = None,
    ) -> Histories:
        """Checked histories from four columns; without weights each row is one customer.

        Raises InputError, with the row and its value, where a value is missing or infinite, a frequency is no whole
        number, a recency lies outside [0, age] or is not 0 without a repeat purchase, or a weight is negative.

        >>> Histories.of([2, 0], [30.43, 0.0], [38.86, 38.86]).customers
        2.0
        """
        x = column("frequency", frequency)
        rows = x.size
        tx, seen = column("recency", recency, rows), column("age", age, rows)
        _refuse(x != np.floor(x), "frequency", x, "a whole number")
        _refuse(tx > seen, "recency", tx, "no more than the age of the same row")
        _refuse((x == 0) & (tx > 0), "recency", tx, "0 where there is no repeat purchase")
        return cls(x, tx, seen, column("weights", np.ones(rows) if weights is None else weights, rows))

    @property
    def customers(self) -> float:
        """How many customers the rows stand for."""
        return float(self.weights.sum())

    @property
    def repeaters(self) -> float:
        """How many of them have bought again."""
        return float(self.weights[self.frequency > 0].sum())

    def distinct(self) -> Histories:
        """Each history once, in sorted order, with the weights of equal rows added; rows without weight are dropped.

        A likelihood over these is the likelihood over all rows, at a fraction of the work, and does not depend on
        their order.

        >>> Histories.of([0, 1, 0], [0, 2, 0], [5, 5, 5]).distinct().weights.tolist()
        [2.0, 1.0]
        """
        kept = np.flatnonzero(self.weights > 0)
        order = kept[np.lexsort((self.weights[kept], self.age[kept], self.recency[kept], self.frequency[kept]))]
        table = np.stack([self.frequency[order], self.recency[order], self.age[order]])
        first = np.ones(order.size, dtype=bool)
        first[1:] = (table[:, 1:] != table[:, :-1]).any(axis=0)
        starts = np.flatnonzero(first)
        weights = np.add.reduceat(self.weights[order], starts) if order.size else self.weights[order]
        x, tx, age = table[:, starts]
        return Histories(x, tx, age, weights)

    def thinned(self, most: int) -> Histories:
        """Every k-th row, so that no more than ``most`` are left."""
        rows = slice(None, None, -(-self.age.size // most))
        return Histories(self.frequency[rows], self.recency[rows], self.age[rows], self.weights[rows])

    def scaled(self, unit: float) -> Histories:
        """The same histories with time counted in ``unit``."""
        return Histories(self.frequency, self.recency / unit, self.age / unit, self.weights)


def column(name: str, values: ArrayLike, rows: int | None = None) -> FloatArray:
    """One column as float64, refused where it is not flat, not ``rows`` long, not finite or below 0."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        message = f"The column {name} holds something that is no number: {error}."
        raise InputError(message) from error
    if array.ndim != 1 or (rows is not None and array.size != rows):
        wanted = "one value per customer" if rows is None else f"one value per customer, {rows} in all"
        message = f"The column {name} has shape {array.shape}; expected {wanted}."
        raise InputError(message)
    _refuse(~(np.isfinite(array) & (array >= 0)), name, array, "a number of at least 0")
    return array


def horizon_of(horizon: ArrayLike, rows: int) -> FloatArray:
    """A horizon for each of ``rows`` customers, from one number or one each."""
    array = np.asarray(horizon, dtype=np.float64)
    return column("horizon", np.full(rows, float(array)) if array.ndim == 0 else array, rows)


def _refuse(wrong: NDArray[np.bool_], name: str, values: FloatArray, expected: str) -> None:
    """Raise for the first row that is wrong."""
    if wrong.any():
        row = int(np.argmax(wrong))
        message = f"The column {name} has {values[row]:g} in row {row}; expected {expected}."
        raise InputError(message)
