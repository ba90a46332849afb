"""From the surprises of a customer's traits to what each adds to the sum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .tail import MOST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

_COUNTS = np.log(15.0)  # the surprise from which a trait counts by itself
_SHARES = (np.exp(-MOST), 0.95)  # between which normal scores are taken
_RIDGE = 0.1


@dataclass(frozen=True, eq=False)
class Summing:
    """How k surprises are summed: what is rare by itself, and how far all lie from what is usual together.

    Attributes:
        weights: of what is rare by itself, shape (k,).
        means: of the normal scores, shape (k,).
        joint: the inverse of the normal scores' covariance, on the scale of the sum, shape (k, k).
    """

    weights: FloatArray
    means: FloatArray
    joint: FloatArray

    @classmethod
    def fit(cls, surprises: FloatArray) -> Summing:
        """From the surprises of many customers, shape (n, k): both sums are counted in their own spread."""
        from threadpoolctl import threadpool_limits

        alone, scores = rare(surprises), normal(surprises)
        means = scores.mean(axis=0)
        spread = np.einsum("ij,ik->jk", scores - means, scores - means) / max(len(scores) - 1, 1)
        with threadpool_limits(1):
            joint = np.linalg.inv(spread + np.diag(_RIDGE * np.diag(spread) + 1e-6))
        weights = shared(alone)
        blank = cls(weights, means, joint)
        return cls(weights / _spread(alone * weights), means, joint / _spread(blank.together(scores)))

    def __call__(self, surprises: FloatArray) -> FloatArray:
        """What each trait adds to the sum, shape (n, k)."""
        return rare(surprises) * self.weights + self.together(normal(surprises))

    def together(self, scores: FloatArray) -> FloatArray:
        """The parts of the squared Mahalanobis distance, shape (n, k); no BLAS, so a row alone gives the same."""
        apart = scores - self.means
        pulled = np.zeros(apart.shape)
        for column, row in zip(apart.T, self.joint, strict=True):
            pulled = pulled + column[:, None] * row
        parts: FloatArray = apart * pulled
        return parts

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"weights": self.weights.tolist(), "means": self.means.tolist(), "joint": self.joint.tolist()}

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Summing:
        """What :meth:`to_dict` described."""
        return cls(*(np.array(saved[name], dtype=np.float64) for name in ("weights", "means", "joint")))


def rare(surprises: FloatArray) -> FloatArray:
    """By how much something is rarer than one in fifteen."""
    found: FloatArray = np.maximum(surprises - _COUNTS, 0.0)
    return found


def normal(surprises: FloatArray) -> FloatArray:
    """Normal scores: how far out in a normal distribution something as rare would lie."""
    from scipy.special import ndtri

    scores: FloatArray = -ndtri(np.clip(np.exp(-surprises), *_SHARES))
    return scores


def shared(found: FloatArray) -> FloatArray:
    """One over the root of how many traits speak of the same: of a trait's squared correlations with all, summed.

    >>> shared(np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])).round(3).tolist()
    [0.707, 0.707, 1.0]
    """
    around = found - found.mean(axis=0)
    size = np.sqrt((around**2).sum(axis=0))
    alike = np.einsum("ij,ik->jk", around, around) / np.maximum(np.outer(size, size), 1e-12)
    many = np.maximum((np.maximum(alike, 0.0) ** 2).sum(axis=0), 1.0)
    weights: FloatArray = 1.0 / np.sqrt(many)
    return weights


def _spread(parts: FloatArray) -> float:
    return float(parts.sum(axis=1).std()) or 1.0
