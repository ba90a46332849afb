"""How features are spoken of to people who read reasons: short, and without the terms of the trade."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..explain import Wording
from ..features.table import catalogue, catalogue_of
from ..models.predictor.contributions import FORMULA

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

PLAIN = {
    "active_change_180": "change in purchase days, last 180 days against the 180 before",
    "active_change_90": "change in purchase days, last 90 days against the 90 before",
    "active_months": "months with a purchase, of the last twelve",
    "active_share_90": "share of the purchase days in the last 90 days",
    "active_slope": "trend of the purchase days by month",
    "age": "days since the first purchase",
    "days_since_cart": "days since something was last put into the cart",
    "days_since_complaint": "days since the last complaint",
    "days_since_contact": "days since the last contact",
    "days_since_discount": "days since the last discount",
    "days_since_feedback": "days since the last feedback",
    "days_since_last": "days since the last purchase",
    "days_since_open_cart": "days since something was put into the cart and not bought",
    "days_since_open_visit": "days since a visit that no purchase came after",
    "days_since_registration": "days since registration",
    "days_since_response": "days since the last contact that was answered",
    "days_since_return": "days since the last return",
    "days_since_subscription_end": "days since a subscription last ended",
    "days_since_visit": "days since the last visit",
    "discount_share_180": "share taken off by discounts in the last 180 days",
    "discount_share": "share taken off by discounts",
    "gap_concentration": "how far purchases come in bursts",
    "gap_cv": "unevenness of the time between purchases",
    "gap_last": "days between the last two purchases",
    "gap_last_ratio": "the last gap between purchases against the mean one",
    "gap_max": "longest time between purchases",
    "gap_mean": "mean time between purchases",
    "gap_median": "usual time between purchases",
    "gap_min": "shortest time between purchases",
    "gap_recent_ratio": "the last three gaps between purchases against the mean one",
    "gap_sd": "spread of the time between purchases",
    "gaps_longer_share": "share of earlier gaps longer than the present silence",
    "looked_again_14": "looks at products seen before, last 14 days",
    "month_cos": "time of the year",
    "month_sin": "time of the year",
    "products_per_purchase": "different products per purchase",
    "purchases": "number of purchases",
    "recency_span": "days from the first purchase to the last",
    "recent_amount_ratio": "largest purchase of the last 30 days against the mean before",
    "recent_discount_change": "share taken off in the last 30 days, less that before",
    "recent_lines_ratio": "most lines of a purchase in the last 30 days against the mean before",
    "recent_new_category_share": "categories of the last 30 days that are new to them",
    "recent_new_channel_share": "channels of the last 30 days that are new to them",
    "recent_new_product_share": "products of the last 30 days that are new to them",
    "recent_new_time_share": "purchases of the last 30 days at a time of day that is new to them",
    "recent_pace_ratio": "purchases in the last 30 days against their usual pace",
    "recent_quantity_ratio": "most pieces of a purchase in the last 30 days against the mean before",
    "recent_record_ratio": "largest purchase of the last 30 days against the largest before",
    "recent_return_change": "share returned in the last 30 days, less that before",
    "recent_return_share": "share returned in the last 30 days",
    "repeat_days": "days with a purchase after the first",
    "return_share_180": "share returned in the last 180 days",
    "returns": "returned lines",
    "returns_180": "returned lines in the last 180 days",
    "score_last": "last rating, from 0 (worst) to 1 (best)",
    "score_mean": "mean rating, from 0 (worst) to 1 (best)",
    "score_mean_180": "mean rating in the last 180 days, from 0 (worst) to 1 (best)",
    "score_min": "worst rating, from 0 (worst) to 1 (best)",
    "silence_median_ratio": "present silence against the usual gap between purchases",
    "silence_ratio": "present silence against the mean gap between purchases",
    "silence_sd": "how unusual the present silence is for them",
    "spend_change_180": "change in spend, last 180 days against the 180 before",
    "spend_change_90": "change in spend, last 90 days against the 90 before",
    "spend_repeat_mean": "mean spend on a purchase day after the first",
    "spend_share_90": "share of the spend in the last 90 days",
    "spend_slope": "trend of the spend by month",
    "subscription_newest_days": "days since the newest subscription started",
    "subscription_tenure": "days since the first subscription started",
    "top_category": "favourite category",
    "top_category_share": "share of the lines in the favourite category",
    "top_channel": "usual channel",
    "top_channel_share": "share of the purchases through the usual channel",
    "top_hour": "usual hour of a purchase (UTC)",
    "top_hour_share": "share of the purchases in the usual hour",
    "top_weekday": "usual weekday of a purchase (UTC)",
    "top_weekday_share": "share of the purchases on the usual weekday",
    "visits_change_30": "change in visits, last 30 days against the 30 before",
    "visits_share_7": "share of the month's visits that lie in the last 7 days",
}
"""Features whose definition is too exact for a reader; the others go by their definition."""


def words(tables: Collection[str] | None = None) -> dict[str, Wording]:
    """How each feature, and the formula's part of a score, is spoken of.

    Parameters
    ----------
    tables
        The canonical tables whose features are meant; all of them by default.

    Examples
    --------
    >>> words(["transactions"])["age"].about
    'days since the first purchase'
    """
    spoken = {f.name: Wording(PLAIN.get(f.name, f.about), f.unit) for f in catalogue(tables)}
    return spoken | {FORMULA: Wording("buying rhythm")}


def words_of(trained: Mapping[str, Any]) -> dict[str, Wording]:
    """How the features of a release are spoken of; attributes of observations go by their own names.

    >>> words_of({"tables": ["observations"], "attributes": {"age": "number"}})["age"].about
    'age'
    """
    if trained.get("attributes"):
        return {feature.name: Wording(feature.about, feature.unit) for feature in catalogue_of(trained)}
    return words(trained["tables"])
