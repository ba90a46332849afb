"""Judging: a model and every baseline on customers whose outcome none of them has seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import metrics
from .baselines import baselines, measures

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from ..config import Config
    from ..models.predictor.predictor import Predictor
    from .baselines import Baseline
    from .folds import Pool
    from .history import History
    from .task import Task

    FloatArray = NDArray[np.float64]
    Block = dict[str, dict[str, float | None]]


@dataclass(frozen=True, eq=False)
class Exam:
    """What was said of n customers whose outcome had not been seen, and what came: all that metrics are made from.

    Attributes
    ----------
    ids
        Who they are.
    truth
        The task's answers.
    score
        What the model said.
    inside
        Whether the interval held the truth, 1 or 0; None where the model gives none.
    baselines
        What each baseline said.
    """

    ids: NDArray[np.str_]
    truth: FloatArray
    score: FloatArray
    inside: FloatArray | None
    baselines: Mapping[str, Baseline]


def examine(task: Task, predictor: Predictor, rehearsal: History, pool: Pool, config: Config) -> Exam:
    """Let a model and every baseline speak of the customers of the held-out day.

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
        What the label depends on.
    """
    outcome = rehearsal.latest.outcome
    truth = task.label(outcome, config)
    said = predictor.predict(rehearsal.latest.features)
    inside = None
    if predictor.bands is not None:
        inside = ((truth >= said[predictor.outputs[1]]) & (truth <= said[predictor.outputs[2]])).astype(np.float64)
    return Exam(outcome.ids, truth, said[task.output], inside, baselines(task, rehearsal, pool))


def judge(task: Task, exam: Exam, config: Config) -> tuple[Block, dict[str, Block], list[str]]:
    """The model's metrics with 95 % bootstrap intervals, the baselines', and what must be said of them.

    Parameters
    ----------
    task
        What was predicted.
    exam
        From :func:`examine`.
    config
        ``training.resamples`` and ``seed``.
    """
    truth = exam.truth
    draws = metrics.resamples(truth.size, config.training.resamples, config.seed)
    model = metrics.measure(task.metrics, truth, exam.score, draws)
    for name, inside in held(exam).items():
        model |= metrics.measure({name: coverage}, truth, inside, draws)
    found = exam.baselines.items()
    blocks = {name: metrics.measure(measures(task, b.exact), truth, b.score, draws) for name, b in found}
    scores = {name: baseline.score for name, baseline in found}
    return model, blocks, notes_of(task, truth, exam.score, scores, draws)


def held(exam: Exam) -> dict[str, FloatArray]:
    """Whether intervals held what came: of all customers, and of the tenth of the highest predictions, else NaN."""
    if exam.inside is None:
        return {}
    top = exam.score >= np.quantile(exam.score, 0.9)
    return {"coverage": exam.inside, "coverage_top_10": np.where(top, exam.inside, np.nan)}


def coverage(_: FloatArray, inside: FloatArray) -> float:
    """How often an interval held the truth, where it is known.

    >>> coverage(np.zeros(3), np.array([1.0, 0.0, np.nan]))
    0.5
    """
    return float(np.nanmean(inside)) if np.isfinite(inside).any() else float("nan")


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
