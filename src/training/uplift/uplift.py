"""Uplift: learnt by :mod:`~custid.training.uplift.effects`, judged by the Qini area on customers kept out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...explain import importance
from ...metrics import uplift as measured
from .. import figures
from ..evaluate import standing
from ..fitted import Fitted
from ..labelled.rivals import UPLIFT_RIVALS, is_chance
from ..labelled.splits import HELD, PARTS, gap, resampled, splits, spread
from .effects import learn, strata_of, treated_of
from .metalearners import CANDIDATES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ...config import Config
    from ..fitted import Means
    from ..history import History, Outcome
    from ..task import Task
    from .effects import Learnt

    FloatArray = NDArray[np.float64]

MODEL = "model"
REPEATS = 3


@dataclass(frozen=True, eq=False)
class _Judged:
    """What was said of customers that were not learnt from, once per repetition; and the Qini area of each part."""

    outcome: FloatArray
    treated: FloatArray
    said: Mapping[str, FloatArray]
    folds: Mapping[str, list[float]]
    customers: int


def fit_uplift(task: Task, history: History, config: Config, means: Means) -> Fitted:
    """A blend of meta-learners on XGBoost, judged on the newest contacts, or out of fold where there is no time.

    Parameters
    ----------
    task
        With outcomes as labels; who was contacted is among the known answers.
    history
        Contacts with features of their day; a part of them is held out.
    config, means
        ``tuning.trials``, ``training.resamples``, ``seed``; who is told.
    """
    back = history.rehearsal
    assert back is not None
    means.note("uplift: judging")
    rehearsed = learn(task, back.snapshots, config)
    judged = _judge(task, history, config, rehearsed)
    means.note("uplift: fitting on all contacts")
    learnt = learn(task, history.snapshots, config)
    for number, ((name, params), reached) in enumerate(zip(CANDIDATES, learnt.losses.tolist(), strict=False)):
        means.tracker.trial(number, {"learner": name, **params}, {"r_loss": reached}, "COMPLETE")
    return _fitted(task, history, config, learnt, rehearsed, judged)


def _judge(task: Task, history: History, config: Config, rehearsed: Learnt) -> _Judged:
    """What the model and its rivals say on each split of those that they have not learnt from."""
    places, outcomes, arms = [], [], []
    said: dict[str, list[FloatArray]] = {name: [] for name in (MODEL, *UPLIFT_RIVALS)}
    values: dict[str, list[float]] = {name: [] for name in said}

    def stratum(outcome: Outcome) -> FloatArray:
        return strata_of(task.label(outcome, config), treated_of(outcome))

    for split in splits(history, stratum, config.seed, REPEATS):
        mine = (learn(task, split.known, config) if history.mixed else rehearsed).predictor
        known = np.concatenate([mine.encoder.matrix(part.features) for part in split.known])
        before = np.concatenate([task.label(part.outcome, config) for part in split.known])
        contacted = np.concatenate([treated_of(part.outcome) for part in split.known])
        unseen = mine.encoder.matrix(split.unseen.features)
        outcome, treated = task.label(split.unseen.outcome, config), treated_of(split.unseen.outcome)
        scores = {MODEL: mine.predict(split.unseen.features)[task.output]}
        scores |= {name: rival(known, before, contacted, unseen) for name, rival in UPLIFT_RIVALS.items()}
        places.append(split.places)
        outcomes.append(outcome)
        arms.append(treated)
        for name, score in scores.items():
            said[name].append(score)
            values[name].append(measured.qini(outcome, treated, score))
    order = np.argsort(np.concatenate(places))
    whole = {name: np.concatenate(parts)[order] for name, parts in said.items()}
    customers = history.snapshots[0].features.num_rows if history.mixed else order.size
    return _Judged(np.concatenate(outcomes)[order], np.concatenate(arms)[order], whole, values, customers)


def _fitted(task: Task, history: History, config: Config, learnt: Learnt, rehearsed: Learnt, judged: _Judged) -> Fitted:
    back = history.rehearsal
    assert back is not None
    draws = resampled(judged.outcome.size, judged.customers, config)
    pair = judged.outcome, judged.treated
    blocks = {name: measured.measure(*pair, score, draws) for name, score in judged.said.items()}
    model = blocks.pop(MODEL)
    model["average_effect"] = measured.measure_average(*pair, draws)
    curve = measured.curve_points(*pair, judged.said[MODEL])
    some = history.latest.features.slice(0, config.explain.background)
    moves = importance(learnt.predictor.contributions(some))
    tried = {f"{name} {i}": dict(params) for i, (name, params) in enumerate(CANDIDATES[: learnt.weights.size])}
    named = [(name, float(w)) for (name, _), w in zip(CANDIDATES, learnt.weights, strict=False) if w > 0]
    return Fitted(
        task=task.name,
        predictor=learnt.predictor,
        judged=rehearsed.predictor,
        metrics=model,
        baselines=blocks,
        snapshot=back.latest.day,
        n=judged.customers,
        params={"members": tried, "weights": dict(zip(tried, learnt.weights.tolist(), strict=True))},
        figures={
            "qini": figures.qini(curve, "uplift: what contact brings, by the share contacted"),
            "drivers": figures.drivers(moves, "uplift: what moves the score"),
        },
        chosen=" + ".join(f"{weight:.2f} {name}" for name, weight in named) or "the average effect for everyone",
        notes=tuple(_notes(history, learnt, judged, model, draws)),
        curves={"qini": curve, "folds": dict(judged.folds), "money": not is_chance(judged.outcome)},
    )


def _notes(
    history: History, learnt: Learnt, judged: _Judged, model: Mapping[str, Any], draws: list[NDArray[np.int64]]
) -> list[str]:
    said = [_standing(judged, draws)]
    low, high = model["qini"]["low"], model["qini"]["high"]
    if low is None or low <= 0 <= (high or 0):
        said.append(
            "Contact is not shown to change some customers more than others: the interval of the Qini area holds 0."
        )
    average = model["average_effect"]
    if average["low"] is not None and average["low"] <= 0 <= average["high"]:
        said.append("Contact is not shown to change anything on average: the interval of the effect holds 0.")
    if not learnt.random:
        said.append(
            "Contact was not left to chance: attributes foretell it. The model corrects for this, the test cannot."
        )
    if not history.mixed:
        return [*said, HELD]
    mine = judged.folds[MODEL]
    gaps = [f"{gap(mine, theirs)} against {name}" for name, theirs in judged.folds.items() if name != MODEL]
    parted = (
        f"Judged out of fold, {len(mine) // PARTS} x {PARTS} parts, all choices made inside the other parts: qini "
        f"{spread(mine)}; part by part {', '.join(gaps)}."
    )
    return [*said, parted]


def _standing(judged: _Judged, draws: list[NDArray[np.int64]]) -> str:
    """How the model stands to the best baseline by the Qini area."""
    pair = judged.outcome, judged.treated
    reached = {name: measured.qini(*pair, score) for name, score in judged.said.items()}
    ours = reached.pop(MODEL)

    def against(name: str) -> tuple[float, float]:
        return measured.paired(*pair, judged.said[MODEL], judged.said[name], draws)

    return standing("qini", ours, reached, against)
