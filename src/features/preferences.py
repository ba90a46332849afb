"""What a customer prefers: category, channel, hour and weekday, and how clearly.

Ties go to the name that comes first, to the earlier hour, to the earlier day of the week.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .family import Columns, Family, Feature
from .formulas import known_count, ratio

if TYPE_CHECKING:
    from collections.abc import Mapping

    import ibis

    from .facts import Moment
    from .family import Measure

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
HOURS = tuple(f"{hour:02}" for hour in range(24))


def _purchases(purchases: ibis.Table, _: Moment) -> Columns:
    return {
        "purchases_all": purchases.count(),
        **{f"hour_{name}": purchases.count(where=purchases.hour == hour) for hour, name in enumerate(HOURS)},
        **{f"on_{name}": purchases.count(where=purchases.weekday == day) for day, name in enumerate(WEEKDAYS)},
    }


def _named(what: str) -> Measure:
    def measure(ranked: ibis.Table, _: Moment) -> Columns:
        return {
            f"{what}_top": ranked.name.max(where=ranked.place == 0),
            f"{what}_top_n": ranked.n.max(),
            f"{what}_n": ranked.n.sum(),
            f"{what}_kinds": ranked.count(),
        }

    return measure


def _formulas(row: ibis.Table, _: Moment) -> Columns:
    columns: dict[str, Any] = {}
    for what, plural in (("category", "categories"), ("channel", "channels")):
        columns[f"top_{what}"] = row[f"{what}_top"]
        columns[f"top_{what}_share"] = ratio(row[f"{what}_top_n"], row[f"{what}_n"])
        columns[plural] = known_count(row[f"{what}_kinds"], row.purchases_all)
    for what, prefix, names in (("hour", "hour", HOURS), ("weekday", "on", WEEKDAYS)):
        counts = {name: row[f"{prefix}_{name}"] for name in names}
        columns[f"top_{what}"], most = _top(counts)
        columns[f"top_{what}_share"] = ratio(most, row.purchases_all)
    return columns


def _top(counts: Mapping[str, Any]) -> tuple[Any, Any]:
    """The first of the names that are counted most often, and how often; null where nothing was counted."""
    import ibis

    most = ibis.greatest(*counts.values())
    return ibis.cases(*((count == most, name) for name, count in counts.items())), most


FAMILY = Family(
    name="preferences",
    features=(
        Feature("top_category", "category of most lines", "name", "category"),
        Feature("top_category_share", "share of the lines in it", "share"),
        Feature("categories", "different categories bought from", "count"),
        Feature("top_channel", "channel of most purchases", "name", "category"),
        Feature("top_channel_share", "share of the purchases made through it", "share"),
        Feature("channels", "different channels bought through", "count"),
        Feature("top_hour", "hour (UTC) in which most purchases began", "name", "category"),
        Feature("top_hour_share", "share of the purchases that began in it", "share"),
        Feature("top_weekday", "weekday (UTC) of most purchases", "name", "category"),
        Feature("top_weekday_share", "share of the purchases made on it", "share"),
    ),
    measures={"purchases": _purchases, "categories": _named("category"), "channels": _named("channel")},
    formulas=_formulas,
)
