"""What a model must beat: what people use without one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .. import metrics
from ..metrics import profit
from ..models.predictor.contributions import sigmoid
from ..models.predictor.encoder import numbers
from ..models.predictor.predictor import formula_margins
from ..models.predictor.rhythm import Past, Rhythm
from .contracts import plan_average, tenure

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from .folds import Pool
    from .history import History
    from .task import Task

    FloatArray = NDArray[np.float64]

LATELY: Mapping[str, str] = {
    "recency": "days_since_last",
    "last_visit": "days_since_visit",
    "registration": "days_since_registration",
}
"""Baselines that are an order: who did something last."""
FORMULAS: Mapping[str, str] = {"bgnbd": "bg_nbd", "mbgnbd": "mbg_nbd", "paretonbd": "pareto_nbd"}


@dataclass(frozen=True, eq=False)
class Baseline:
    """A baseline's scores, shape (n,), and whether they are probabilities or money or only an order."""

    score: FloatArray
    exact: bool


def baselines(task: Task, history: History, pool: Pool) -> dict[str, Baseline]:
    """Every baseline's scores for the latest rows of a history, as far as the features say what it needs.

    ``recency``: who bought last. ``rfm``: the sum of the quintiles of recency, frequency and spend. ``past_spend``: the
    spend of the past, as long as the horizon. ``last_visit``: who visited last. ``registration``: where nobody has
    bought, who registered last. ``prior``: the average for everyone. ``bgnbd``, ``mbgnbd`` and ``paretonbd``: the
    formulas with Gamma-Gamma, as they are. ``xgboost``: its defaults, on the newest labelled snapshot. Of contracts:
    ``tenure``, ``plan`` (the average of each), ``prior`` and ``xgboost``.
    """
    if not history.formulas:
        return _of_contracts(task, history, pool)
    features = history.latest.features
    up = -1.0 if task.sign < 0 else 1.0
    there = {*features.column_names}
    lately = {name: column for name, column in LATELY.items() if column in there}
    if "recency" in lately:
        lately.pop("registration", None)
    found = {n: Baseline(-up * numbers(features, column, 1e6), exact=False) for n, column in lately.items()}
    if {"days_since_last", "purchases", "spend_total"} <= there:
        found["rfm"] = Baseline(up * rfm_points(features), exact=False)
        found["past_spend"] = _past_spend(task, history)
    found["prior"] = Baseline(np.full(features.num_rows, float(pool.truth.mean())), exact=True)
    found |= _formulas(task, history)
    found["xgboost"] = _boosted(task, history, pool)
    return found


def _of_contracts(task: Task, history: History, pool: Pool) -> dict[str, Baseline]:
    features = history.latest.features
    return {
        "tenure": Baseline(tenure(features), exact=False),
        "plan": Baseline(plan_average(history), exact=True),
        "prior": Baseline(np.full(features.num_rows, float(pool.truth.mean())), exact=True),
        "xgboost": _boosted(task, history, pool),
    }


def measures(task: Task, exact: bool) -> Mapping[str, metrics.Metric]:
    """What can be measured of a baseline: all of it, or the order alone."""
    if exact:
        return task.metrics
    ranking = metrics.VALUE_RANKING if task.link == "log" else metrics.RANKING
    return {name: metric for name, metric in task.metrics.items() if name in ranking or name in profit.ORDER}


def rfm_points(features: pa.Table) -> FloatArray:
    """The sum of three quintiles, 1 to 5 each: recency, frequency, spend.

    >>> import pyarrow as pa
    >>> table = pa.table({"days_since_last": [1.0, 9.0], "purchases": [5.0, 1.0], "spend_total": [80.0, 10.0]})
    >>> rfm_points(table).tolist()
    [12.0, 6.0]
    """
    columns = (
        -numbers(features, "days_since_last", 1e6),
        numbers(features, "purchases", 0.0),
        numbers(features, "spend_total", 0.0),
    )
    points = np.zeros(features.num_rows)
    for column in columns:
        place = (metrics.ranks(column) - 0.5) / column.size
        points += np.floor(place * 5) + 1
    return points


def _past_spend(task: Task, history: History) -> Baseline:
    features, days = history.latest.features, float(history.horizon.days)
    lengths = [int(n[6:]) for n in features.column_names if n.startswith("spend_") and n[6:].isdigit()]
    if lengths:
        length = min(lengths, key=lambda n: (abs(n - days), n))
        spent = numbers(features, f"spend_{length}", 0.0) * days / length
    else:
        spent = numbers(features, "spend_total", 0.0)
    if task.link == "log":
        return Baseline(np.maximum(spent, 0.0), exact=True)
    return Baseline(task.sign * spent, exact=False)


def _formulas(task: Task, history: History) -> dict[str, Baseline]:
    features = history.latest.features
    found = {}
    for name, kind in FORMULAS.items():
        rhythm = Rhythm.fit(features, [kind])
        if rhythm is None:
            continue
        margins = formula_margins(rhythm, Past.of(features), float(history.horizon.days), task.sign)
        margin = margins[task.aspect]
        if task.link == "log":
            found[name] = Baseline(np.exp(margin), exact=True)
        elif task.aspect == "buys":
            found[name] = Baseline(sigmoid(margin), exact=True)
        else:
            found[name] = Baseline(margin, exact=False)
    return found


def _boosted(task: Task, history: History, pool: Pool) -> Baseline:
    import xgboost as xgb

    newest = pool.day == pool.days - 1
    objective = "binary:logistic" if task.link == "logit" else "reg:squarederror"
    data = xgb.DMatrix(pool.rows.matrix[newest], pool.truth[newest], nthread=1)
    booster = xgb.train({"objective": objective, "nthread": 1, "seed": 0}, data, 100)
    matrix = history.encoder.matrix(history.latest.features)
    score = booster.predict(xgb.DMatrix(matrix, nthread=1)).astype(np.float64)
    stretch = history.horizon / history.learnt_horizon if task.link == "log" else 1.0
    return Baseline(score * stretch, exact=True)
