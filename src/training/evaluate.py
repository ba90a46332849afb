"""Judging: a model and every baseline on customers whose outcome none of them has seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import metrics
from .baselines import baselines, measures

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from ..config import Config
    from ..models.predictor.predictor import Predictor
    from .folds import Pool
    from .history import History
    from .task import Task

    FloatArray = NDArray[np.float64]
    Block = dict[str, dict[str, float | None]]


def judge(
    task: Task, predictor: Predictor, rehearsal: History, pool: Pool, config: Config
) -> tuple[Block, dict[str, Block], list[str]]:
    """The model's metrics with 95 % bootstrap intervals, the baselines', and what must be said of them.

    Parameters
    ----------
    task
        What is predicted.
    predictor
        Learnt from ``rehearsal`` alone.
    rehearsal
        Its latest rows are labelled; the labels are used here only.
    pool
        Of the rehearsal.
    config
        ``training.resamples`` and ``seed``.
    """
    truth = task.label(rehearsal.latest.outcome, config)
    draws = metrics.resamples(truth.size, config.training.resamples, config.seed)
    said = predictor.predict(rehearsal.latest.features)
    model = metrics.measure(task.metrics, truth, said[task.output], draws)
    if predictor.bands is not None:
        held = ((truth >= said[predictor.outputs[1]]) & (truth <= said[predictor.outputs[2]])).astype(np.float64)
        model |= _coverage(held, said[task.output], draws)
    found = baselines(task, rehearsal, pool)
    blocks = {name: metrics.measure(measures(task, b.exact), truth, b.score, draws) for name, b in found.items()}
    scores = {name: baseline.score for name, baseline in found.items()}
    return model, blocks, notes_of(task, truth, said[task.output], scores, draws)


def _coverage(held: FloatArray, predicted: FloatArray, draws: list[NDArray[np.int64]]) -> Block:
    """How often intervals held what came: over all customers, and over the tenth of the highest predictions."""
    top = predicted >= np.quantile(predicted, 0.9)

    def share(_: FloatArray, inside: FloatArray) -> float:
        return float(np.nanmean(inside)) if np.isfinite(inside).any() else float("nan")

    found = metrics.measure({"coverage": share}, held, held, draws)
    return found | metrics.measure({"coverage_top_10": share}, held, np.where(top, held, np.nan), draws)


def notes_of(
    task: Task, truth: FloatArray, ours: FloatArray, theirs: Mapping[str, FloatArray], draws: list[NDArray[np.int64]]
) -> list[str]:
    """How the model stands to the best baseline by the headline metric, paired over the draws, in a sentence."""
    name = task.headline
    metric = task.metrics[name]
    reached = {other: metric(truth, score) for other, score in theirs.items()}

    def against(other: str) -> tuple[float, float]:
        return metrics.paired(metric, truth, ours, theirs[other], draws)

    return [standing(name, metric(truth, ours), reached, against)]


def standing(
    metric: str, ours: float, theirs: Mapping[str, float], against: Callable[[str], tuple[float, float]]
) -> str:
    """How a model stands to its best baseline, in a sentence.

    Parameters
    ----------
    metric
        What is compared; more of it is better.
    ours, theirs
        What the model and each baseline reach; NaN where it cannot be measured.
    against
        The 95 % interval of the paired difference to a baseline.

    Examples
    --------
    >>> standing("auc", 0.8, {"recency": 0.7}, lambda name: (0.05, 0.15))[:34]
    'The model beats every baseline: au'
    """
    reached = {name: value for name, value in theirs.items() if np.isfinite(value)}
    if not reached:
        return "The held-out snapshot has customers of one kind only; nothing could be compared on it."
    best = max(reached, key=lambda name: (reached[name], name))
    low, high = against(best)
    about = f"{metric} {ours:.3f} against {reached[best]:.3f} of the best baseline, {best}"
    between = f"95 % of the paired difference: {low:+.3f} to {high:+.3f}"
    if low > 0:
        return f"The model beats every baseline: {about} ({between})."
    if high < 0:
        return f"The model does not beat its best baseline: {about} ({between})."
    return f"The model is level with its best baseline: {about} ({between})."


def curves(task: Task, truth: FloatArray, score: FloatArray) -> dict[str, Any]:
    """Points for figures: ``reliability`` (stated, observed, customers) and ``gain`` (share of customers, share held).

    >>> from custid.training.task import task_of
    >>> found = curves(task_of("churn"), np.array([0.0, 1.0]), np.array([0.2, 0.8]))
    >>> found["reliability"][0]
    (0.2, 0.0, 1)
    """
    order = np.argsort(-score, kind="stable")
    gain = np.maximum(truth, 0.0)[order]
    ends = np.unique(np.linspace(0, truth.size, 51).round().astype(int))
    held = np.concatenate([[0.0], np.cumsum(gain)]) / max(gain.sum(), 1e-12)
    found: dict[str, Any] = {"gain": [(float(i / truth.size), float(held[i])) for i in ends]}
    if task.link == "logit":
        bins = np.minimum((score * 10).astype(int), 9)
    else:
        bins = np.minimum((metrics.ranks(score) - 0.5) / score.size * 10, 9).astype(int)
    found["reliability"] = [
        (float(score[bins == b].mean()), float(truth[bins == b].mean()), int((bins == b).sum()))
        for b in range(10)
        if (bins == b).any()
    ]
    return found
