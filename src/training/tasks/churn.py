"""Have they gone? No purchase in the horizon, the end of the last subscription, or what a label says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ... import metrics
from ..leaving import fit_churn
from ..task import Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...config import Config
    from ..history import Outcome


def _label(outcome: Outcome, config: Config) -> NDArray[np.float64]:
    if config.churn_form != "silent":
        return outcome.known["label" if config.churn_form == "labelled" else "ended"]
    gone: NDArray[np.float64] = (outcome.purchases == 0).astype(np.float64)
    return gone


TASK = Task(
    name="churn",
    question="Will they have gone in the horizon?",
    output="p_churn",
    link="logit",
    label=_label,
    metrics=metrics.PROBABILITY,
    fit=fit_churn,
    aspect="buys",
    sign=-1.0,
    learners=("trees", "corrected formula", "linear"),
)
