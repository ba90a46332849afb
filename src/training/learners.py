"""How each kind of member is fitted, and the losses that decide between them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..models.predictor.contributions import sigmoid
from ..models.predictor.members import Linear, Member, Rows, Trees, TwoPart

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from .task import Learner, Task

    FloatArray = NDArray[np.float64]
    Link = Literal["logit", "log", "none"]

BINS = 64
MOST_TREES = 300
MOST_LEAVES = 2_400
"""Of one member: what a score with reasons costs grows with its leaves."""
_POWER = 1.5  # of the Tweedie deviance
_TREES_POWER = 1.1  # large amounts count for more
_PAST = "spend_total"
_FEWEST_SPENDERS = 2
_WIDE = 4.0  # past spend is not held where other features are


@dataclass(frozen=True, eq=False)
class Lesson:
    """What a member is fitted on: rows, the answers, and the unit in which money is counted."""

    rows: Rows
    truth: FloatArray
    unit: float


def fit_member(task: Task, learner: Learner, params: Mapping[str, Any], lesson: Lesson, seed: int) -> Member:
    """A member of the given kind.

    Parameters
    ----------
    task
        What is predicted.
    learner
        The kind of member.
    params
        As :func:`~custid.training.tune.propose` draws them.
    lesson
        Pooled rows of several snapshots.
    seed
        Of the rows and columns that each tree sees. One thread fits, so the result is the same on any machine.
    """
    if learner == "linear":
        return _linear(task, params, lesson)
    if learner == "two-part":
        return _two_part(task, params, lesson, seed)
    if task.link == "logit":
        objective = {"objective": "binary:logistic", "base_score": 0.5}
        return _trees(task, params, lesson, objective, seed, corrected=learner == "corrected formula")
    objective = {"objective": "reg:tweedie", "tweedie_variance_power": _TREES_POWER, "base_score": 1.0}
    positive = Lesson(lesson.rows, np.maximum(lesson.truth, 0.0), lesson.unit)
    return _trees(task, params, positive, objective, seed, corrected=learner == "corrected formula")


def _trees(
    task: Task, params: Mapping[str, Any], lesson: Lesson, objective: Mapping[str, Any], seed: int, *, corrected: bool
) -> Trees:
    import xgboost as xgb

    money = task.link == "log"
    link: Link = "log" if money else "logit"
    truth = lesson.truth / lesson.unit if money else lesson.truth
    formula = lesson.rows.formula.get(task.aspect) if corrected else None
    shift = np.log(lesson.unit) if money else 0.0
    if formula is None:
        prior, slope, usual = constant(truth, link), 0.0, 0.0
        start = np.full(truth.size, prior)
    else:
        slope, prior = affine(formula, truth, link)
        usual = float(np.median(formula))
        start = prior + slope * formula
    data = xgb.QuantileDMatrix(lesson.rows.matrix, truth, base_margin=start, max_bin=BINS, nthread=1)
    settings = {**objective, **tree_settings(params), "seed": seed % 2**31}
    booster = xgb.train(settings, data, min(int(params["rounds"]), MOST_TREES))
    return Trees(bytes(booster.save_raw("ubj")), prior + float(shift), slope, task.aspect, usual)


def tree_settings(params: Mapping[str, Any]) -> dict[str, Any]:
    """XGBoost's names for the parameters of trees, and what is the same for all of them."""
    return {
        "tree_method": "hist",
        "max_bin": BINS,
        "nthread": 1,
        "max_depth": int(params["depth"]),
        "eta": params["rate"],
        "min_child_weight": params["child_weight"],
        "reg_lambda": params["shrink"],
        "colsample_bytree": params["columns"],
        "subsample": 0.8,
    }


def _two_part(task: Task, params: Mapping[str, Any], lesson: Lesson, seed: int) -> TwoPart | Linear:
    """Who spends, and how much those do who spend; where hardly anyone does, the average for everyone."""
    spends = lesson.truth > 0
    if spends.sum() < _FEWEST_SPENDERS:
        level = constant(lesson.truth / lesson.unit, task.link) + float(np.log(lesson.unit))
        return flat(lesson.rows.matrix.shape[1], level)
    chance_task = replace(task, link="logit", aspect="buys")
    objective = {"objective": "binary:logistic", "base_score": 0.5}
    whether = Lesson(lesson.rows, spends.astype(np.float64), 1.0)
    chance = _trees(chance_task, params, whether, objective, seed, corrected=True)
    amount_task = replace(task, aspect="value")
    amounts = Lesson(lesson.rows.take(spends), lesson.truth[spends], lesson.unit)
    gamma = {"objective": "reg:gamma", "base_score": 1.0}
    return TwoPart(chance, _trees(amount_task, params, amounts, gamma, seed, corrected=True))


def flat(width: int, margin: float = 0.0) -> Linear:
    """A member that says the same of everyone, of rows with that many features.

    >>> flat(2, 0.5).margin(Rows(np.ones((1, 2)), {})).tolist()
    [0.5]
    """
    return Linear(np.ones(width), np.zeros(width), np.ones(width), np.zeros(width), margin)


def _linear(task: Task, params: Mapping[str, Any], lesson: Lesson) -> Linear:
    """Logistic regression, or a Tweedie regression with a logarithmic link, by scikit-learn."""
    from sklearn.linear_model import LogisticRegression, TweedieRegressor
    from threadpoolctl import threadpool_limits

    matrix = lesson.rows.matrix
    scale, mean, sd = squashing(matrix)
    z = Linear.squash(matrix, scale, mean, sd)
    if np.ptp(lesson.truth) == 0:
        return Linear(scale, mean, sd, np.zeros(sd.size), constant(lesson.truth / lesson.unit, task.link))
    with threadpool_limits(1):
        if task.link == "logit":
            model = LogisticRegression(C=params["freedom"], solver="newton-cholesky", max_iter=100).fit(z, lesson.truth)
            return Linear(scale, mean, sd, model.coef_[0].astype(np.float64), float(model.intercept_[0]))
        strength = 1.0 / (params["freedom"] * len(z))
        model = TweedieRegressor(power=_POWER, alpha=strength, link="log", solver="newton-cholesky", max_iter=100)
        model.fit(z, np.maximum(lesson.truth, 0.0) / lesson.unit)
    return Linear(scale, mean, sd, model.coef_.astype(np.float64), float(model.intercept_ + np.log(lesson.unit)))


def squashing(matrix: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Scale, mean and deviation of each column, as :class:`~custid.models.predictor.members.Linear` squashes them."""
    size = np.abs(matrix)
    scale = np.array([_median(column[column > 0]) for column in size.T]) if matrix.size else np.ones(0)
    squashed = np.arcsinh(matrix / scale)
    known = ~np.isnan(squashed)
    counts = np.maximum(known.sum(axis=0), 1)
    filled = np.where(known, squashed, 0.0)
    mean = filled.sum(axis=0) / counts
    sd = np.sqrt(np.where(known, (squashed - mean) ** 2, 0.0).sum(axis=0) / counts)
    return scale, mean, np.where(sd > 0, sd, 1.0)


def past_spend(task: Task, names: Sequence[str], rows: Rows) -> list[Linear]:
    """What was spent so far as a member, ``asinh(spend / median)``; none where it does not speak of the task."""
    if not task.past_spend or _PAST not in names:
        return []
    at, width = list(names).index(_PAST), rows.matrix.shape[1]
    column = rows.matrix[:, at]
    scale, sd, coefficients = np.ones(width), np.ones(width), np.zeros(width)
    scale[at], sd[at] = _median(column[column > 0]), _WIDE
    coefficients[at] = task.sign * _WIDE
    return [Linear(scale, np.zeros(width), sd, coefficients, 0.0)]


def _median(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else 1.0


def loss(margin: FloatArray, truth: FloatArray, link: Link) -> FloatArray:
    """Per row: log loss, or half the Tweedie deviance (power 1.5) up to a constant; convex in the margin."""
    if link == "logit":
        return np.logaddexp(0.0, margin) - truth * margin
    half = np.exp(np.clip(margin / 2, -40.0, 40.0))
    return 2.0 * (np.maximum(truth, 0.0) / half + half)


def slope_of(margin: FloatArray, truth: FloatArray, link: Link) -> tuple[FloatArray, FloatArray]:
    """First and second derivative of :func:`loss` by the margin."""
    if link == "logit":
        p = sigmoid(margin)
        return p - truth, p * (1 - p)
    half = np.exp(np.clip(margin / 2, -40.0, 40.0))
    up, down = half, np.maximum(truth, 0.0) / half
    return up - down, (up + down) / 2


def constant(truth: FloatArray, link: Link) -> float:
    """The best margin that is the same for all."""
    mean = float(np.maximum(truth, 0.0).mean())
    if link == "logit":
        mean = min(max(mean, 0.5 / truth.size), 1 - 0.5 / truth.size)
        return float(np.log(mean) - np.log1p(-mean))
    return float(np.log(max(mean, 1e-9)))


def affine(margin: FloatArray, truth: FloatArray, link: Link) -> tuple[float, float]:
    """Slope and intercept of the margin that fit best; a slight pull towards slope 1 keeps them finite.

    Examples
    --------
    >>> margin = np.array([-1.0, 1.0] * 50)
    >>> slope, intercept = affine(margin, np.array([0.0, 1.0] * 25 + [0.0, 0.0] * 10 + [1.0, 1.0] * 15), "logit")
    >>> bool(slope > 0)
    True
    """
    weights, offsets = stack(margin[:, None], truth, np.zeros(truth.size, dtype=np.intp), np.ones(1), 5.0, link)
    return float(weights[0]), float(offsets[0])


def stack(
    margins: FloatArray,
    truth: FloatArray,
    group: NDArray[np.intp],
    prior: FloatArray,
    strength: float,
    link: Link,
) -> tuple[FloatArray, FloatArray]:
    """Weights of several margins, none negative, and an intercept for each group of rows.

    Minimises the summed loss plus ``strength`` times the squared distance of the weights to ``prior``: few data leave
    the weights where they were. Own intercepts keep the level of a season out of the weights.

    Parameters
    ----------
    margins
        Of the members, shape (n, k).
    truth
        Answers, shape (n,); money in units of its mean.
    group
        The number of each row's snapshot, from 0.
    prior
        Shape (k,).
    strength
        How many losses a unit of squared distance weighs.
    link
        Of the margins.

    Returns
    -------
    tuple
        Weights (k,) and intercepts (groups,).
    """
    from scipy.optimize import minimize

    k, groups = margins.shape[1], int(group.max(initial=0)) + 1
    centre = margins.mean(axis=0)
    margins = margins - centre

    def objective(theta: FloatArray) -> tuple[float, FloatArray]:
        weights, offsets = theta[:k], theta[k:]
        margin = (margins * weights).sum(axis=1) + offsets[group]
        first, _ = slope_of(margin, truth, link)
        off = weights - prior
        value = float(loss(margin, truth, link).sum()) + strength * float((off**2).sum())
        by_weight = (margins * first[:, None]).sum(axis=0) + 2 * strength * off
        by_group = np.bincount(group, first, groups) + 1e-3 * offsets
        return value + 0.5e-3 * float((offsets**2).sum()), np.concatenate([by_weight, by_group])

    bounds = [(0.0, 5.0)] * k + [(-30.0, 30.0)] * groups
    options = {"maxiter": 300, "ftol": 1e-12, "gtol": 1e-6}
    start = np.concatenate([prior, np.zeros(groups)])
    found = minimize(objective, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    weights = np.asarray(found.x[:k], dtype=np.float64)
    return weights, np.asarray(found.x[k:], dtype=np.float64) - float((weights * centre).sum())
