"""The rhythm of buying: gaps between purchase days, and the present silence against one's own rhythm.

The concentration of purchase days is the second-moment measure of clumpiness of Zhang, Bradlow and Small ("Predicting
customer value using clumpiness", Marketing Science 2015): squared intervals, the present one included, over the squared
lifetime.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .family import Columns, Family, Feature
from .formulas import deviation, exact, number, ratio, square

if TYPE_CHECKING:
    import ibis

    from .facts import Moment


def _days(days: ibis.Table, at: Moment) -> Columns:
    return {
        "first_day": days.day.min(),
        "last_day": days.day.max(),
        "gaps": days.gap.count(),
        "gap_sum": days.gap.sum(),
        "gap_squares": square(days.gap).sum(),
        "gap_middle": days.gap.median(),
        "gap_most": days.gap.max(),
        "gap_least": days.gap.min(),
        "gap_newest": days.gap.argmax(days.day),
        "gap_sum_newest": days.gap.sum(where=days.later.isnull()),
        "gaps_newest": days.gap.count(where=days.later.isnull()),
        "gaps_longer": days.count(where=days.gap > at.day - days["last"]),
    }


def _formulas(row: ibis.Table, at: Moment) -> Columns:
    silence = at.day - row.last_day
    mean = ratio(row.gap_sum, row.gaps)
    sd = deviation(row.gaps, row.gap_sum, row.gap_squares)
    lifetime = at.day - row.first_day
    intervals = row.gap_squares.coalesce(exact(0)) + square(silence)
    return {
        "gap_mean": mean,
        "gap_sd": sd,
        "gap_cv": ratio(sd, mean),
        "gap_median": number(row.gap_middle),
        "gap_min": number(row.gap_least),
        "gap_max": number(row.gap_most),
        "gap_last": number(row.gap_newest),
        "gap_last_ratio": ratio(row.gap_newest, mean),
        "gap_recent_ratio": ratio(ratio(row.gap_sum_newest, row.gaps_newest), mean),
        "silence_ratio": ratio(silence, mean),
        "silence_median_ratio": ratio(silence, row.gap_middle),
        "silence_sd": ratio(number(silence) - mean, sd),
        "gaps_longer_share": ratio(row.gaps_longer, row.gaps),
        "gap_concentration": ratio(intervals, square(lifetime)),
    }


FAMILY = Family(
    name="cadence",
    features=(
        Feature("gap_mean", "mean gap between days with a purchase", "days"),
        Feature("gap_sd", "standard deviation of the gaps", "days"),
        Feature("gap_cv", "standard deviation of the gaps over their mean: 0 is a clockwork", "ratio"),
        Feature("gap_median", "median gap", "days"),
        Feature("gap_min", "shortest gap", "days"),
        Feature("gap_max", "longest gap", "days"),
        Feature("gap_last", "gap before the last day with a purchase", "days"),
        Feature("gap_last_ratio", "the last gap over the mean gap: above 1 is slower than usual", "ratio"),
        Feature("gap_recent_ratio", "mean of the last three gaps over the mean gap", "ratio"),
        Feature("silence_ratio", "days since the last day with a purchase over the mean gap", "ratio"),
        Feature("silence_median_ratio", "days since the last day with a purchase over the median gap", "ratio"),
        Feature("silence_sd", "days since then less the mean gap, in standard deviations of the gaps", "ratio"),
        Feature("gaps_longer_share", "share of the gaps that were longer than the present silence", "share"),
        Feature("gap_concentration", "squared intervals over the squared lifetime: 1 is a single burst", "ratio"),
    ),
    measures={"days": _days},
    formulas=_formulas,
)
