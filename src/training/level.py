"""The level: what the scores of all customers of a day should come to.

A learner with little more than a year of history inherits the level of the windows that it was fitted on. The formulas,
which spread each customer's own rate over the time to come, were nearer on most days that were looked at; so the total
of the blend is the formula's: that of BG/NBD, which was the nearest of the three in total. For money it is put right by
what the formula was off at the same season of earlier years, as far as those days had a history to judge by; for
chances that did more harm than good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..models.predictor.contributions import sigmoid
from ..models.predictor.predictor import formula_margins
from ..models.predictor.rhythm import Past

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

    from .folds import Pool
    from .history import History
    from .task import Task

    FloatArray = NDArray[np.float64]

_SEASON = 45.0  # days: how near in the year a snapshot must be to speak of the same season
_YEAR = 365.25


def level(task: Task, history: History, pool: Pool, margin: FloatArray) -> float:
    """What to add to the margins of the latest rows for their total to be the expected one.

    Parameters
    ----------
    task, history, pool
        What is learnt, and from what.
    margin
        Of the latest rows, without an intercept, shape (n,).
    """
    expected = _expected(task, history, pool)
    if task.link == "log":
        return float(np.log(expected.sum()) - np.log(np.exp(margin).sum()))
    return mean_shift(margin, float(expected.mean()))


def _expected(task: Task, history: History, pool: Pool) -> FloatArray:
    """Chances or money whose total is the expected one."""
    rhythm = history.level_rhythm
    if rhythm is None or (task.link == "logit" and task.aspect == "value"):
        share = float(np.maximum(pool.truth, 0.0).mean())
        if task.link == "log":
            share *= history.horizon / history.learnt_horizon
        return np.full(history.latest.features.num_rows, max(share, 0.5 / pool.truth.size))
    past = Past.of(history.latest.features)
    said = formula_margins(rhythm, past, float(history.horizon.days), task.sign)[task.aspect]
    if task.link == "logit":
        return sigmoid(said)
    then = pool.rows.formula[task.aspect] - np.log(pool.unit)
    off = level_offsets(then, pool.truth / pool.unit, pool.day, pool.days)
    days = [snapshot.day for snapshot in history.snapshots]
    seen = [_seen(snapshot.features) for snapshot in history.snapshots]
    return np.exp(said + season_offset(days, off, seen, history.latest.day))


def _seen(features: Any) -> float:
    """How many days of history there were: the age of the oldest customer."""
    import pyarrow.compute as pc

    return float(pc.max(features["age"]).as_py() or 0.0)


def season_offset(days: Sequence[date], offsets: FloatArray, seen: Sequence[float], as_of: date) -> float:
    """The offset to expect on a day from those of earlier days: their mean, the nearer in season the heavier.

    A day with less than a year of history before it counts in part, and where no day is near in season the offset is 0.

    Examples
    --------
    >>> from datetime import date
    >>> days, off = [date(2010, 6, 1), date(2010, 12, 1)], np.array([0.4, -0.4])
    >>> round(season_offset(days, off, [365.25, 500.0], date(2011, 6, 1)), 2)
    0.4
    >>> round(season_offset(days, off, [182.625, 365.25], date(2011, 6, 1)), 2)
    0.2
    """
    apart = np.array([abs(((as_of - day).days + _YEAR / 2) % _YEAR - _YEAR / 2) for day in days])
    near = np.exp(-0.5 * (apart / _SEASON) ** 2)
    trust = near * np.minimum(np.array(seen) / _YEAR, 1.0)
    return float(trust.max() * (near * offsets).sum() / max(near.sum(), 1e-12))


def mean_shift(margin: FloatArray, mean: float) -> float:
    """What to add to log-odds for the mean probability to be ``mean``.

    >>> shift = mean_shift(np.array([-1.0, 0.0, 2.0]), 0.5)
    >>> round(float(sigmoid(np.array([-1.0, 0.0, 2.0]) + shift).mean()), 9)
    0.5
    """
    low, high = -30.0, 30.0
    for _ in range(80):
        middle = (low + high) / 2
        if sigmoid(margin + middle).mean() < mean:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def level_offsets(margin: FloatArray, truth: FloatArray, day: NDArray[np.intp], days: int) -> FloatArray:
    """What must be added to the log margins of each day for its total to be right, shape (days,).

    >>> off = level_offsets(np.zeros(3), np.array([2.0, 2.0, 1.0]), np.array([0, 0, 1]), 2)
    >>> [round(float(v), 3) for v in off]
    [0.693, 0.0]
    """
    right = np.bincount(day, truth, days)
    said = np.maximum(np.bincount(day, np.exp(margin), days), 1e-12)
    return np.log(np.clip(right / said, 1e-9, 1e9))
