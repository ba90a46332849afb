"""From a search's findings to a predictor: members refitted, weighted, calibrated, set to a level, with an interval."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..models.predictor.interval import Bands
from ..models.predictor.members import Formula
from ..models.predictor.predictor import Predictor
from .learners import affine, fit_member, flat, loss, past_spend, stack
from .level import level, level_offsets
from .workers import workers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ..config import Config
    from ..models.predictor.members import Member
    from .folds import Pool
    from .history import History
    from .task import Learner, Task

    FloatArray = NDArray[np.float64]
    Choice = tuple[Learner, Mapping[str, Any], float]

MOST_LEARNERS = 3
_FORMULA_SHARE = 0.35
_PAST_SHARE = 0.2
_LEARNT_SHARE = 0.5
_SLOPE = 200.0
_NEGLIGIBLE = 0.02


@dataclass(frozen=True, eq=False)
class Learnt:
    """A predictor, and the weights of its members by name."""

    predictor: Predictor
    weights: Mapping[str, float]


def learn(task: Task, history: History, pool: Pool, best: Sequence[Choice], config: Config) -> Learnt:
    """Blend the best members of a search with the formula, and fit all of it anew.

    1. Weights of the formula, the past spend and the learners: on later days and other customers than the learners
       were fitted on, drawn towards a fixed share of each. Where the formula and past spend, or the formula alone, are
       better there beyond the noise, the others get no weight. Their sum is calibrated: the slope of the blend.
    2. Members: refitted on all labelled rows.
    3. Level: the total over the customers of the day is set to what :mod:`~custid.training.level` expects.
    4. Interval: from the members of step 1, each tried day at the level that was expected of it.
    """
    chosen = list(best[:MOST_LEARNERS])
    if not chosen and not _formula_margin(pool, pool.rows.formula):
        return _average(task, history, pool, config)
    tried = _tried_margins(pool, chosen, config)
    weights = weigh(pool, tried.rows, tried.margins, _prior(pool, len(chosen)), _known(pool))
    names, members = _members(pool, chosen, config)
    kept = [i for i in range(len(members)) if weights[i] > 0] or [0]
    predictor = _blank(task, history, pool, [members[i] for i in kept], weights[kept])
    intercept = level(task, history, pool, predictor.margin(history.latest.features))
    bands = _bands(pool, tried, weights, config) if task.link == "log" else None
    predictor = replace(predictor, intercept=intercept, bands=bands)
    return Learnt(predictor, {names[i]: float(weights[i]) for i in kept})


def weigh(
    pool: Pool, rows: NDArray[np.intp], margins: FloatArray, prior: FloatArray, known: Sequence[int]
) -> FloatArray:
    """Weights of the members, shape (k,): none negative, none that does worse than what needs no learner.

    Parameters
    ----------
    pool, rows
        What was tried, and the numbers of its rows, n in all.
    margins
        Of the members on these rows, shape (n, k).
    prior
        Weights to start from, shape (k,).
    known
        How many of the first members are taken alone to compare with, fewest last.
    """
    truth, day = pool.truth[rows] / pool.unit, pool.day[rows]
    day = day - day.min()
    best: tuple[FloatArray, FloatArray] | None = None
    for count in [margins.shape[1], *known]:
        some = margins[:, :count]
        share = prior[:count] * (prior.sum() / prior[:count].sum())
        found, _ = stack(some, truth, day, share, pool.task.pull, _link(pool.task))
        found = np.where(found < _NEGLIGIBLE, 0.0, found)
        found = found if found.any() else share
        slope, level = stack((some * found).sum(axis=1)[:, None], truth, day, np.ones(1), _SLOPE, _link(pool.task))
        weights = np.zeros(margins.shape[1])
        weights[:count] = slope[0] * found
        lost = loss((margins * weights).sum(axis=1) + level[day], truth, _link(pool.task))
        if best is None or _better(best[1] - lost):
            best = weights, lost
    assert best is not None
    return best[0]


def _better(gained: FloatArray) -> bool:
    """Whether a mean gain is more than its standard error."""
    return bool(gained.mean() > gained.std() / np.sqrt(max(gained.size, 1)))


def _known(pool: Pool) -> list[int]:
    """How many members need no learner: the formula and past spend, the formula alone."""
    formula, past = len(_formula_margin(pool, pool.rows.formula)), len(past_spend(pool.task, pool.names, pool.rows))
    return sorted({n for n in (formula + past, formula) if n}, reverse=True)


def _average(task: Task, history: History, pool: Pool, config: Config) -> Learnt:
    """Where there is nothing to tell customers apart by: the average for everyone."""
    predictor = _blank(task, history, pool, [flat(pool.rows.matrix.shape[1])], np.ones(1))
    intercept = level(task, history, pool, np.zeros(history.latest.features.num_rows))
    bands = None
    if task.link == "log":
        said = np.full(pool.truth.size, np.exp(intercept) * (history.learnt_horizon / history.horizon))
        bands = _interval(said, pool.truth, None, config)
    return Learnt(replace(predictor, intercept=intercept, bands=bands), {})


def _blank(task: Task, history: History, pool: Pool, members: Sequence[Member], weights: FloatArray) -> Predictor:
    """A predictor without a level and an interval. Where some day had no formula, it has none either."""
    rhythm = history.rhythm if pool.rows.formula else None
    longer = rhythm is not None and history.learnt_horizon != history.horizon
    return Predictor(
        task=task.name,
        output=task.output,
        link="log" if task.link == "log" else "logit",
        encoder=history.encoder,
        rhythm=rhythm,
        members=tuple(members),
        weights=tuple(float(weight) for weight in weights),
        intercept=0.0,
        days=float(history.horizon.days),
        learnt_days=float(history.learnt_horizon.days),
        stretch=task.aspect if longer and task.name != "high_value" else None,
        sign=task.sign,
        bands=None,
        usual=usual_of(history),
    )


@dataclass(frozen=True, eq=False)
class _Tried:
    """Margins of the members of step 1, shape (n, k), on the rows of the pool with these numbers."""

    rows: NDArray[np.intp]
    margins: FloatArray


def _tried_margins(pool: Pool, chosen: Sequence[Choice], config: Config) -> _Tried:
    jobs = [(learner, params, part) for part in pool.parts for learner, params, _ in chosen]
    with workers(config) as side:
        fitted = list(
            side.map(
                lambda job: fit_member(pool.task, job[0], job[1], job[2].lesson, config.seed).margin(job[2].rows), jobs
            )
        )
    blocks, past = [], past_spend(pool.task, pool.names, pool.rows)
    for number, part in enumerate(pool.parts):
        columns = fitted[number * len(chosen) : (number + 1) * len(chosen)]
        known = [*_formula_margin(pool, part.rows.formula), *(member.margin(part.rows) for member in past)]
        blocks.append(np.stack([*known, *columns], axis=1))
    shift = np.log(pool.unit)
    rows = np.concatenate([part.tried for part in pool.parts])
    order = np.argsort(rows, kind="stable")
    return _Tried(rows[order], np.concatenate(blocks)[order] - shift)


def _formula_margin(pool: Pool, formula: Mapping[str, FloatArray]) -> list[FloatArray]:
    return [formula[pool.task.aspect]] if pool.task.aspect in formula else []


def _members(pool: Pool, chosen: Sequence[Choice], config: Config) -> tuple[list[str], list[Member]]:
    names: list[str] = []
    members: list[Member] = []
    for margin in _formula_margin(pool, pool.rows.formula):
        names.append("formula")
        members.append(Formula(pool.task.aspect, float(np.median(margin))))
    for member in past_spend(pool.task, pool.names, pool.rows):
        names.append("past spend")
        members.append(member)
    lesson = pool.lesson()
    with workers(config) as side:
        fitted = list(side.map(lambda c: fit_member(pool.task, c[0], c[1], lesson, config.seed), chosen))
    return [*names, *(learner for learner, _, _ in chosen)], [*members, *fitted]


def _prior(pool: Pool, learners: int) -> FloatArray:
    """Weights to start from: the formula's, that of past spend, and the rest in equal parts."""
    past = [_PAST_SHARE] * len(past_spend(pool.task, pool.names, pool.rows))
    if pool.task.aspect not in pool.rows.formula:
        return np.array([*past, *[(_FORMULA_SHARE + _LEARNT_SHARE) / max(learners, 1)] * learners])
    if not learners:
        return np.array([_FORMULA_SHARE + _LEARNT_SHARE, *past])
    return np.array([_FORMULA_SHARE, *past, *[_LEARNT_SHARE / learners] * learners])


def _bands(pool: Pool, tried: _Tried, weights: FloatArray, config: Config) -> Bands:
    """Conformal on the tried rows, the total of each day as the formula would have told it."""
    day = pool.day[tried.rows]
    truth = pool.truth[tried.rows] / pool.unit
    margin = (tried.margins * weights).sum(axis=1)
    known = pool.task.aspect in pool.rows.formula
    expected = np.exp(tried.margins[:, 0]) if known else np.maximum(truth, 0.0)
    margin = margin + level_offsets(margin, expected, day, pool.days)[day]
    signal = pool.rows.formula["buys"][tried.rows] if known else None
    return _interval(np.exp(margin) * pool.unit, truth * pool.unit, signal, config)


def _interval(predicted: FloatArray, truth: FloatArray, signal: FloatArray | None, config: Config) -> Bands:
    """The interval; where no formula tells who buys, the value does."""
    signal = np.log(predicted) if signal is None else signal
    return Bands.fit(
        predicted, truth, signal, affine(signal, (truth > 0).astype(np.float64), "logit"), config.clv.coverage
    )


def usual_of(history: History) -> dict[str, tuple[float, float, float]]:
    """Per numeric feature, the values below which 10, 50 and 90 % of the newest labelled rows lie."""
    features = history.snapshots[-1].features
    matrix = history.encoder.matrix(features)[:, : len(history.encoder.numbers)]
    found = {}
    for name, column in zip(history.encoder.numbers, matrix.T, strict=True):
        known = column[~np.isnan(column)]
        if known.size:
            low, mid, high = np.percentile(known, [10, 50, 90]).tolist()
            found[name] = (low, mid, high)
    return found


def _link(task: Task) -> Any:
    return task.link
