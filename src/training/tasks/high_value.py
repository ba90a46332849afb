"""Will they be in the top share of spend next?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ... import metrics
from ..fit import fit_blend
from ..task import Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ...config import Config
    from ..history import Outcome

_METRICS = {"average_precision": metrics.average_precision, **metrics.PROBABILITY}


def _label(outcome: Outcome, config: Config) -> NDArray[np.float64]:
    return metrics.top_share(outcome.spend, outcome.ids, config.high_value.share)


TASK = Task(
    name="high_value",
    question="Will they be among the top spenders of the horizon?",
    output="p_high_value",
    link="logit",
    label=_label,
    metrics=_METRICS,
    fit=fit_blend,
    aspect="value",
    learners=("trees", "corrected formula", "linear"),
)
