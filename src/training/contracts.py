"""What a model of contracts must beat: tenure and plan. No buy-till-you-die formula speaks of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..models.predictor.encoder import numbers

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from .history import History

    FloatArray = NDArray[np.float64]

_PLAN = "subscription_plan"
_PULL = 20.0  # customers with the average that are added to each plan


def tenure(features: pa.Table) -> FloatArray:
    """Who came last leaves first: the fewer days since the first subscription, the higher."""
    return -numbers(features, "subscription_tenure", 0.0)


def plan_average(history: History) -> FloatArray:
    """The share that left of each plan on the newest labelled day; of few, drawn to the average."""
    past = history.snapshots[-1]
    ended = past.outcome.known["ended"]
    counts: dict[str | None, list[float]] = {}
    for plan, left in zip(past.features[_PLAN].to_pylist(), ended.tolist(), strict=True):
        counts.setdefault(plan, []).append(left)
    mean = float(ended.mean())
    rates = {plan: (sum(left) + _PULL * mean) / (len(left) + _PULL) for plan, left in counts.items()}
    return np.array([rates.get(plan, mean) for plan in history.latest.features[_PLAN].to_pylist()])
