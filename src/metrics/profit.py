"""What it is worth to contact those who are likely to leave: the expected maximum profit measure for churn.

Whoever is contacted costs ``contact``. A leaver takes the offer with a chance of g, stays, and is worth ``value`` less
the offer; a customer who would have stayed takes the offer anyway. How large g is, is not known beforehand: it has a
beta distribution, and for each g as many customers are contacted as pay best. Verbraken, Verbeke, Baesens 2013, A novel
profit maximizing metric for measuring classification performance of customer churn prediction models, IEEE TKDE 25(5).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from . import Metric

    FloatArray = NDArray[np.float64]

_POINTS = 101


@dataclass(frozen=True)
class Costs:
    """The worth of a customer who stays, what offer and contact cost, and the beta distribution of who accepts."""

    value: float = 200.0
    offer: float = 10.0
    contact: float = 1.0
    alpha: float = 6.0
    beta: float = 14.0


def measures(costs: Costs) -> Mapping[str, Metric]:
    """The measures of the profit view by name; they look at the order of the scores alone, but for the last."""
    return {
        "emp": partial(expected_profit, costs=costs),
        "contact_share": partial(contact_share, costs=costs),
        "contact_from": partial(contact_from, costs=costs),
    }


ORDER = frozenset({"emp", "contact_share"})
"""The measures that need no probabilities."""


def expected_profit(truth: FloatArray, score: FloatArray, costs: Costs) -> float:
    """The expected maximum profit per customer (EMPC), in the unit of the costs; ties are contacted together.

    >>> truth = np.array([1.0, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    >>> round(expected_profit(truth, truth, Costs()), 2)  # 0.2 * (0.3 * 190 - 1)
    11.2
    """
    chance, reached, others = _best(truth, score, costs)
    mean = _mean_between(chance, costs)
    weight = np.diff(_cumulative(chance, costs))
    kept = (costs.value - costs.offer) * (reached * mean).sum() - costs.contact * (reached * weight).sum()
    return float(kept - (costs.offer + costs.contact) * (others * weight).sum())


def contact_share(truth: FloatArray, score: FloatArray, costs: Costs) -> float:
    """The share of all customers that it pays to contact, expected over the chances of acceptance.

    >>> truth = np.array([1.0, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    >>> round(contact_share(truth, truth, Costs()), 3)
    0.2
    """
    chance, reached, others = _best(truth, score, costs)
    return float(((reached + others) * np.diff(_cumulative(chance, costs))).sum())


def contact_from(truth: FloatArray, score: FloatArray, costs: Costs) -> float:
    """The lowest score of those whom it pays to contact; above all scores where nobody should be."""
    most = round(contact_share(truth, score, costs) * score.size)
    return float(np.sort(score)[::-1][most - 1]) if most else float(np.nextafter(score.max(), np.inf))


def profit_curve(
    truth: FloatArray, score: FloatArray, costs: Costs, points: int = _POINTS
) -> list[tuple[float, float]]:
    """Profit per customer by the share contacted, highest scores first, at the mean chance of acceptance.

    >>> profit_curve(np.array([1.0, 0.0]), np.array([0.9, 0.1]), Costs(), points=3)
    [(0.0, 0.0), (0.5, 28.0), (1.0, 22.5)]
    """
    _, which, counts = np.unique(-score, return_inverse=True, return_counts=True)
    level = (np.bincount(which, truth) / counts)[np.sort(which)]
    found = np.concatenate([[0.0], np.cumsum(level)])
    ends = np.unique(np.linspace(0, truth.size, points).round().astype(int))
    accepts = costs.alpha / (costs.alpha + costs.beta)
    gained = found[ends] * accepts * (costs.value - costs.offer)
    spent = ends * costs.contact + (ends - found[ends]) * costs.offer
    return [(float(i / truth.size), float(p)) for i, p in zip(ends, (gained - spent) / truth.size, strict=True)]


def _best(truth: FloatArray, score: FloatArray, costs: Costs) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The vertices of the ROC curve's hull, and from which chance of acceptance on each is best.

    Returns chances of shape (k + 1,), from 0 to 1, and for the k vertices the leavers and the others that are reached,
    as shares of all customers.
    """
    from scipy.optimize import isotonic_regression

    _, which, counts = np.unique(-score, return_inverse=True, return_counts=True)
    leavers = np.bincount(which, truth)
    blocks = isotonic_regression(leavers / counts, weights=counts, increasing=False).blocks
    reached = np.concatenate([[0.0], np.cumsum(leavers)])[blocks] / truth.size
    everyone = np.concatenate([[0], np.cumsum(counts)])[blocks] / truth.size
    others = everyone - reached
    more, wasted = np.diff(reached), np.maximum(np.diff(others), 0.0)
    price = np.divide(wasted, more, out=np.full(more.size, np.inf), where=more > 0)
    chance = ((costs.offer + costs.contact) * price + costs.contact) / (costs.value - costs.offer)
    return np.concatenate([[0.0], np.maximum.accumulate(np.clip(chance, 0.0, 1.0)), [1.0]]), reached, others


def _cumulative(chance: FloatArray, costs: Costs) -> FloatArray:
    from scipy.special import betainc

    found: FloatArray = betainc(costs.alpha, costs.beta, chance)
    return found


def _mean_between(chance: FloatArray, costs: Costs) -> FloatArray:
    """The integral of the chance times its density over each interval."""
    from scipy.special import betainc

    mean: FloatArray = costs.alpha / (costs.alpha + costs.beta) * np.diff(betainc(costs.alpha + 1, costs.beta, chance))
    return mean
