"""Some thirty columns of recency, frequency and money: what the peers that learn are given."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from cases import purchases, truth

if TYPE_CHECKING:
    from cases import Split

WINDOWS = (30, 60, 90, 180, 365)
TARGETS = ["churned", "spend", "high_value"]


def tables(split: Split) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """Rows to learn from, rows to score, and how many days ahead the labels of the first look.

    The labels are those of one earlier snapshot: ``as_of`` less the horizon or, where the history is shorter than two
    horizons, half of the history.
    """
    end = pd.Timestamp(split.case.as_of)
    length = (end - split.past.ts.min().normalize()).days
    days = min(split.case.days, length // 2)
    day = end - timedelta(days=days)
    before, after = split.past[split.past.ts < day], split.past[split.past.ts >= day]
    labels = truth(before, after)
    return columns(before, day).join(labels), columns(split.past, end), days


def columns(rows: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """One row for each customer with a purchase before a day, by id."""
    bought = purchases(rows)
    since = (day - bought.ts).dt.total_seconds() / 86400
    by = bought.assign(since=since).sort_values("ts", kind="stable").groupby("customer_id")
    found = pd.DataFrame(
        {
            "days_since_last": by.since.min(),
            "age": by.since.max(),
            "purchases": by.size().astype(float),
            "spend_total": by.amount.sum(),
            "spend_mean": by.amount.mean(),
            "spend_max": by.amount.max(),
            "spend_min": by.amount.min(),
            "spend_sd": by.amount.std(),
            "spend_first": by.amount.first(),
            "spend_last": by.amount.last(),
            "months": by.ts.agg(lambda ts: ts.dt.to_period("M").nunique()).astype(float),
        }
    )
    found = found.join(_days(bought, day)).join(_gaps(bought))
    found["rate"] = found.purchases / found.age.clip(lower=1.0)
    found["overdue"] = found.days_since_last / found.gap_mean
    for window in WINDOWS:
        recent = bought[since <= window].groupby("customer_id").amount
        found[f"purchases_{window}"] = recent.size().reindex(found.index, fill_value=0).astype(float)
        found[f"spend_{window}"] = recent.sum().reindex(found.index, fill_value=0.0)
    returned = rows[rows.amount < 0].groupby("customer_id").amount
    found["returns"] = returned.size().reindex(found.index, fill_value=0).astype(float)
    found["returned"] = -returned.sum().reindex(found.index, fill_value=0.0)
    found["net"] = rows.groupby("customer_id").amount.sum().reindex(found.index)
    return found.replace([np.inf, -np.inf], np.nan).sort_index()


def _days(bought: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """What the formulas are fitted on: repeat days, days from the first to the last and to now, mean repeat spend."""
    daily = bought.groupby(["customer_id", bought.ts.dt.normalize().rename("day")]).amount.sum().reset_index()
    by = daily.groupby("customer_id")
    first, last = by.day.min(), by.day.max()
    repeat = daily[daily.day > daily.customer_id.map(first)].groupby("customer_id").amount.mean()
    return pd.DataFrame(
        {
            "frequency": (by.size() - 1).astype(float),
            "recency": (last - first).dt.days.astype(float),
            "T": (day - first).dt.days.astype(float),
            "monetary": repeat.reindex(first.index, fill_value=0.0),
        }
    )


def _gaps(bought: pd.DataFrame) -> pd.DataFrame:
    """Days between purchases."""
    ordered = bought.sort_values(["customer_id", "ts"], kind="stable")
    gap = ordered.groupby("customer_id").ts.diff().dt.total_seconds() / 86400
    by = gap.groupby(ordered.customer_id)
    return pd.DataFrame({"gap_mean": by.mean(), "gap_sd": by.std(), "gap_last": by.last()})


def rules(scored: pd.DataFrame, days: int) -> dict[str, pd.DataFrame]:
    """What people use without a program: who bought last, the sum of RFM quintiles, past spend carried on."""
    recency = scored.days_since_last
    points = sum(_quintile(column) for column in (-recency, scored.purchases, scored.spend_total))
    window = min(WINDOWS, key=lambda w: (abs(w - days), w))
    spent = scored[f"spend_{window}"] * days / window
    scores = {"recency": (recency, -recency), "rfm": (-points, points), "past_spend": (recency, spent)}
    return {
        name: pd.DataFrame({"p_churn": churn, "expected_value": value, "p_high_value": value})
        for name, (churn, value) in scores.items()
    }


def _quintile(column: pd.Series) -> pd.Series:
    return np.floor((column.rank() - 0.5) / len(column) * 5) + 1
