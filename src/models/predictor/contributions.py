"""Exact additive parts of a score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

Link = Literal["logit", "log", "identity"]
FORMULA = "formula"
"""The name under which the buy-till-you-die formula's part goes."""


@dataclass(frozen=True, slots=True, eq=False)
class Contributions:
    """``link(score) == base + values.sum(axis=1)`` for each row.

    Attributes:
        output: the column of the score.
        link: the scale on which the parts add up.
        base: the score of a usual customer on that scale, shape (n,).
        names: what each part belongs to: features, and ``formula`` for the buying rhythm, k in all.
        values: the parts, shape (n, k).
    """

    output: str
    link: Link
    base: FloatArray
    names: tuple[str, ...]
    values: FloatArray

    def score(self) -> FloatArray:
        """The score that the parts sum up to.

        >>> Contributions("p", "log", np.zeros(1), ("a", "b"), np.array([[1.0, -1.0]])).score().tolist()
        [1.0]
        """
        total = self.base + self.values.sum(axis=1)
        if self.link == "logit":
            return sigmoid(total)
        score: FloatArray = np.exp(total) if self.link == "log" else total
        return score


def sigmoid(x: FloatArray) -> FloatArray:
    """The logistic function, stable at both ends.

    >>> sigmoid(np.array([0.0, 800.0])).tolist()
    [0.5, 1.0]
    """
    small = np.exp(-np.abs(x))
    p: FloatArray = np.where(x >= 0, 1.0, small) / (1.0 + small)
    return p


def logit(p: FloatArray) -> FloatArray:
    """The inverse of :func:`sigmoid`; probabilities are kept a millionth away from 0 and 1."""
    inside = np.clip(p, 1e-6, 1 - 1e-6)
    return np.log(inside) - np.log1p(-inside)
