"""What a model of observations must beat: common learners as they are used without a search.

Each takes the encoded rows that are known, shape (n, k), their labels, and rows that are not; and gives probabilities.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    Rival = Callable[[FloatArray, FloatArray, FloatArray], FloatArray]


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
    empty = np.isnan(known).all(axis=0)
    mean = np.nanmean(np.where(empty, 0.0, known), axis=0)
    sd = np.nanstd(np.where(empty, 0.0, known), axis=0)
    sd = np.where(sd > 0, sd, 1.0)
    with threadpool_limits(1):
        model = LogisticRegression(max_iter=2_000).fit(_standard(known, mean, sd), truth)
        return np.asarray(model.predict_proba(_standard(unseen, mean, sd))[:, 1], dtype=np.float64)


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
