"""Who has not bought yet: will they, within the horizon, and what would it bring?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ... import metrics
from ..firsts import fit_prospects
from ..task import Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...config import Config
    from ..history import Outcome


def _label(outcome: Outcome, config: Config) -> NDArray[np.float64]:
    """Any purchase of theirs is the first."""
    del config
    buys: NDArray[np.float64] = (outcome.purchases > 0).astype(np.float64)
    return buys


TASK = Task(
    name="prospects",
    question="Will those who have not bought yet do so, and for how much?",
    output="p_first_purchase",
    link="logit",
    label=_label,
    metrics=metrics.PROBABILITY,
    fit=fit_prospects,
    who="prospects",
    level="newest days",
    learners=("trees", "linear"),
)
