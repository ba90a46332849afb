"""One task from history to judged predictor."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..explain import importance
from ..workspace import fingerprint, silent
from . import figures
from .blend import learn
from .evaluate import curves, examine, judge
from .fitted import Fitted, Means
from .folds import Pool
from .segments.groups import fit_segments
from .task import task_of
from .tune import Found, search

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..config import Config
    from ..models.predictor.predictor import Predictor
    from ..workspace import Note
    from .fitted import Members
    from .history import History
    from .task import Task
    from .tune import Tracker

_FEWEST = 20  # customers of each kind, to learn more than an average


class _Untold:
    """Tells nobody of the trials."""

    def trial(self, number: int, params: Mapping[str, Any], metrics: Mapping[str, Any], state: str) -> None:
        """Nothing."""


def fit_task(
    task: str,
    history: History,
    config: Config,
    *,
    storage: str = "sqlite://",
    tracker: Tracker | None = None,
    note: Note = silent,
    warm: Members = (),
) -> Fitted:
    """Search, judge and fit one task, by the estimator that it names.

    Parameters
    ----------
    task
        The name of a task.
    history
        From :meth:`~custid.training.archive.Archive.of`.
    config
        The run's settings.
    storage
        Where Optuna keeps the search; in memory by default.
    tracker
        Who is told of each finished trial.
    note
        Who is told of progress.
    warm
        Members of the last champion: tried first.
    """
    what = task_of(task)
    return what.fit(what, history, config, Means(storage, tracker if tracker is not None else _Untold(), note, warm))


def fit_blend(task: Task, history: History, config: Config, means: Means) -> Fitted:
    """A blend of formulas and learners, searched, judged and fitted.

    The search and the judged predictor see the history as it was on the held-out day; the predictor that is given sees
    all labelled snapshots.
    """
    notes = _history_notes(history)
    if history.rehearsal is None:
        whole = Pool.of(task, history, config)
        found = _search(whole, history, config, means)
        learnt = learn(task, history, whole, found.best, config)
        notes.append("The history has no room for a held-out snapshot: nothing was judged.")
        return _fitted(task, learnt.predictor, history, config, found, learnt.weights, ({}, {}, notes))
    rehearsal = history.rehearsal
    pool = Pool.of(task, rehearsal, config)
    found = _search(pool, rehearsal, config, means)
    means.note(f"{task.name}: judging")
    rehearsed = learn(task, rehearsal, pool, found.best, config)
    exam = examine(task, rehearsed.predictor, rehearsal, pool, config)
    model, others, said = judge(task, exam, config)
    means.note(f"{task.name}: fitting on all snapshots")
    same = history.snapshots is rehearsal.snapshots
    learnt = rehearsed if same else learn(task, history, Pool.of(task, history, config), found.best, config)
    judged = (model, others, [*said, *notes])
    fitted = _fitted(task, learnt.predictor, history, config, found, learnt.weights, judged, rehearsed.predictor)
    return replace(fitted, exam=exam)


def _search(pool: Pool, history: History, config: Config, means: Means) -> Found:
    """The search, unless there is nothing to tell apart."""
    positive = int((pool.truth > 0).sum())
    if min(positive, pool.truth.size - positive if pool.task.link == "logit" else positive) < _FEWEST:
        return Found(())
    data = fingerprint(
        [(s.day, s.features.num_rows) for s in history.snapshots],
        history.encoder.to_dict(),
        [float(pool.truth.sum()), float(np.nansum(pool.rows.matrix))],
    )
    return search(
        pool, config, data=data, storage=means.storage, tracker=means.tracker, warm=means.warm, note=means.note
    )


def _fitted(
    task: Task,
    predictor: Predictor,
    history: History,
    config: Config,
    found: Found,
    weights: Mapping[str, float],
    judged: tuple[Any, Any, list[str]],
    rehearsed: Predictor | None = None,
) -> Fitted:
    model, others, notes = judged
    held = history.rehearsal.latest if history.rehearsal is not None else history.latest
    drawn, points = _figures(task, predictor, rehearsed, history, config)
    if found.losses:
        drawn["search"] = figures.trials(found.losses, found.marks, f"{task.name}: what the search has found")
        notes = [*notes, _paid(found)]
    members = {learner: dict(params) for learner, params, _ in found.best if learner in weights}
    chosen = " + ".join(f"{weight:.2f} {name}" for name, weight in weights.items()) or "the average for everyone"
    if history.rhythm is not None and "formula" in weights:
        chosen += f" (formula: {history.rhythm.buying.title})"
    return Fitted(
        task=task.name,
        predictor=predictor,
        judged=rehearsed,
        metrics=model,
        baselines=others,
        snapshot=held.day,
        n=held.features.num_rows,
        params={
            "members": members,
            "weights": dict(weights),
            "trials": found.trials,
            "paid_until": found.paid_until,
            "marks": dict(found.marks),
        },
        figures=drawn,
        chosen=chosen,
        notes=tuple(notes),
        curves=points,
    )


def _paid(found: Found) -> str:
    """When more search stopped paying, in words."""
    ends = f"after trial {found.paid_until} of {found.trials}"
    if found.paid_until < found.trials:
        return f"The search stopped paying {ends}: what came later gained less than a hundredth of what all of it had."
    return f"The search was still gaining {ends}; more trials (tuning.trials) may find more."


def _figures(
    task: Task, predictor: Predictor, rehearsed: Predictor | None, history: History, config: Config
) -> tuple[dict[str, Any], dict[str, Any]]:
    drawn: dict[str, Any] = {}
    points: dict[str, Any] = {}
    if rehearsed is not None and history.rehearsal is not None:
        held = history.rehearsal.latest
        truth = task.label(held.outcome, config)
        points = curves(task, truth, rehearsed.predict(held.features)[task.output])
        drawn["lift"] = figures.gain(points["gain"], f"{task.name}: what the highest scores hold")
        drawn["calibration"] = figures.calibration(
            points["reliability"], f"{task.name}: stated and happened", money=task.link == "log"
        )
    some = history.latest.features.slice(0, config.explain.background)
    drawn["drivers"] = figures.drivers(importance(predictor.contributions(some)), f"{task.name}: what moves the score")
    return drawn, points


def _history_notes(history: History) -> list[str]:
    notes = []
    if history.learnt_horizon != history.horizon:
        extended = "and the formula extends it" if history.rhythm is not None else "and extended at a constant rate"
        notes.append(
            f"The history has no room for a whole horizon of {history.horizon.days} days: one of "
            f"{history.learnt_horizon.days} days was learnt, {extended}."
        )
    back = history.rehearsal
    if back is not None and back.learnt_horizon != back.horizon:
        notes.append(
            f"On the held-out day the history was shorter still: the judged model had learnt "
            f"{back.learnt_horizon.days} of {back.horizon.days} days; the model in use has learnt "
            f"{history.learnt_horizon.days}."
        )
    if history.formulas and history.rhythm is None:
        notes.append("Too few customers bought again for a formula; the model does without one.")
    return notes


def fit_groups(task: Task, history: History, config: Config, means: Means) -> Fitted:
    """Segments, judged by how much of the future they tell apart."""
    grouped = fit_segments(history, config, means.tracker, means.note)
    held = history.rehearsal.latest if history.rehearsal is not None else history.latest
    return Fitted(
        task=task.name,
        predictor=grouped.segments,
        judged=None,
        metrics=grouped.metrics,
        baselines=grouped.baselines,
        snapshot=held.day,
        n=held.features.num_rows,
        params={"k": len(grouped.segments.names)},
        figures=grouped.figures,
        chosen=f"{len(grouped.segments.names)} segments",
        notes=grouped.notes,
        curves={},
        more=grouped.more,
    )
