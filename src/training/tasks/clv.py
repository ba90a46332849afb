"""How much will they spend in the horizon, returns taken off?"""

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


def _label(outcome: Outcome, config: Config) -> NDArray[np.float64]:
    del config
    return outcome.spend


TASK = Task(
    name="clv",
    question="How much will they spend in the horizon?",
    output="expected_value",
    link="log",
    label=_label,
    metrics=metrics.VALUE,
    fit=fit_blend,
    aspect="value",
    learners=("trees", "corrected formula", "linear", "two-part"),
)
