"""The level: what the scores of all customers of a day should come to.

A learner with little more than a year of history inherits the level of the windows that it was fitted on. The formulas,
which spread each customer's own rate over the time to come, by a clock that knows the season as far as the history
does, were nearer on most days that were looked at; so the total of the blend is the formula's: that of BG/NBD, which
was the nearest of the three in total. Where a task asks for it (a short horizon), the newest labelled days decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..models.predictor.contributions import sigmoid
from ..models.predictor.predictor import formula_margins
from ..models.predictor.rhythm import Past

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .folds import Pool
    from .history import History
    from .task import Task

    FloatArray = NDArray[np.float64]

_HALF_LIFE = 3.0  # snapshots after which a day speaks half as loudly of the level of the newest


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
    if task.level == "newest days" and history.learnt_horizon == history.horizon:
        return newest_days(task, history, pool)
    rhythm = history.level_rhythm
    if rhythm is None or (task.link == "logit" and task.aspect == "value"):
        share = float(np.maximum(pool.truth, 0.0).mean())
        if task.link == "log":
            share *= history.horizon / history.learnt_horizon
        elif task.aspect != "value":
            longer = history.horizon / history.learnt_horizon  # at a constant rate
            share = share**longer if history.formulas and task.sign < 0 else 1 - (1 - share) ** longer
        return np.full(history.latest.features.num_rows, max(share, 0.5 / pool.truth.size))
    past = Past.of(history.latest.features)
    said = formula_margins(rhythm, past, float(history.horizon.days), task.sign)[task.aspect]
    return sigmoid(said) if task.link == "logit" else np.exp(said)


def newest_days(task: Task, history: History, pool: Pool) -> FloatArray:
    """Chances at the level of the newest labelled days: the formula's, moved as those days' were off, shape (n,).

    A short horizon is shorter than what makes a formula right on average: a weekday, a holiday, a campaign. Each day
    counts by how new it is.
    """
    weight = 0.5 ** ((pool.days - 1 - pool.day) / _HALF_LIFE)
    share = float(np.clip((weight * pool.truth).sum() / weight.sum(), 0.5 / pool.truth.size, 1 - 0.5 / pool.truth.size))
    past = history.latest.features
    if history.rhythm is None or task.aspect not in pool.rows.formula:
        return np.full(past.num_rows, share)
    said = formula_margins(history.rhythm, Past.of(past), float(history.horizon.days), task.sign)[task.aspect]
    return sigmoid(said + mean_shift(pool.rows.formula[task.aspect], share, weight))


def mean_shift(margin: FloatArray, mean: float, weight: FloatArray | None = None) -> float:
    """What to add to log-odds for the mean probability, weighted where there are weights, to be ``mean``.

    >>> shift = mean_shift(np.array([-1.0, 0.0, 2.0]), 0.5)
    >>> round(float(sigmoid(np.array([-1.0, 0.0, 2.0]) + shift).mean()), 9)
    0.5
    """
    low, high = -30.0, 30.0
    for _ in range(80):
        middle = (low + high) / 2
        if np.average(sigmoid(margin + middle), weights=weight) < mean:
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
