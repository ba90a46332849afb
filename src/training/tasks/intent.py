"""Will they buy within days? A purchase in a short horizon of its own, learnt from the newest days."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from ... import metrics
from ..fit import fit_blend
from ..task import Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...config import Config
    from ...config.settings import TrainingSettings
    from ..fitted import Fitted, Means
    from ..history import History, Outcome

_WEEK = timedelta(days=7)


def _label(outcome: Outcome, config: Config) -> NDArray[np.float64]:
    del config
    buys: NDArray[np.float64] = (outcome.purchases > 0).astype(np.float64)
    return buys


def _horizon(config: Config) -> timedelta:
    return config.intent.horizon


def _pace(config: Config) -> TrainingSettings:
    """As many days as the setting says, each on the weekday of the newest one by default."""
    wanted = config.intent
    stride = wanted.stride or -(-wanted.horizon // _WEEK) * _WEEK
    return config.training.model_copy(update={"snapshots": wanted.snapshots, "stride": stride})


def _fit(task: Task, history: History, config: Config, means: Means) -> Fitted:
    """A blend, with a shorter search: the newest events say much, and which learner reads them matters little."""
    tuning = config.tuning.model_copy(update={"trials": min(config.tuning.trials, config.intent.trials)})
    return fit_blend(task, history, config.model_copy(update={"tuning": tuning}), means)


TASK = Task(
    name="intent",
    question="Will they buy within days?",
    output="p_intent",
    link="logit",
    label=_label,
    metrics=metrics.PROBABILITY,
    fit=_fit,
    horizon=_horizon,
    pace=_pace,
    level="newest days",
    pull=100.0,
    aspect="buys",
    learners=("trees", "corrected formula", "linear"),
)
