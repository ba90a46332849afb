"""How much of the future groups of customers tell apart, beside points and cells of recency, frequency and value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ... import metrics
from ...models.predictor.encoder import numbers
from .axes import outcomes

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from ..history import Outcome

    FloatArray = NDArray[np.float64]

_PARTS = 5


def expected(truth: FloatArray, group: NDArray[np.intp]) -> FloatArray:
    """What the others of a customer's group did, on average; of a group of one, what everyone did.

    >>> expected(np.array([1.0, 3.0, 5.0, 7.0]), np.array([0, 0, 0, 1])).tolist()
    [4.0, 3.0, 2.0, 4.0]
    """
    _, which, counts = np.unique(group, return_inverse=True, return_counts=True)
    others = counts[which] - 1
    sums = np.bincount(which, truth)[which] - truth
    mean: FloatArray = np.where(others > 0, sums / np.maximum(others, 1), truth.mean())
    return mean


def explained(truth: FloatArray, told: FloatArray) -> float:
    """The share of the variance of ``truth`` that ``told`` accounts for; below 0 where the average would do better.

    With what :func:`expected` gives this is the predicted R squared (PRESS; Allen 1974, Technometrics 16): a customer
    never speaks for itself, so that many small groups gain nothing by being many.

    >>> explained(np.array([1.0, 1.0, 5.0, 5.0]), np.array([1.0, 1.0, 5.0, 4.0]))
    0.9375
    """
    total = float(((truth - truth.mean()) ** 2).sum())
    return 1.0 - float(((truth - told) ** 2).sum()) / total if total > 0 else metrics.NAN


def rfm_cells(features: pa.Table) -> NDArray[np.intp]:
    """The cell of recency, frequency and spend quintile of each customer, 0 to 124.

    >>> import pyarrow as pa
    >>> table = pa.table({"days_since_last": [1.0, 9.0], "purchases": [5.0, 1.0], "spend_total": [80.0, 10.0]})
    >>> rfm_cells(table).tolist()
    [93, 31]
    """
    cell = np.zeros(features.num_rows, dtype=np.intp)
    for name, sign, default in (("days_since_last", -1.0, 1e6), ("purchases", 1.0, 0.0), ("spend_total", 1.0, 0.0)):
        place = (metrics.ranks(sign * numbers(features, name, default)) - 0.5) / cell.size
        cell = cell * _PARTS + np.minimum(np.floor(place * _PARTS), _PARTS - 1).astype(np.intp)
    return cell


def truths(outcome: Outcome) -> dict[str, FloatArray]:
    """What is to be told apart, NaN for whom it does not concern: who was gone, the logarithm of the spend (0 where
    nothing was bought), and that of those who bought.
    """
    bought, amount = outcomes(outcome)
    return {
        "churn_explained": 1.0 - bought,
        "spend_explained": np.where(bought > 0, amount, 0.0),
        "amount_explained": amount,
    }


def compare(
    outcome: Outcome, ours: NDArray[np.intp], others: Mapping[str, NDArray[np.intp]], times: int, seed: int
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """What our groups explain, what others do, and by how much ours are ahead, each with its 95 % bootstrap interval.

    Parameters
    ----------
    outcome
        What n customers did.
    ours, others
        Numbers of groups, shape (n,) each.
    times, seed
        Resamples of the customers, the same for all.
    """
    model: dict[str, Any] = {}
    baselines: dict[str, Any] = {name: {} for name in others}
    ahead: dict[str, Any] = {name: {} for name in others}
    for metric, values in truths(outcome).items():
        known = np.isfinite(values)
        truth = values[known]
        if not truth.size:
            continue
        draws = metrics.resamples(truth.size, times, seed)
        told = expected(truth, ours[known])
        model |= metrics.measure({metric: explained}, truth, told, draws)
        for name, group in others.items():
            theirs = expected(truth, group[known])
            baselines[name] |= metrics.measure({metric: explained}, truth, theirs, draws)
            low, high = metrics.paired(explained, truth, told, theirs, draws)
            gap = {"value": explained(truth, told) - explained(truth, theirs), "low": low, "high": high}
            ahead[name][metric] = {key: value if np.isfinite(value) else None for key, value in gap.items()}
    return model, baselines, ahead
