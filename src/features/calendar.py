"""When in the year, the week and the day a customer buys (UTC)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .family import Columns, Family, Feature
from .formulas import ratio

if TYPE_CHECKING:
    import ibis

    from .facts import Moment

BANDS = {"night": (0, 6), "morning": (6, 12), "afternoon": (12, 18), "evening": (18, 24)}
QUARTERS = (1, 2, 3, 4)


def _purchases(purchases: ibis.Table, _: Moment) -> Columns:
    return {
        "purchases_all": purchases.count(),
        "in_weekend": purchases.count(where=purchases.weekday >= 5),
        **{f"in_quarter_{q}": purchases.count(where=purchases.quarter == q) for q in QUARTERS},
        **{
            f"in_{band}": purchases.count(where=(purchases.hour >= first) & (purchases.hour < after))
            for band, (first, after) in BANDS.items()
        },
    }


def _formulas(row: ibis.Table, _: Moment) -> Columns:
    counted = ("weekend", *(f"quarter_{q}" for q in QUARTERS), *BANDS)
    return {f"{name}_share": ratio(row[f"in_{name}"], row.purchases_all) for name in counted}


FAMILY = Family(
    name="calendar",
    features=(
        Feature("weekend_share", "share of the purchases on a Saturday or Sunday", "share"),
        *(Feature(f"quarter_{q}_share", f"share of the purchases in quarter {q}", "share") for q in QUARTERS),
        *(
            Feature(f"{band}_share", f"share of the purchases from {first}:00 to {after}:00", "share")
            for band, (first, after) in BANDS.items()
        ),
    ),
    measures={"purchases": _purchases},
    formulas=_formulas,
)
