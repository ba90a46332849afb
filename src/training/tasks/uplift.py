"""Whom does contact change? From randomised, or at least recorded, contacts and those kept back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..task import Task
from ..uplift.contacts import contacts
from ..uplift.uplift import fit_uplift

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...config import Config
    from ..history import Outcome


def _label(outcome: Outcome, config: Config) -> NDArray[np.float64]:
    """What came of it; NaN for those of whom it is not known whether they were contacted."""
    del config
    nothing = np.full(outcome.ids.size, np.nan)
    treated = outcome.known.get("treated", nothing)
    return np.where(np.isnan(treated), np.nan, outcome.known.get("outcome", nothing))


TASK = Task(
    name="uplift",
    question="How much does contact change what they do?",
    output="uplift",
    link="none",
    label=_label,
    metrics={},
    fit=fit_uplift,
    looks_back=contacts,
)
