"""What the simulated company sells and when people buy: categories, products, prices, calendar, plans, texts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

CATEGORIES = (
    "grocery",
    "beverages",
    "beauty",
    "clothing",
    "shoes",
    "home",
    "electronics",
    "toys",
    "books",
    "sports",
)
# Typical price in yuan, share of all lines, and how often a line comes back.
PRICE = np.array([28.0, 45.0, 120.0, 160.0, 260.0, 95.0, 620.0, 85.0, 38.0, 150.0])
SHARE = np.array([0.22, 0.12, 0.12, 0.14, 0.06, 0.11, 0.05, 0.06, 0.07, 0.05])
RETURNED = np.array([0.004, 0.004, 0.02, 0.10, 0.12, 0.03, 0.05, 0.03, 0.02, 0.05])
TIERS = (0.6, 1.0, 1.9)
PER_TIER = 20
PRODUCTS = len(CATEGORIES) * len(TIERS) * PER_TIER

NON_PRODUCTS = ("POST", "DISCOUNT", "gift_wrap", "ADJUST")
POST, DISCOUNT, GIFTWRAP, ADJUST = range(PRODUCTS, PRODUCTS + len(NON_PRODUCTS))

PLANS = ("Plus", "Family", "Student")
FEES = (2500, 3900, 1200)  # cents a month

PRAISE = (
    "很好,会再来",
    "物流很快,质量不错",
    "非常满意,推荐给朋友了",
    "Great quality, fast delivery",
    "Exactly as described",
    "Love it!",
)
NEUTRAL = ("一般般", "还可以", "It is ok", "Fine for the price", "包装可以再好一点", "Average")
ANGER = (
    "太慢了,等了两个星期",
    "收到时已经坏了",
    "客服没有回应,很失望",
    "Arrived broken, no answer from support",
    "Late again. Very disappointed",
    "Wrong item, and the refund takes forever",
)

_MONTH = np.array([0.95, 0.80, 0.92, 0.93, 1.00, 1.15, 0.88, 0.90, 0.98, 1.00, 1.30, 1.45])
_WEEKDAY = np.array([0.90, 0.88, 0.90, 0.95, 1.10, 1.25, 1.15])
_DAYS_OF_PEAK = {(6, 18): 2.2, (11, 11): 3.0, (12, 12): 1.8, (12, 24): 1.5}
SEASON_LEVELS = np.array([0.2, 0.6, 1.0, 1.4, 2.0])


@dataclass(frozen=True)
class Products:
    """The catalogue: one entry per product, then one per code that is no product."""

    code: NDArray[np.str_]
    category: NDArray[np.str_]
    cents: NDArray[np.int64]


@cache
def products() -> Products:
    """The catalogue, the same for every seed; prices in cents."""
    rng = np.random.default_rng(20230101)
    category = np.repeat(np.arange(len(CATEGORIES)), len(TIERS) * PER_TIER)
    tier = np.tile(np.repeat(np.arange(len(TIERS)), PER_TIER), len(CATEGORIES))
    yuan = PRICE[category] * np.array(TIERS)[tier] * rng.lognormal(0.0, 0.35, PRODUCTS)
    cents = np.maximum(np.round(yuan) * 100 - 10, 190).astype(np.int64)
    code = [f"{CATEGORIES[c][:2].upper()}{10_000 + 37 * i}" for i, c in enumerate(category)]
    return Products(
        np.array([*code, *NON_PRODUCTS]),
        np.array([*(CATEGORIES[c] for c in category), *([""] * len(NON_PRODUCTS))]),
        np.array([*cents, 1200, 0, 900, 0]),
    )


def popularity() -> NDArray[np.float64]:
    """Cumulative share of the products of one category and tier, most popular first (a Zipf law)."""
    weight = 1.0 / (1.0 + np.arange(PER_TIER)) ** 0.9
    return np.asarray(np.cumsum(weight / weight.sum()))


def season(first: np.datetime64, days: int) -> NDArray[np.float64]:
    """Relative demand of each of ``days`` days from ``first``: month, weekday and shopping festivals; mean about 1."""
    day = first.astype("datetime64[D]") + np.arange(days)
    month = day.astype("datetime64[M]").astype(np.int64) % 12
    of_month = (day - day.astype("datetime64[M]")).astype(np.int64)
    weekday = (day.astype(np.int64) + 3) % 7
    factor = _MONTH[month] * _WEEKDAY[weekday]
    for (m, d), peak in _DAYS_OF_PEAK.items():
        factor = np.where((month == m - 1) & (of_month == d - 1), factor * peak, factor)
    return np.asarray(factor)
