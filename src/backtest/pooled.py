"""Intervals, paired differences and means over origins, from what was said of each customer.

A bootstrap over customers: each resample draws as many customers as there are, with replacement, from those of any
origin, and a customer who is drawn twice counts twice at every origin. The same resamples serve the model and every
baseline, so differences are paired, and a customer's ties between origins stay whole. The origins themselves are not
drawn: the intervals say how sure the figures are of these origins, not of another season.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..training.baselines import measures
from ..training.evaluate import coverage, held

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from ..metrics import Metric
    from ..training.evaluate import Exam
    from ..training.task import Task

    FloatArray = NDArray[np.float64]
    Drawn = dict[tuple[str, str], FloatArray]
    Estimate = dict[str, float | None]

MODEL = "model"


def compare(task: Task, exams: Mapping[str, Exam], times: int, seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Every figure of a task by origin, and pooled.

    Parameters
    ----------
    task
        What was predicted.
    exams
        By origin.
    times, seed
        Resamples, and the seed that draws them.

    Returns
    -------
    tuple
        ``{origin: block}`` and the pooled block. A block has ``model`` ({metric: {value, low, high}}), ``baselines``
        ({name: {metric: ...}}) and ``differences`` ({name: {metric: ...}}): model - baseline, of ``bias`` the
        difference of the distances from 1. A pooled figure is the mean over the origins at which it is defined, their
        number beside it (``origins``).
    """
    drawn = _drawn(task, exams, times, seed)
    return {origin: _block([found]) for origin, found in drawn.items()}, _block(list(drawn.values()), pooled=True)


def as_told(results: Mapping[str, Mapping[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The same from the figures that a task gives by itself, their intervals its own.

    Differences and pooled figures have no interval there.
    """
    by_origin, values = {}, []
    for origin, result in results.items():
        told = {MODEL: result[MODEL], **result["baselines"]}
        figures = {(who, name): _alone(each) for who, block in told.items() for name, each in block.items()}
        values.append(figures)
        differences = _block([figures])["differences"]
        by_origin[origin] = {MODEL: result[MODEL], "baselines": result["baselines"], "differences": differences}
    return by_origin, _block(values, pooled=True)


def over(block: Mapping[str, Any], better: Mapping[str, Any]) -> dict[str, Any]:
    """A block with the figures of another in place of its own, and those that the other lacks.

    >>> over({"model": {"auc": 1, "profit": 2}}, {"model": {"auc": 3}})
    {'model': {'auc': 3, 'profit': 2}}
    """
    found = dict(block)
    for name, value in better.items():
        own = found.get(name)
        nested = isinstance(own, dict) and isinstance(value, dict) and "value" not in value
        found[name] = over(own, value) if nested and own is not None else value
    return found


def _alone(estimate: Mapping[str, float | None]) -> FloatArray:
    value = estimate["value"]
    return np.array([np.nan if value is None else value])


def _drawn(task: Task, exams: Mapping[str, Exam], times: int, seed: int) -> dict[str, Drawn]:
    """By origin, (who, metric) and resample, the figure; the first is that of the customers as they are."""
    everyone = np.unique(np.concatenate([exam.ids for exam in exams.values()]))
    places = {origin: np.searchsorted(everyone, exam.ids) for origin, exam in exams.items()}
    whats = {origin: list(_figures(task, exam)) for origin, exam in exams.items()}
    found = {o: {(who, name): np.empty(times + 1) for who, name, *_ in what} for o, what in whats.items()}
    rng = np.random.default_rng(seed)
    for number in range(times + 1):
        counts = np.ones(everyone.size, dtype=np.intp)
        if number:
            counts = np.bincount(rng.integers(0, everyone.size, everyone.size), minlength=everyone.size)
        for origin, exam in exams.items():
            rows = np.repeat(np.arange(exam.truth.size), counts[places[origin]])
            truth = exam.truth[rows]
            for who, name, metric, said in whats[origin]:
                found[origin][who, name][number] = metric(truth, said[rows]) if rows.size else np.nan
    return found


def _figures(task: Task, exam: Exam) -> Iterator[tuple[str, str, Metric, FloatArray]]:
    """Who, which metric, how it is measured, and on what they said."""
    for name, metric in task.metrics.items():
        yield MODEL, name, metric, exam.score
    for name, inside in held(exam).items():
        yield MODEL, name, coverage, inside
    for who, baseline in exam.baselines.items():
        for name, metric in measures(task, baseline.exact).items():
            yield who, name, metric, baseline.score


def _block(drawn: Sequence[Drawn], *, pooled: bool = False) -> dict[str, Any]:
    """The figures of some origins in one block."""
    found: dict[str, Any] = {MODEL: {}, "baselines": {}, "differences": {}}
    for who, name in dict.fromkeys(key for figures in drawn for key in figures):
        there = [figures for figures in drawn if (who, name) in figures]
        value = _estimate([figures[who, name] for figures in there], pooled)
        if who == MODEL:
            found[MODEL][name] = value
            continue
        found["baselines"].setdefault(who, {})[name] = value
        both = [figures for figures in there if (MODEL, name) in figures]
        gaps = [_gap(name, figures[MODEL, name], figures[who, name]) for figures in both]
        found["differences"].setdefault(who, {})[name] = _estimate(gaps, pooled)
    return found


def _gap(name: str, ours: FloatArray, theirs: FloatArray) -> FloatArray:
    if name == "bias":
        ours, theirs = np.abs(ours - 1.0), np.abs(theirs - 1.0)
    return ours - theirs


def _estimate(values: Sequence[FloatArray], pooled: bool) -> Estimate:
    """The mean over the origins at which a figure is defined, and the middle 95 % of its resamples.

    >>> _estimate([np.array([2.0, 1.0, 3.0]), np.array([np.nan, 1.0, 1.0])], pooled=True)
    {'value': 2.0, 'low': 1.05, 'high': 2.95, 'origins': 1}
    """
    known = [each for each in values if np.isfinite(each[0])]
    mean = np.mean(known, axis=0) if known else np.array([np.nan])
    resampled = mean[1:][np.isfinite(mean[1:])]
    low, high = np.percentile(resampled, [2.5, 97.5]) if resampled.size else (np.nan, np.nan)
    found: Estimate = {
        name: float(value) if np.isfinite(value) else None
        for name, value in (("value", mean[0]), ("low", low), ("high", high))
    }
    return {**found, "origins": len(known)} if pooled else found
