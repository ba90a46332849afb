"""Meta-learners: ways to learn what contact changes from customers of whom each was contacted or not.

S: one model of the outcome that knows who was contacted. T: one model for the contacted, one for the others. X: by how
much each customer's outcome differs from what the other group's model expects, modelled in both groups. R: what is left
of the outcome once what was to be expected anyway is taken away, as far as it goes with contact. For randomised contact
with equal groups, R without that expectation is the class transformation. Kuenzel, Sekhon, Bickel, Yu 2019,
Metalearners for estimating heterogeneous treatment effects, PNAS 116(10); Nie, Wager 2021, Quasi-oracle estimation of
heterogeneous treatment effects, Biometrika 108(2).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...models.predictor.members import Linear, Trees
from ...models.uplift import Difference, Direct
from ..learners import BINS, constant, squashing, tree_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from ...models.uplift import Effect

    FloatArray = NDArray[np.float64]
    Weighted = tuple[tuple[float, Effect], ...]
    Learn = Callable[["Trial", Mapping[str, Any], int], Weighted]


@dataclass(frozen=True, eq=False)
class Trial:
    """Customers of whom each was contacted or not.

    Attributes
    ----------
    matrix
        Encoded features, shape (n, k).
    outcome, treated
        What came of it, and whether there was contact (1 or 0), shape (n,).
    expected
        The outcome to be expected of each customer, contact aside, by a model that has not seen them.
    propensity
        The chance of having been contacted.
    chance
        Whether the outcome is 0 or 1.
    """

    matrix: FloatArray
    outcome: FloatArray
    treated: FloatArray
    expected: FloatArray
    propensity: FloatArray
    chance: bool

    def take(self, which: NDArray[np.bool_]) -> Trial:
        """Some of the customers."""
        names = ("matrix", "outcome", "treated", "expected", "propensity")
        return replace(self, **{name: getattr(self, name)[which] for name in names})

    @property
    def arms(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Who was contacted, and who was not."""
        return self.treated > 0, self.treated <= 0


def boosted(
    matrix: FloatArray,
    target: FloatArray,
    params: Mapping[str, Any],
    seed: int,
    *,
    chance: bool = False,
    weight: FloatArray | None = None,
) -> Trees:
    """Trees for a chance (log loss) or an amount (squared error), starting from the mean."""
    import xgboost as xgb

    prior = constant(target, "logit") if chance else float(np.average(target, weights=weight))
    objective = {"objective": "binary:logistic", "base_score": 0.5}
    if not chance:
        objective = {"objective": "reg:squarederror", "base_score": 0.0}
    start = np.full(target.size, prior)
    data = xgb.QuantileDMatrix(matrix, target, weight=weight, base_margin=start, max_bin=BINS, nthread=1)
    booster = xgb.train({**objective, **tree_settings(params), "seed": seed % 2**31}, data, int(params["rounds"]))
    return Trees(bytes(booster.save_raw("ubj")), prior, 0.0, "buys", 0.0)


def s_learner(trial: Trial, params: Mapping[str, Any], seed: int) -> Weighted:
    """One model that reads whether there was contact."""
    both = boosted(np.column_stack([trial.matrix, trial.treated]), trial.outcome, params, seed, chance=trial.chance)
    return ((1.0, Difference(both, both, trial.chance, switched=True)),)


def t_learner(trial: Trial, params: Mapping[str, Any], seed: int) -> Weighted:
    """A model for those contacted and one for the others."""
    treated, control = (
        boosted(trial.matrix[arm], trial.outcome[arm], params, seed, chance=trial.chance) for arm in trial.arms
    )
    return ((1.0, Difference(treated, control, trial.chance, switched=False)),)


def t_linear(trial: Trial, params: Mapping[str, Any], seed: int) -> Weighted:
    """The same with a linear model on squashed features for each."""
    del seed
    shrink = float(params["shrink"])
    treated, control = (_linear(trial.matrix[arm], trial.outcome[arm], shrink, trial.chance) for arm in trial.arms)
    return ((1.0, Difference(treated, control, trial.chance, switched=False)),)


def _linear(matrix: FloatArray, outcome: FloatArray, shrink: float, chance: bool) -> Linear:
    """Logistic or ridge regression; ``shrink`` customers stand for no change by a feature."""
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    shape = squashing(matrix)
    z = Linear.squash(matrix, *shape)
    if not chance:
        return _ridge(shape, np.column_stack([np.ones(len(z)), z]), outcome, shrink)
    if np.ptp(outcome) == 0:
        return Linear(*shape, np.zeros(z.shape[1]), constant(outcome, "logit"))
    mean = float(outcome.mean())
    with threadpool_limits(1):
        model = LogisticRegression(C=1.0 / (shrink * mean * (1.0 - mean)), solver="newton-cholesky").fit(z, outcome)
    return Linear(*shape, model.coef_[0].astype(np.float64), float(model.intercept_[0]))


def _ridge(
    shape: tuple[FloatArray, FloatArray, FloatArray], design: FloatArray, target: FloatArray, pull: float
) -> Linear:
    """Ridge regression on squashed columns, the first of the design unpenalised; one thread, so sums have one order."""
    from threadpoolctl import threadpool_limits

    penalty = np.diag([1e-9, *[pull] * (design.shape[1] - 1)])
    with threadpool_limits(1):
        found = np.linalg.solve(design.T @ design + penalty, design.T @ target)
    return Linear(*shape, np.asarray(found[1:], dtype=np.float64), float(found[0]))


def x_learner(trial: Trial, params: Mapping[str, Any], seed: int) -> Weighted:
    """Both groups' own effects against the other group's model, weighted by how many were contacted."""
    ((_, pair),) = t_learner(trial, params, seed)
    assert isinstance(pair, Difference)
    treated, control = trial.arms
    without = pair.alone(pair.control, trial.matrix[treated])
    with_contact = pair.alone(pair.treated, trial.matrix[control])
    of_treated = boosted(trial.matrix[treated], trial.outcome[treated] - without, params, seed)
    of_control = boosted(trial.matrix[control], with_contact - trial.outcome[control], params, seed)
    share = float(trial.treated.mean())
    return ((1.0 - share, Direct(of_treated)), (share, Direct(of_control)))


def r_learner(trial: Trial, params: Mapping[str, Any], seed: int) -> Weighted:
    """Trees for ``(outcome - expected) / (treated - propensity)``, weighted by the square of the latter."""
    contact = trial.treated - trial.propensity
    target = (trial.outcome - trial.expected) / contact
    return ((1.0, Direct(boosted(trial.matrix, target, params, seed, weight=contact**2))),)


def r_linear(trial: Trial, params: Mapping[str, Any], seed: int) -> Weighted:
    """The same as a ridge regression on squashed features."""
    del seed
    shape = squashing(trial.matrix)
    z = Linear.squash(trial.matrix, *shape)
    contact = trial.treated - trial.propensity
    design = np.column_stack([np.ones(len(z)), z]) * contact[:, None]
    pull = float(params["shrink"]) * float((contact**2).mean())
    return ((1.0, Direct(_ridge(shape, design, trial.outcome - trial.expected, pull))),)


LEARNERS: Mapping[str, Learn] = {
    "S": s_learner,
    "T": t_learner,
    "X": x_learner,
    "R": r_learner,
    "linear R": r_linear,
    "linear T": t_linear,
}


def _sizes(depth: int, rounds: int, weight: float, rate: float = 0.05) -> Mapping[str, float]:
    return {
        "depth": depth, "rounds": rounds, "rate": rate, "child_weight": weight, "shrink": weight, "columns": 0.5,
    }  # fmt: skip


CANDIDATES: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("linear R", {"shrink": 3_000.0}),
    ("R", _sizes(1, 120, 50.0)),
    ("X", _sizes(2, 80, 50.0)),
    ("linear T", {"shrink": 100.0}),
    ("T", _sizes(2, 120, 50.0)),
    ("S", _sizes(2, 150, 50.0)),
    ("R", _sizes(2, 80, 200.0, 0.03)),
    ("linear R", {"shrink": 300.0}),
)
"""What is tried, the setting ``tuning.trials`` says how many of them; all of them strongly regularised."""
