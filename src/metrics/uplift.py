"""How well an order by uplift puts those first whom contact changes: the Qini curve and its area.

One definition, that of scikit-uplift, so that figures compare (``qini_auc_score`` and ``uplift_at_k``). Customers are
taken by falling uplift; ties are taken together. After n of them, of which t were treated with outcomes that sum to Y
and c were controls with a sum of Z, the curve stands at ``Q(n) = Y - Z * t / c`` (Y, where there is no control yet).
From it the straight line of a random order, from (0, 0) to (N, Q(N)), is taken away, and the area between the two, by
trapezoids, is divided by the same area of the perfect order: by the outcome of the treated, and by its opposite of
controls. 0 is a random order, 1 the perfect one. After Radcliffe 2007, Using control groups to target on predicted
lift; Devriendt, Van Belle, Guns, Verbeke 2020, Learning to rank for uplift modeling.

Every function takes the outcomes, who was treated (1 or 0) and the scores, each of shape (n,).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import NAN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    UpliftMetric = Callable[[FloatArray, FloatArray, FloatArray], float]

_POINTS = 51


def qini_curve(outcome: FloatArray, treated: FloatArray, score: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The curve's places (how many customers, from 0) and heights (how much more came of the treated among them).

    >>> places, heights = qini_curve(np.array([1.0, 0, 0, 1]), np.array([1.0, 0, 1, 0]), np.array([4.0, 3, 2, 1]))
    >>> places.tolist(), heights.tolist()
    ([0.0, 1.0, 2.0, 3.0, 4.0], [0.0, 1.0, 1.0, 1.0, 0.0])
    """
    _, which, counts = np.unique(-score, return_inverse=True, return_counts=True)
    control = 1.0 - treated
    parts = [np.cumsum(np.bincount(which, part)) for part in (treated, treated * outcome, control, control * outcome)]
    contacted, brought, kept, anyway = parts
    ratio = np.divide(contacted, kept, out=np.zeros_like(contacted), where=kept > 0)
    places = np.concatenate([[0.0], np.cumsum(counts)])
    return places, np.concatenate([[0.0], brought - anyway * ratio])


def qini(outcome: FloatArray, treated: FloatArray, score: FloatArray) -> float:
    """The normalised area between the Qini curve and the line of a random order.

    >>> y, t = np.array([1.0, 0, 0, 1]), np.array([1.0, 0, 1, 0])
    >>> qini(y, t, np.array([4.0, 3, 2, 1])), qini(y, t, np.zeros(4))
    (1.0, 0.0)
    """
    if treated.min() == treated.max():
        return NAN
    best = _area(outcome, treated, outcome * (2.0 * treated - 1.0))
    return _area(outcome, treated, score) / best if best > 0 else NAN


def _area(outcome: FloatArray, treated: FloatArray, score: FloatArray) -> float:
    places, heights = qini_curve(outcome, treated, score)
    under = float((np.diff(places) * (heights[1:] + heights[:-1])).sum() / 2)
    return under - float(places[-1] * heights[-1] / 2)


def uplift_at(outcome: FloatArray, treated: FloatArray, score: FloatArray, share: float = 0.30) -> float:
    """Mean outcome of the treated less that of the controls, in the top ``share`` by score; ties count pro rata.

    >>> uplift_at(np.array([1.0, 0, 0, 1]), np.array([1.0, 0, 1, 0]), np.array([4.0, 3, 2, 1]), 0.5)
    1.0
    """
    most = int(np.ceil(share * score.size))
    border = np.partition(score, score.size - most)[score.size - most]
    above, tied = score > border, score == border
    return average_effect(outcome, treated, above + tied * (most - above.sum()) / tied.sum())


def average_effect(outcome: FloatArray, treated: FloatArray, weight: FloatArray | None = None) -> float:
    """Mean outcome of the treated less that of the controls; NaN where one of them is missing."""
    weight = np.ones(outcome.size) if weight is None else weight
    contacted, kept = weight * treated, weight * (1.0 - treated)
    if contacted.sum() <= 0 or kept.sum() <= 0:
        return NAN
    return float((contacted * outcome).sum() / contacted.sum() - (kept * outcome).sum() / kept.sum())


def curve_points(outcome: FloatArray, treated: FloatArray, score: FloatArray) -> list[tuple[float, float]]:
    """The Qini curve for a figure: shares of customers, and what contact brought among them per customer of all."""
    places, heights = qini_curve(outcome, treated, score)
    at = np.unique(np.searchsorted(places, np.linspace(0, places[-1], _POINTS)))
    return [(float(places[i] / places[-1]), float(heights[i] / places[-1])) for i in at]


UPLIFT: Mapping[str, UpliftMetric] = {"qini": qini, "uplift_30": uplift_at}


def measure(
    outcome: FloatArray, treated: FloatArray, score: FloatArray, draws: list[NDArray[np.int64]]
) -> dict[str, dict[str, float | None]]:
    """Each metric with its 95 % bootstrap interval, as ``{name: {"value", "low", "high"}}``; None where not defined."""
    return {
        name: _interval(metric(outcome, treated, score), [metric(outcome[i], treated[i], score[i]) for i in draws])
        for name, metric in UPLIFT.items()
    }


def measure_average(
    outcome: FloatArray, treated: FloatArray, draws: list[NDArray[np.int64]]
) -> dict[str, float | None]:
    """The average effect with its interval."""
    drawn = [average_effect(outcome[i], treated[i]) for i in draws]
    return _interval(average_effect(outcome, treated), drawn)


def _interval(value: float, drawn: list[float]) -> dict[str, float | None]:
    known = np.array([one for one in drawn if np.isfinite(one)])
    low, high = np.percentile(known, [2.5, 97.5]).tolist() if known.size else (NAN, NAN)
    found = {"value": value, "low": low, "high": high}
    return {key: one if np.isfinite(one) else None for key, one in found.items()}


def paired(
    outcome: FloatArray, treated: FloatArray, one: FloatArray, other: FloatArray, draws: list[NDArray[np.int64]]
) -> tuple[float, float]:
    """95 % interval of ``qini(one) - qini(other)`` over the same resamples."""
    gaps = np.array([qini(outcome[i], treated[i], one[i]) - qini(outcome[i], treated[i], other[i]) for i in draws])
    gaps = gaps[np.isfinite(gaps)]
    return (float(np.percentile(gaps, 2.5)), float(np.percentile(gaps, 97.5))) if gaps.size else (NAN, NAN)
