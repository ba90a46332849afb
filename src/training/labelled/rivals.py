"""What a model of observations must beat: common learners as they are used without a search.

Each takes the encoded rows that are known, shape (n, k), their labels (and who was contacted), and rows that are not;
and gives probabilities, or what contact changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    Rival = Callable[[FloatArray, FloatArray, FloatArray], FloatArray]
    UpliftRival = Callable[[FloatArray, FloatArray, FloatArray, FloatArray], FloatArray]


def prior(known: FloatArray, truth: FloatArray, unseen: FloatArray) -> FloatArray:
    """The average for everyone."""
    del known
    return np.full(len(unseen), float(truth.mean()))


def logistic(known: FloatArray, truth: FloatArray, unseen: FloatArray) -> FloatArray:
    """Logistic regression on standardised columns, scikit-learn's own settings; what is unknown is the mean."""
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    if np.ptp(truth) == 0:
        return prior(known, truth, unseen)
    mean, sd = _moments(known)
    with threadpool_limits(1):
        model = LogisticRegression(max_iter=2_000).fit(_standard(known, mean, sd), truth)
        return np.asarray(model.predict_proba(_standard(unseen, mean, sd))[:, 1], dtype=np.float64)


def _moments(matrix: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and deviation of each column, of what is known."""
    known = np.where(np.isnan(matrix).all(axis=0), 0.0, matrix)
    sd = np.nanstd(known, axis=0)
    return np.nanmean(known, axis=0), np.where(sd > 0, sd, 1.0)


def _standard(matrix: FloatArray, mean: FloatArray, sd: FloatArray) -> FloatArray:
    z = (matrix - mean) / sd
    return np.where(np.isnan(z), 0.0, z)


def shallow(known: FloatArray, truth: FloatArray, unseen: FloatArray) -> FloatArray:
    """XGBoost of depth 2: 300 rounds at a rate of 0.05."""
    return _boosted(known, truth, unseen, 300, {"max_depth": 2, "eta": 0.05})


def xgboost(known: FloatArray, truth: FloatArray, unseen: FloatArray) -> FloatArray:
    """XGBoost as it comes."""
    return _boosted(known, truth, unseen, 100, {})


def _boosted(
    known: FloatArray, truth: FloatArray, unseen: FloatArray, rounds: int, settings: Mapping[str, Any]
) -> FloatArray:
    import xgboost as xgb

    data = xgb.DMatrix(known, truth, nthread=1)
    own = {"objective": "binary:logistic", "nthread": 1, "seed": 0, "base_score": 0.5}
    booster = xgb.train({**own, **settings}, data, rounds)
    return np.asarray(booster.predict(xgb.DMatrix(unseen, nthread=1)), dtype=np.float64)


RIVALS: Mapping[str, Rival] = {
    "prior": prior,
    "logistic": logistic,
    "shallow_xgboost": shallow,
    "xgboost": xgboost,
}


def expected_outcome(known: FloatArray, outcome: FloatArray, unseen: FloatArray, *, chance: bool) -> FloatArray:
    """A chance by logistic regression, or an amount by ridge regression on the same columns."""
    if chance:
        return logistic(known, outcome, unseen)
    from sklearn.linear_model import Ridge
    from threadpoolctl import threadpool_limits

    mean, sd = _moments(known)
    with threadpool_limits(1):
        model = Ridge().fit(_standard(known, mean, sd), outcome)
        return np.asarray(model.predict(_standard(unseen, mean, sd)), dtype=np.float64)


def is_chance(outcome: FloatArray) -> bool:
    """Whether all outcomes are 0 or 1."""
    return bool(np.isin(outcome, (0.0, 1.0)).all())


def s_learner(known: FloatArray, outcome: FloatArray, treated: FloatArray, unseen: FloatArray) -> FloatArray:
    """One regression that reads contact and contact times each column."""
    chance, taught = is_chance(outcome), np.column_stack([known, treated, known * treated[:, None]])
    with_contact = np.column_stack([unseen, np.ones(len(unseen)), unseen])
    without = np.column_stack([unseen, np.zeros(len(unseen)), np.zeros_like(unseen)])
    both = expected_outcome(taught, outcome, np.concatenate([with_contact, without]), chance=chance)
    return both[: len(unseen)] - both[len(unseen) :]


def t_learner(known: FloatArray, outcome: FloatArray, treated: FloatArray, unseen: FloatArray) -> FloatArray:
    """A regression for those contacted less one for the others; 0 where there are no such."""
    chance, on = is_chance(outcome), treated > 0
    if on.all() or not on.any():
        return np.zeros(len(unseen))
    contacted = expected_outcome(known[on], outcome[on], unseen, chance=chance)
    return contacted - expected_outcome(known[~on], outcome[~on], unseen, chance=chance)


def class_transformation(known: FloatArray, outcome: FloatArray, treated: FloatArray, unseen: FloatArray) -> FloatArray:
    """A regression of whether the outcome is as contact would have it; for amounts, of the transformed outcome."""
    if is_chance(outcome):
        return 2.0 * logistic(known, (outcome == treated).astype(np.float64), unseen) - 1.0
    share = treated.mean()
    if share in (0.0, 1.0):
        return np.zeros(len(unseen))
    return expected_outcome(known, outcome * (treated - share) / (share * (1 - share)), unseen, chance=False)


def response(known: FloatArray, outcome: FloatArray, treated: FloatArray, unseen: FloatArray) -> FloatArray:
    """A regression of the outcome of those contacted: who answers, whether or not because of it."""
    on = treated > 0
    if not on.any():
        return np.zeros(len(unseen))
    return expected_outcome(known[on], outcome[on], unseen, chance=is_chance(outcome))


UPLIFT_RIVALS: Mapping[str, UpliftRival] = {
    "s_learner": s_learner,
    "t_learner": t_learner,
    "class_transformation": class_transformation,
    "response": response,
}
