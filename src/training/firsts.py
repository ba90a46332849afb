"""Prospects: the chance of a first purchase and its value, judged beside simple orders of the same people."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import metrics
from ..models.predictor.encoder import Encoder
from ..models.predictor.members import Linear
from ..models.predictor.predictor import Predictor
from ..models.prospects import Prospects
from .blend import learn, usual_of
from .evaluate import examine, judge
from .fit import fit_blend
from .fitted import Fitted, Means
from .folds import Pool
from .learners import affine
from .tune import STARTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ..config import Config
    from .blend import Choice
    from .history import History, Outcome
    from .task import Task

    FloatArray = NDArray[np.float64]
    Block = Mapping[str, Mapping[str, float | None]]

FEWEST = 30
"""First buyers from which more is learnt than how they thin out with time."""
_SINCE = ("days_since_registration", "days_since_visit")
_WEEK = 7.0
_CHOSEN: tuple[Choice, ...] = (("two-part", STARTS["two-part"], 0.0), ("linear", STARTS["linear"], 0.0))


def fit_prospects(task: Task, history: History, config: Config, means: Means) -> Fitted:
    """Chance and value of a first purchase, each as it was judged on the held-out day, and from all labelled days.

    The chance is searched as other chances are; the value is a blend with fixed parameters, since those who buy for the
    first time are few. Where they are fewer than :data:`FEWEST`, both are what is known of everyone, by the days
    since registration (or the last visit).
    """
    history = _with_rows(history)
    value = replace(task, output="expected_first_value", link="log", label=_spend, metrics=metrics.VALUE)
    value = replace(value, aspect="value", level="formula")
    if _firsts(task, history, config) < FEWEST:
        return _few(task, value, history, config)
    back = history.rehearsal
    if back is not None and _firsts(task, back, config) < FEWEST:
        history = replace(history, rehearsal=None)
    found = fit_blend(task, history, config, means)
    means.note(f"{task.name}: what a first purchase is worth")
    model, judged, reached, others, notes = _value(value, history, config)
    assert isinstance(found.predictor, Predictor)
    known = found.judged if isinstance(found.judged, Predictor) else None
    return replace(
        found,
        predictor=Prospects(found.predictor, model),
        judged=Prospects(known, judged) if known is not None and judged is not None else None,
        metrics={**found.metrics, **reached},
        baselines={name: {**block, **others.get(name, {})} for name, block in found.baselines.items()},
        notes=(*(n for n in found.notes if "for a formula" not in n), *notes),
    )


def _spend(outcome: Outcome, config: Config) -> FloatArray:
    del config
    return outcome.spend


def _with_rows(history: History) -> History:
    """The same without days that had no prospects; judged only where the held-out day and one before it had some."""
    snapshots = tuple(s for s in history.snapshots if s.features.num_rows) or history.snapshots
    back = history.rehearsal
    if back is not None:
        kept = tuple(s for s in back.snapshots if s.features.num_rows)
        back = replace(back, snapshots=kept) if kept and back.latest.features.num_rows else None
    latest = history.latest if history.latest.features.num_rows else snapshots[-1]
    return replace(history, snapshots=snapshots, rehearsal=back, latest=latest)


def _firsts(task: Task, history: History, config: Config) -> int:
    """How many people bought for the first time after one of the labelled days."""
    found: set[str] = set()
    for snapshot in history.snapshots:
        found |= set(snapshot.outcome.ids[task.label(snapshot.outcome, config) > 0].tolist())
    return len(found)


def _value(
    task: Task, history: History, config: Config
) -> tuple[Predictor, Predictor | None, Block, Mapping[str, Block], tuple[str, ...]]:
    model = replace(learn(task, history, Pool.of(task, history, config), _CHOSEN, config).predictor, bands=None)
    if history.rehearsal is None:
        return model, None, {}, {}, ()
    pool = Pool.of(task, history.rehearsal, config)
    judged = replace(learn(task, history.rehearsal, pool, _CHOSEN, config).predictor, bands=None)
    reached, others, notes = judge(task, examine(task, judged, history.rehearsal, pool, config), config)
    return model, judged, reached, others, tuple(f"Of the value: {note[:1].lower()}{note[1:]}" for note in notes)


def _few(task: Task, value: Task, history: History, config: Config) -> Fitted:
    """Too few first purchases to learn from: how they thin out with the days since registration."""
    model = Prospects(by_time(task, history, config), by_time(value, history, config))
    found: dict[str, Any] = {"metrics": {}, "baselines": {}, "judged": None}
    notes = [_scarce(history)]
    back = history.rehearsal
    if back is not None:
        judged = Prospects(by_time(task, back, config), by_time(value, back, config))
        exam = examine(task, judged.chance, back, Pool.of(task, back, config), config)
        reached, others, said = judge(task, exam, config)
        found = {"metrics": reached, "baselines": others, "judged": judged}
        notes += said
    day = back.latest if back is not None else history.latest
    return Fitted(
        task=task.name,
        predictor=model,
        snapshot=day.day,
        n=day.features.num_rows,
        params={"by": list(model.chance.encoder.columns)},
        figures={},
        chosen="days since registration or the last visit",
        notes=tuple(notes),
        curves={},
        **found,
    )


def _scarce(history: History) -> str:
    if not any(snapshot.features.num_rows for snapshot in history.snapshots):
        return (
            "On no labelled day was anybody registered or visiting who had not bought yet: nothing could be learnt, "
            "and the chance is as if half a purchase were to come of all who are known now."
        )
    return (
        f"Fewer than {FEWEST} people bought for the first time after the labelled days: the chance goes by the days "
        "since registration or the last visit alone."
    )


def by_time(task: Task, history: History, config: Config) -> Predictor:
    """A predictor by the logarithm of the days since registration, else since the last visit, else the same for all."""
    tables = [snapshot.features for snapshot in history.snapshots]
    since = next((name for name in _SINCE if all(name in t.column_names for t in tables)), None)
    encoder = Encoder((since,) if since else (), {})
    truth = np.concatenate([task.label(snapshot.outcome, config) for snapshot in history.snapshots])
    money = task.link == "log"
    unit = float(np.maximum(truth, 0.0).sum() / max(truth.size, 1)) or 1.0 if money else 1.0
    slope, intercept = 0.0, float(np.log(0.5 / (1 + history.latest.features.num_rows)))
    if truth.size:
        matrix = np.concatenate([encoder.matrix(table) for table in tables])
        margin = -np.nan_to_num(np.arcsinh(matrix / _WEEK)).sum(axis=1)
        slope, intercept = affine(margin, truth / unit, "log" if money else "logit")
    ones = np.ones(len(encoder.columns))
    member = Linear(_WEEK * ones, 0.0 * ones, ones, -slope * ones, intercept + float(np.log(unit)))
    return Predictor(
        task=task.name,
        output=task.output,
        link="log" if money else "logit",
        encoder=encoder,
        rhythm=None,
        members=(member,),
        weights=(1.0,),
        intercept=0.0,
        days=float(history.horizon.days),
        learnt_days=float(history.learnt_horizon.days),
        stretch=None,
        sign=1.0,
        bands=None,
        usual={name: ends for name, ends in usual_of(history).items() if name in encoder.columns},
    )
