"""Is this behaviour abnormal for them, or for anyone?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..abnormal import fit_risk
from ..task import Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...config import Config
    from ..history import Outcome


def _label(outcome: Outcome, config: Config) -> NDArray[np.float64]:
    """Nobody says who is abnormal; all customers are asked about."""
    del config
    return np.zeros(outcome.ids.size)


TASK = Task(
    name="risk",
    question="Is this behaviour abnormal for them or for anyone?",
    output="risk",
    link="none",
    label=_label,
    metrics={},
    fit=fit_risk,
)
