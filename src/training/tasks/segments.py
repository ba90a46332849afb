"""Who is alike?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..fit import fit_groups
from ..task import Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ...config import Config
    from ..history import Outcome


def _label(outcome: Outcome, config: Config) -> NDArray[np.float64]:
    """What the segments should tell apart: spend in the horizon."""
    del config
    return outcome.spend


TASK = Task(
    name="segments",
    question="Which group of customers do they belong to?",
    output="segment",
    link="none",
    label=_label,
    metrics={},
    fit=fit_groups,
)
