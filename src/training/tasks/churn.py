"""Have they gone? No purchase in the horizon."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ... import metrics
from ..fit import fit_blend
from ..task import Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...config import Config
    from ..history import Outcome


def _label(outcome: Outcome, config: Config) -> NDArray[np.float64]:
    del config
    gone: NDArray[np.float64] = (outcome.purchases == 0).astype(np.float64)
    return gone


TASK = Task(
    name="churn",
    question="Will they buy nothing in the horizon?",
    output="p_churn",
    link="logit",
    label=_label,
    metrics=metrics.PROBABILITY,
    fit=fit_blend,
    aspect="buys",
    sign=-1.0,
    learners=("trees", "corrected formula", "linear"),
)
