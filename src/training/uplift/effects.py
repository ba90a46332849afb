"""Learning an effect: meta-learners weighed by what they explain of it in customers whom they have not seen.

Weights minimise the R-loss, ``((outcome - expected) - (treated - propensity) * effect) ** 2``, on inner folds, none of
them negative and drawn to equal ones: it sees how large an effect is as well as where.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import metrics
from ...metrics import uplift as measured
from ...models.uplift import Uplift, total
from ..blend import usual_of
from ..history import History
from ..labelled.rivals import expected_outcome, is_chance, logistic
from ..labelled.splits import folds, thinned
from ..workers import workers
from .metalearners import CANDIDATES, LEARNERS, Trial

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ...config import Config
    from ..history import Outcome, Snapshot
    from ..task import Task
    from .metalearners import Weighted

    FloatArray = NDArray[np.float64]

_INNER = 3
_MOST_TRIED = 60_000  # rows to weigh the learners on
_FEWEST = 50  # customers of each group, to learn more than an average
_STRENGTH = 20.0  # how firmly the weights are held to equal ones
_SAME = 0.005  # of the log loss: contact that attributes do not foretell any better was left to chance
_LEAST_CHANCE = 0.05


@dataclass(frozen=True, eq=False)
class Learnt:
    """A predictor; of each candidate its weight and R-loss on the inner folds; and whether contact was random."""

    predictor: Uplift
    weights: FloatArray
    losses: FloatArray
    random: bool


def treated_of(outcome: Outcome) -> FloatArray:
    """Who was contacted: 1 or 0."""
    return outcome.known["treated"]


def learn(task: Task, rows: tuple[Snapshot, ...], config: Config) -> Learnt:
    """Fit every candidate, and weigh them on folds of these customers that they have not seen."""
    horizon = task.horizon(config)
    own = History(rows, rows[-1], horizon, horizon, formulas=False)
    ids = np.concatenate([part.outcome.ids for part in rows]).tolist()
    outcome = np.concatenate([task.label(part.outcome, config) for part in rows])
    treated = np.concatenate([treated_of(part.outcome) for part in rows])
    matrix = np.concatenate([own.encoder.matrix(part.features) for part in rows])
    blank = Uplift(own.encoder, (), (), 0.0, usual_of(own))
    if min(treated.sum(), (1 - treated).sum()) < _FEWEST or np.ptp(outcome) == 0:
        average = np.nan_to_num(measured.average_effect(outcome, treated))
        return Learnt(replace(blank, intercept=float(average)), np.zeros(0), np.zeros(0), random=True)
    part = folds(ids, strata_of(outcome, treated), config.seed, "inner", parts=_INNER)
    trial, random = _trial(matrix, outcome, treated, part)
    part = thinned(part, ids, _MOST_TRIED, config.seed, parts=_INNER)
    return _weighed(blank, trial, part, config, random=random)


def strata_of(outcome: FloatArray, treated: FloatArray) -> FloatArray:
    return 2.0 * (outcome > 0) + treated


def _trial(matrix: FloatArray, outcome: FloatArray, treated: FloatArray, part: NDArray[np.intp]) -> tuple[Trial, bool]:
    """The customers with their expected outcome and the chance of contact, each by models that have not seen them.

    The chance of contact is the share contacted, unless attributes foretell it.
    """
    chance = is_chance(outcome)
    expected, propensity, share = np.empty(outcome.size), np.empty(outcome.size), np.empty(outcome.size)
    for number in range(_INNER):
        unseen = part == number
        known = matrix[~unseen]
        expected[unseen] = expected_outcome(known, outcome[~unseen], matrix[unseen], chance=chance)
        propensity[unseen] = logistic(known, treated[~unseen], matrix[unseen])
        share[unseen] = treated[~unseen].mean()
    random = metrics.log_loss(treated, propensity) > (1 - _SAME) * metrics.log_loss(treated, share)
    chosen = share if random else np.clip(propensity, _LEAST_CHANCE, 1 - _LEAST_CHANCE)
    return Trial(matrix, outcome, treated, expected, chosen, chance), random


def _weighed(blank: Uplift, trial: Trial, part: NDArray[np.intp], config: Config, *, random: bool) -> Learnt:
    candidates = CANDIDATES[: max(2, config.tuning.trials)]
    jobs = [(candidate, number) for number in range(-1, _INNER) for candidate in candidates]

    def fit(job: tuple[tuple[str, Mapping[str, Any]], int]) -> Weighted:
        (name, params), number = job
        which = (part != number) & (part < _INNER) if number >= 0 else np.ones(part.size, dtype=bool)
        return LEARNERS[name](trial.take(which), params, config.seed)

    with workers(config) as pool:
        fitted = list(pool.map(fit, jobs))
    effects = np.empty((trial.outcome.size, len(candidates)))
    for number in range(_INNER):
        unseen = part == number
        for column in range(len(candidates)):
            effects[unseen, column] = _effect(fitted[(number + 1) * len(candidates) + column], trial.matrix[unseen])
    tried = trial.take(part < _INNER)
    effects = effects[part < _INNER]
    weights, intercept = r_stack(effects, tried)
    losses = np.array([_r_loss(column, tried) for column in effects.T])
    flat = [(w * share, e) for w, found in zip(weights, fitted, strict=False) for share, e in found if w > 0]
    kept = tuple(effect for _, effect in flat)
    predictor = replace(blank, effects=kept, weights=tuple(float(w) for w, _ in flat), intercept=intercept)
    return Learnt(predictor, weights, losses, random)


def _effect(found: Weighted, matrix: FloatArray) -> FloatArray:
    return total([effect for _, effect in found], [share for share, _ in found], 0.0, matrix)


def _r_loss(effect: FloatArray, trial: Trial) -> float:
    left = trial.outcome - trial.expected - (trial.treated - trial.propensity) * effect
    return float(np.mean(left**2))


def r_stack(effects: FloatArray, trial: Trial) -> tuple[FloatArray, float]:
    """Weights of several effects, none negative, and an intercept, by the R-loss on customers that none has seen.

    A penalty holds the weights to equal ones that sum to 1; few customers leave them there.

    Parameters
    ----------
    effects
        Shape (n, k).
    trial
        The same customers.
    """
    from scipy.optimize import nnls

    k = effects.shape[1]
    contact = trial.treated - trial.propensity
    left = trial.outcome - trial.expected
    square = contact**2
    centre = (effects * square[:, None]).sum(axis=0) / square.sum()
    level = float((contact * left).sum() / square.sum())
    left = left - contact * level
    noise = max(float(np.mean(left**2)), 1e-12)
    design = (effects - centre) * contact[:, None]
    pull = np.sqrt(_STRENGTH * noise)
    moments = design.T @ design + pull**2 * np.eye(k)
    target = design.T @ left + pull**2 / k
    root = np.linalg.cholesky(moments)
    weights, _ = nnls(root.T, np.linalg.solve(root, target))
    return np.asarray(weights, dtype=np.float64), level - float((weights * centre).sum())
