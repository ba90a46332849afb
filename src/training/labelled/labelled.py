"""Learning from observations: a label each, attributes of any kind, and mostly no time.

Members are linear models and shallow trees, from a fixed list; how much each counts is found on inner folds, where none
of them has seen the customers that it is weighed on. What is judged is all of that: on each outer fold everything,
the encoding included, is done anew from the other folds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import metrics
from ...explain import importance
from ...models.predictor.members import Rows
from ...models.predictor.predictor import Predictor
from .. import figures
from ..blend import usual_of
from ..evaluate import curves, notes_of
from ..fitted import Fitted, Means
from ..folds import MOST_TRIED
from ..history import History
from ..learners import Lesson, constant, fit_member, flat, loss, stack
from ..workers import workers
from .rivals import RIVALS
from .splits import HELD, PARTS, Split, folds, gap, resampled, splits, spread, thinned

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ...config import Config
    from ...models.predictor.members import Member
    from ..history import Snapshot
    from ..task import Learner, Task

    FloatArray = NDArray[np.float64]

MODEL = "model"
REPEATS = 2
_MANY = 30_000  # rows from which one repetition says enough
_FEWEST = 20  # customers of each kind, to learn more than an average
_STRENGTH = 20.0  # how many losses hold the weights to equal ones


def _trees(depth: int, rounds: int, rate: float, weight: float, columns: float = 0.5) -> tuple[Learner, dict[str, Any]]:
    sizes = {"depth": depth, "rounds": rounds, "rate": rate, "child_weight": weight, "shrink": weight}
    return "trees", {**sizes, "columns": columns}


CANDIDATES: tuple[tuple[Learner, Mapping[str, Any]], ...] = (
    ("linear", {"freedom": 0.3}),
    _trees(2, 200, 0.06, 10.0),
    _trees(1, 300, 0.1, 5.0),
    _trees(3, 120, 0.05, 10.0),
    ("linear", {"freedom": 0.01}),
    _trees(1, 300, 0.03, 20.0),
    _trees(2, 120, 0.06, 40.0),
    _trees(3, 120, 0.06, 60.0),
    _trees(4, 100, 0.04, 20.0, 0.3),
    ("linear", {"freedom": 0.001}),
    _trees(2, 300, 0.03, 5.0, 0.3),
    _trees(3, 200, 0.02, 20.0, 0.3),
)
"""What is tried, the setting ``tuning.trials`` says how many of them."""


@dataclass(frozen=True, eq=False)
class Learnt:
    """A predictor, and of each candidate the weight and the mean loss on the inner folds."""

    predictor: Predictor
    weights: FloatArray
    losses: FloatArray


@dataclass(frozen=True, eq=False)
class _Judged:
    """What was said of n customers by those who had not learnt from them, once per repetition, shape (repeats * n,).

    ``folds`` are the headline's values, split by split, of the model and of each rival.
    """

    truth: FloatArray
    score: FloatArray
    rivals: Mapping[str, FloatArray]
    folds: Mapping[str, list[float]]
    customers: int


def fit_labelled(task: Task, history: History, config: Config, means: Means) -> Fitted:
    """A blend of linear models and shallow trees, judged by nested cross-validation, or on the newest rows.

    Parameters
    ----------
    task
        With labels of 0 and 1.
    history
        From :meth:`~custid.training.labelled.observed.Observed.of`: one snapshot, and a part of it held out.
    config, means
        ``tuning.trials``, ``training.resamples``, ``seed``; who is told.
    """
    back = history.rehearsal
    assert back is not None
    means.note(f"{task.name}: judging")
    rehearsed = learn(task, back.snapshots, config)
    judged = _judge(task, history, config, rehearsed)
    means.note(f"{task.name}: fitting on all rows")
    learnt = learn(task, history.snapshots, config)
    for number, (candidate, reached) in enumerate(zip(CANDIDATES, learnt.losses.tolist(), strict=False)):
        means.tracker.trial(number, {"learner": candidate[0], **candidate[1]}, {"loss": reached}, "COMPLETE")
    return _fitted(task, history, config, learnt, rehearsed, judged)


def learn(task: Task, rows: tuple[Snapshot, ...], config: Config) -> Learnt:
    """Fit every candidate, and weigh them on folds of these rows that they have not seen."""
    horizon = task.horizon(config)
    own = History(rows, rows[-1], horizon, horizon, formulas=False)
    matrix = np.concatenate([own.encoder.matrix(part.features) for part in rows])
    truth = np.concatenate([task.label(part.outcome, config) for part in rows])
    candidates = CANDIDATES[: max(2, config.tuning.trials)]
    if min(truth.sum(), truth.size - truth.sum()) < _FEWEST:
        members: list[Member] = [flat(matrix.shape[1])]
        weights, intercept, losses = np.ones(1), constant(truth, "logit"), np.zeros(0)
        return Learnt(_predictor(task, own, members, weights, intercept), weights, losses)
    ids = np.concatenate([part.outcome.ids for part in rows]).tolist()
    part = thinned(folds(ids, truth, config.seed, "inner"), ids, MOST_TRIED, config.seed)
    jobs = [(candidate, number) for number in range(-1, PARTS) for candidate in candidates]

    def fit(job: tuple[tuple[Learner, Mapping[str, Any]], int]) -> Member:
        (learner, params), number = job
        which = (part != number) & (part < PARTS) if number >= 0 else np.ones(truth.size, dtype=bool)
        return fit_member(task, learner, params, Lesson(Rows(matrix[which], {}), truth[which], 1.0), config.seed)

    with workers(config) as pool:
        fitted = list(pool.map(fit, jobs))
    margins = np.empty((truth.size, len(candidates)))
    for number in range(PARTS):
        unseen = Rows(matrix[part == number], {})
        for column in range(len(candidates)):
            member = fitted[(number + 1) * len(candidates) + column]
            margins[part == number, column] = member.margin(unseen)
    margins, told = margins[part < PARTS], truth[part < PARTS]
    losses = np.array([loss(column, told, "logit").mean() for column in margins.T])
    equal = np.full(len(candidates), 1.0 / len(candidates))
    one = np.zeros(told.size, dtype=np.intp)
    weights, intercepts = stack(margins, told, one, equal, _STRENGTH, "logit")
    members = fitted[: len(candidates)]
    return Learnt(_predictor(task, own, members, weights, float(intercepts[0])), weights, losses)


def _judge(task: Task, history: History, config: Config, rehearsed: Learnt) -> _Judged:
    """What the model and its rivals say on each split of those that they have not learnt from."""
    metric = task.metrics[task.headline]
    places, truths = [], []
    said: dict[str, list[FloatArray]] = {name: [] for name in (MODEL, *RIVALS)}
    values: dict[str, list[float]] = {name: [] for name in said}
    rows = history.snapshots[0].features.num_rows
    times = REPEATS if rows < _MANY else 1
    for split in splits(history, lambda outcome: task.label(outcome, config), config.seed, times):
        learnt = learn(task, split.known, config) if history.mixed else rehearsed
        truth, scores = task.label(split.unseen.outcome, config), _scores(task, split, learnt.predictor, config)
        places.append(split.places)
        truths.append(truth)
        for name, score in scores.items():
            said[name].append(score)
            values[name].append(metric(truth, score))
    order = np.argsort(np.concatenate(places))
    whole = {name: np.concatenate(parts)[order] for name, parts in said.items()}
    score = whole.pop(MODEL)
    customers = rows if history.mixed else order.size
    return _Judged(np.concatenate(truths)[order], score, whole, values, customers)


def _scores(task: Task, split: Split, mine: Predictor, config: Config) -> dict[str, FloatArray]:
    """What is said of the unseen rows."""
    truth = np.concatenate([task.label(part.outcome, config) for part in split.known])
    known = np.concatenate([mine.encoder.matrix(part.features) for part in split.known])
    unseen = mine.encoder.matrix(split.unseen.features)
    rivals = {name: rival(known, truth, unseen) for name, rival in RIVALS.items()}
    return {MODEL: mine.predict(split.unseen.features)[task.output], **rivals}


def _fitted(task: Task, history: History, config: Config, learnt: Learnt, rehearsed: Learnt, judged: _Judged) -> Fitted:
    draws, back = resampled(judged.truth.size, judged.customers, config), history.rehearsal
    assert back is not None
    rivals = {name: metrics.measure(task.metrics, judged.truth, score, draws) for name, score in judged.rivals.items()}
    points = curves(task, judged.truth, judged.score) | {"folds": dict(judged.folds)}
    some = history.latest.features.slice(0, config.explain.background)
    drawn = {
        "lift": figures.gain(points["gain"], f"{task.name}: what the highest scores hold"),
        "calibration": figures.calibration(points["reliability"], f"{task.name}: stated and happened", money=False),
        "drivers": figures.drivers(
            importance(learnt.predictor.contributions(some)), f"{task.name}: what moves the score"
        ),
    }
    named = [(candidate, float(w)) for candidate, w in zip(CANDIDATES, learnt.weights, strict=False) if w > 0]
    members = {f"{learner} {i}": dict(params) for i, ((learner, params), _) in enumerate(named)}
    weights = {f"{learner} {i}": weight for i, ((learner, _), weight) in enumerate(named)}
    average = learnt.losses.size == 0
    return Fitted(
        task=task.name,
        predictor=learnt.predictor,
        judged=rehearsed.predictor,
        metrics=metrics.measure(task.metrics, judged.truth, judged.score, draws),
        baselines=rivals,
        snapshot=back.latest.day,
        n=judged.customers,
        params={"members": {} if average else members, "weights": {} if average else weights},
        figures=drawn,
        chosen="the average for everyone" if average else _in_words(named),
        notes=tuple(_notes(task, history, judged, draws)),
        curves=points,
        seen=(judged.truth, judged.score),
    )


def _in_words(named: Sequence[tuple[tuple[Learner, Mapping[str, Any]], float]]) -> str:
    parts = []
    for (learner, params), weight in named:
        kind = "linear" if learner == "linear" else f"trees of depth {params['depth']}"
        parts.append(f"{weight:.2f} {kind}")
    return " + ".join(parts)


def _notes(task: Task, history: History, judged: _Judged, draws: list[NDArray[np.int64]]) -> list[str]:
    said = notes_of(task, judged.truth, judged.score, judged.rivals, draws)
    if not history.mixed:
        back = history.rehearsal
        assert back is not None
        return [*said, HELD]
    mine = judged.folds[MODEL]
    gaps = [
        f"{gap(mine, theirs)} against {name}"
        for name, theirs in judged.folds.items()
        if name != MODEL and np.ptp(theirs) > 0
    ]
    parted = (
        f"Judged out of fold, {len(mine) // PARTS} x {PARTS} parts, all choices made inside the other parts: "
        f"{task.headline} {spread(mine)}"
    )
    return [*said, f"{parted}; part by part {', '.join(gaps)}." if gaps else f"{parted}."]


def _predictor(
    task: Task, history: History, members: Sequence[Member], weights: FloatArray, intercept: float
) -> Predictor:
    kept = [i for i in range(len(members)) if weights[i] > 0] or [0]
    days = float(history.horizon.days)
    return Predictor(
        task=task.name,
        output=task.output,
        link="logit",
        encoder=history.encoder,
        rhythm=None,
        members=tuple(members[i] for i in kept),
        weights=tuple(float(weights[i]) for i in kept),
        intercept=intercept,
        days=days,
        learnt_days=days,
        stretch=None,
        sign=1.0,
        bands=None,
        usual=usual_of(history),
    )
