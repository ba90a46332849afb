"""What is measured, defined once for all: training, backtests, monitoring and reports ask here.

Every function takes the truth first, then the score, both of shape (n,). Scores may tie; ties are settled by averaging,
never by the order of the rows. A figure that cannot be formed (one class only, nothing spent) is NaN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    Metric = Callable[[FloatArray, FloatArray], float]

NAN = float("nan")


def ranks(values: FloatArray) -> FloatArray:
    """Ranks from 1, tied values sharing their mean rank.

    >>> ranks(np.array([3.0, 1.0, 3.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    mean: FloatArray = (ends - (counts - 1) / 2)[which]
    return mean


def auc(truth: FloatArray, score: FloatArray) -> float:
    """The chance that a positive has a higher score than a negative; ties count half.

    >>> auc(np.array([0, 0, 1, 1.0]), np.array([0.1, 0.4, 0.35, 0.8]))
    0.75
    """
    positives = float(truth.sum())
    negatives = truth.size - positives
    if positives == 0 or negatives == 0:
        return NAN
    above = ranks(score)[truth > 0].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))


def average_precision(truth: FloatArray, score: FloatArray) -> float:
    """Mean precision over the thresholds, weighted by the recall that each adds; tied scores are one threshold.

    >>> round(average_precision(np.array([0, 0, 1, 1.0]), np.array([0.1, 0.4, 0.35, 0.8])), 4)
    0.8333
    """
    positives = float(truth.sum())
    if positives == 0:
        return NAN
    order = np.argsort(-score, kind="stable")
    last = np.append(np.diff(score[order]) != 0, True)
    found = np.cumsum(truth[order])[last]
    precision = found / (np.flatnonzero(last) + 1)
    return float((np.diff(found, prepend=0.0) * precision).sum() / positives)


def brier(truth: FloatArray, probability: FloatArray) -> float:
    """Mean squared difference of probability and outcome.

    >>> brier(np.array([0, 1.0]), np.array([0.5, 0.5]))
    0.25
    """
    return float(np.mean((probability - truth) ** 2))


def log_loss(truth: FloatArray, probability: FloatArray) -> float:
    """Mean negative log-likelihood of the outcomes; probabilities are kept a millionth away from 0 and 1."""
    p = np.clip(probability, 1e-6, 1 - 1e-6)
    return float(-np.mean(truth * np.log(p) + (1 - truth) * np.log1p(-p)))


def ece(truth: FloatArray, probability: FloatArray, bins: int = 10) -> float:
    """Expected calibration error: mean gap of outcome and probability over equal-width bins, weighted by their rows.

    >>> round(ece(np.array([0, 1.0, 1.0]), np.array([0.2, 0.8, 0.8])), 4)
    0.2
    """
    which = np.minimum((probability * bins).astype(int), bins - 1)
    gap = np.bincount(which, probability, bins) - np.bincount(which, truth, bins)
    return float(np.abs(gap).sum() / truth.size)


def lift(truth: FloatArray, score: FloatArray, share: float = 0.10) -> float:
    """How many times more positives the top ``share`` by score holds than as many taken at random."""
    return capture(truth, score, share) / share


def capture(value: FloatArray, score: FloatArray, share: float = 0.10) -> float:
    """The share of all value that the top ``share`` of customers by score holds; negative value counts as 0.

    Customers who tie at the border count pro rata.

    >>> capture(np.array([10.0, 0, 0, 0, 30, 0, 0, 0, 0, 0]), np.arange(10.0), share=0.5)
    0.0
    >>> capture(np.array([10.0, 0, 0, 0, 30, 0, 0, 0, 0, 0]), np.ones(10), share=0.5)
    0.5
    """
    gain = np.maximum(value, 0.0)
    total = gain.sum()
    if total <= 0:
        return NAN
    most = max(1, round(share * gain.size))
    border = np.partition(score, gain.size - most)[gain.size - most]
    above, tied = score > border, score == border
    return float((gain[above].sum() + (most - above.sum()) * gain[tied].mean()) / total)


def gini(value: FloatArray, score: FloatArray) -> float:
    """Normalised Gini: the area of the gain curve by falling score, over that of the best possible order.

    Negative value counts as 0; tied scores share their value evenly. 1 is a perfect order, 0 a random one.

    >>> gini(np.array([5.0, 0.0, 1.0]), np.array([3.0, 1.0, 2.0]))
    1.0
    """
    gain = np.maximum(value, 0.0)
    best = _gain_area(gain, gain)
    return _gain_area(gain, score) / best if gain.sum() > 0 and best > 0 else NAN


def _gain_area(gain: FloatArray, score: FloatArray) -> float:
    _, which = np.unique(-score, return_inverse=True)
    level = np.bincount(which, gain) / np.bincount(which)
    curve = np.cumsum(level[np.sort(which)]) / max(gain.sum(), np.finfo(float).tiny)
    return float(curve.mean() - 0.5 - 0.5 / gain.size)


def bias(value: FloatArray, predicted: FloatArray) -> float:
    """Predicted total over true total; 1 is right.

    >>> bias(np.array([1.0, 3.0]), np.array([2.0, 3.0]))
    1.25
    """
    total = float(value.sum())
    return float(predicted.sum()) / total if total != 0 else NAN


def mae(value: FloatArray, predicted: FloatArray) -> float:
    """Mean absolute error."""
    return float(np.mean(np.abs(predicted - value)))


def rmse(value: FloatArray, predicted: FloatArray) -> float:
    """Root of the mean squared error."""
    return float(np.sqrt(np.mean((predicted - value) ** 2)))


def spearman(value: FloatArray, score: FloatArray) -> float:
    """Correlation of the ranks.

    >>> round(spearman(np.array([1.0, 2, 3]), np.array([1.0, 4, 9])), 12)
    1.0
    """
    if np.ptp(value) == 0 or np.ptp(score) == 0:
        return NAN
    return float(np.corrcoef(ranks(value), ranks(score))[0, 1])


def top_share(value: FloatArray, ids: NDArray[np.str_], share: float) -> FloatArray:
    """1 for the top ``share`` of customers by value, of those above 0; ties by id.

    >>> top_share(np.array([5.0, 5.0, 0.0, 1.0]), np.array(["b", "a", "c", "d"]), 0.25).tolist()
    [0.0, 1.0, 0.0, 0.0]
    """
    order = np.lexsort((ids, -value))[: round(share * value.size)]
    top = np.zeros(value.size)
    top[order] = value[order] > 0
    return top


PROBABILITY: Mapping[str, Metric] = {
    "auc": auc,
    "average_precision": average_precision,
    "brier": brier,
    "log_loss": log_loss,
    "ece": ece,
    "lift_10": lift,
}
RANKING: Mapping[str, Metric] = {"auc": auc, "average_precision": average_precision, "lift_10": lift}
VALUE: Mapping[str, Metric] = {
    "gini": gini,
    "capture_10": capture,
    "bias": bias,
    "mae": mae,
    "rmse": rmse,
    "spearman": spearman,
}
VALUE_RANKING: Mapping[str, Metric] = {"gini": gini, "capture_10": capture, "spearman": spearman}
SMALLER_IS_BETTER = frozenset({"brier", "log_loss", "ece", "mae", "rmse"})


def resamples(rows: int, times: int, seed: int) -> list[NDArray[np.int64]]:
    """Row numbers of bootstrap resamples, the same for whatever is measured on these rows: differences are paired."""
    rng = np.random.default_rng(seed)
    return [rng.integers(0, rows, rows) for _ in range(times)]


def measure(
    metrics: Mapping[str, Metric], truth: FloatArray, score: FloatArray, draws: list[NDArray[np.int64]]
) -> dict[str, dict[str, float | None]]:
    """Each metric with its 95 % bootstrap interval, as ``{name: {"value", "low", "high"}}``; None where not defined.

    >>> y, p = np.array([0, 1.0, 0, 1.0]), np.array([0.25, 0.75, 0.5, 1.0])
    >>> measure({"brier": brier}, y, p, resamples(4, 50, seed=1))["brier"]["value"]
    0.09375
    """
    return {name: _interval(metric, truth, score, draws) for name, metric in metrics.items()}


def _interval(
    metric: Metric, truth: FloatArray, score: FloatArray, draws: list[NDArray[np.int64]]
) -> dict[str, float | None]:
    drawn = np.array([metric(truth[i], score[i]) for i in draws])
    drawn = drawn[np.isfinite(drawn)]
    low, high = np.percentile(drawn, [2.5, 97.5]) if drawn.size else (NAN, NAN)
    found = {"value": metric(truth, score), "low": float(low), "high": float(high)}
    return {key: value if np.isfinite(value) else None for key, value in found.items()}


def paired(
    metric: Metric, truth: FloatArray, one: FloatArray, other: FloatArray, draws: list[NDArray[np.int64]]
) -> tuple[float, float]:
    """95 % interval of ``metric(one) - metric(other)`` over the same resamples.

    >>> y, p = np.array([0, 1.0, 0, 1.0]), np.array([0.2, 0.7, 0.4, 0.9])
    >>> paired(brier, y, p, p, resamples(4, 50, seed=1))
    (0.0, 0.0)
    """
    gaps = np.array([metric(truth[i], one[i]) - metric(truth[i], other[i]) for i in draws])
    gaps = gaps[np.isfinite(gaps)]
    return (float(np.percentile(gaps, 2.5)), float(np.percentile(gaps, 97.5))) if gaps.size else (NAN, NAN)
