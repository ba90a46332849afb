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
    from ..history import Outcome

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


TASK = Task(
    name="intent",
    question="Will they buy within days?",
    output="p_intent",
    link="logit",
    label=_label,
    metrics=metrics.PROBABILITY,
    fit=fit_blend,
    horizon=_horizon,
    pace=_pace,
    level="newest days",
    aspect="buys",
    learners=("trees", "corrected formula", "linear"),
)
