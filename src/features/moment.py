"""The time of the year at the snapshot: the same for all customers, and what lets models learn a season."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .family import Columns, Family, Feature
from .formulas import double

if TYPE_CHECKING:
    import ibis

    from .facts import Moment


def _formulas(_: ibis.Table, at: Moment) -> Columns:
    turn = 2 * math.pi * (at.date.month - 1) / 12
    return {"month_sin": double(math.sin(turn)), "month_cos": double(math.cos(turn))}


FAMILY = Family(
    name="moment",
    features=(
        Feature("month_sin", "month of the snapshot on a circle: the sine (January is 0)", "ratio"),
        Feature("month_cos", "month of the snapshot on a circle: the cosine (January is 1)", "ratio"),
    ),
    measures={},
    formulas=_formulas,
)
