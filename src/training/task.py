"""What a task is, and which there are."""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from ..errors import ConfigError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import timedelta

    import numpy as np
    from numpy.typing import NDArray

    from ..config import Config
    from ..config.settings import TrainingSettings
    from ..features.facts import Population
    from ..metrics import Metric
    from ..models.predictor.members import Aspect
    from .archive import Archive
    from .fitted import Fitted, Means
    from .history import History, Outcome

    FloatArray = NDArray[np.float64]
    Estimator = Callable[["Task", History, Config, Means], Fitted]

Learner = Literal["trees", "corrected formula", "linear", "two-part"]


def whole_horizon(config: Config) -> timedelta:
    """The config's ``horizon``: how far most tasks look ahead."""
    return config.needs_horizon()


def usual_pace(config: Config) -> TrainingSettings:
    """The config's ``training``: how most tasks lay out their snapshots."""
    return config.training


@dataclass(frozen=True)
class Task:
    """A question about a customer's future.

    Attributes
    ----------
    name, question
        What it is called, and what it asks.
    output
        The column of the score.
    link
        "logit" for a probability, "log" for money, "none" for groups and differences.
    label
        The true answer for customers whose outcome is known, shape (n,); NaN for those whom the question does not
        concern: they are neither learnt from nor judged.
    metrics
        What is measured; the first is the headline.
    fit
        What learns it, from its history to a judged predictor.
    horizon
        How far it looks ahead.
    pace
        How many snapshots it is learnt from, and how far apart they lie.
    who
        Whom it asks about: customers, or prospects.
    level
        Whose total the scores take: the formula's, which spreads each customer's rate over the time to come, or that
        of the newest labelled days, which is nearer where the horizon is short.
    pull
        How strongly the weights of a blend are drawn to the usual shares of its members: by so many losses for a unit
        of squared distance.
    aspect, sign
        Which of the formula's margins speaks of it, and -1 where the formula says the opposite.
    learners
        The kinds of members that the search tries beside the formula.
    past_spend
        Whether past spend may be a member.
    looks_back
        How an archive of a history makes what the task is learnt from, where that is not the snapshots of a horizon.
    """

    name: str
    question: str
    output: str
    link: Literal["logit", "log", "none"]
    label: Callable[[Outcome, Config], FloatArray]
    metrics: Mapping[str, Metric]
    fit: Estimator
    horizon: Callable[[Config], timedelta] = whole_horizon
    pace: Callable[[Config], TrainingSettings] = usual_pace
    who: Population = "customers"
    level: Literal["formula", "newest days"] = "formula"
    pull: float = 4_000.0
    aspect: Aspect = "buys"
    sign: float = 1.0
    learners: tuple[Learner, ...] = ()
    past_spend: bool = True
    looks_back: Callable[[Archive], History] | None = None

    @property
    def headline(self) -> str:
        """The metric by which the model is compared first."""
        return next(iter(self.metrics))


@cache
def tasks() -> dict[str, Task]:
    """All tasks by name.

    Examples
    --------
    >>> sorted(tasks())
    ['churn', 'clv', 'high_value', 'intent', 'prospects', 'risk', 'segments', 'uplift']
    """
    package = __name__.rpartition(".")[0] + ".tasks"
    names = sorted(m.name for m in pkgutil.iter_modules(import_module(package).__path__))
    found = [import_module(f"{package}.{name}").TASK for name in names]
    return {task.name: task for task in found}


def task_of(name: str) -> Task:
    """The task of that name, or an error that names the nearest one."""
    known = tasks()
    if name not in known:
        raise ConfigError(f"tasks: {name!r} is no task; expected some of {', '.join(known)}.{nearest(name, known)}")
    return known[name]


def headlines(results: Mapping[str, Any]) -> list[list[object]]:
    """Each task's headline figure beside its best baseline's, from ``metrics.json``.

    Headline metrics are better when they are higher. Gives rows of task, metric, the model's value, the best baseline's
    value, its name.

    Examples
    --------
    >>> churn = {"headline": "auc", "model": {"auc": {"value": 0.8}}, "baselines": {"recency": {"auc": {"value": 0.7}}}}
    >>> headlines({"churn": churn})
    [['churn', 'auc', 0.8, 0.7, 'recency']]
    """
    rows: list[list[object]] = []
    for task, result in results.items():
        metric = result["headline"]
        values = {name: figures[metric]["value"] for name, figures in result["baselines"].items() if metric in figures}
        known = {name: value for name, value in values.items() if value is not None}
        best = max(known, key=lambda name: known[name], default="")
        rows.append([task, metric, result["model"][metric]["value"], known.get(best, float("nan")), best])
    return rows
