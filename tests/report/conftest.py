"""Inputs of a page, made by hand: a few hundred customers whose every figure is known to the test."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from custid.config import parse
from custid.profiles.stage import reason_type
from custid.report.drivers import Driver
from custid.report.inputs import TEXTS, Inputs

CONFIG = "name: shop\nhorizon: 90d\nsources: [{name: till, table: transactions, uri: till.csv}]\n"
HOSTILE = '<script>alert("客户 & co")</script>'
MakeInputs = Callable[..., Inputs]


def estimate(value: float, width: float = 0.02) -> dict[str, float]:
    return {"value": value, "low": value - width, "high": value + width}


METRICS: dict[str, Any] = {
    "churn": {
        "model": {"auc": estimate(0.80), "brier": estimate(0.17)},
        "baselines": {"recency": {"auc": estimate(0.70), "brier": None}, "bgnbd": {"auc": estimate(0.79)}},
        "snapshot": "2011-03-12",
        "n": 1234,
        "horizon_days": 90,
        "notes": ["The season of the test is not the season of the forecast."],
        "curves": {"reliability": [[0.1, 0.12, 50], [0.5, 0.45, 30], [0.9, 0.95, 20]]},
    },
    "clv": {
        "model": {"gini": estimate(0.6, 0.01), "bias": estimate(0.9, 0.1), "coverage": estimate(0.77)},
        "baselines": {"rfm": {"gini": estimate(0.65, 0.01)}},
        "snapshot": "2011-03-12",
        "n": 1234,
    },
}
QUALITY: dict[str, Any] = {
    "as_of": "2011-06-10",
    "sources": {
        "till": {
            "table": "transactions",
            "uri": "till.csv",
            "rows": 1000,
            "accepted": 900,
            "quarantined": 100,
            "later": 150,
            "reasons": {"record_id_missing": 90, "amount_unreadable": 10},
            "flagged": {"duplicate": 5, "cancellation": 0},
            "fields": {},
            "notes": ["Dates were read as day/month/year."],
        }
    },
}


def some_prospects(told: list[dict[str, Any]]) -> pa.Table:
    """Four people who have not bought yet; the first of them has a hostile name and a reason."""
    return pa.table(
        {
            "customer_id": [HOSTILE, "p2", "p3", "p4"],
            "p_first_purchase": [0.75, 0.15, 0.06, 0.04],
            "expected_first_value": [60.0, 9.0, 4.0, 2.0],
            "known_by": ["registered", "visiting", "registered", "registered"],
            "reasons": pa.array([[{**why, "task": "prospects"} for why in told], [], [], []], reason_type()),
        }
    )


@pytest.fixture
def make_inputs() -> MakeInputs:
    """Makes the inputs of a page; ``without`` names columns that were not predicted."""

    def make(count: int = 200, without: tuple[str, ...] = (), config: str = "", **others: Any) -> Inputs:
        rng = np.random.default_rng(5)
        value = np.sort(rng.lognormal(3, 1.5, count))[::-1].round(2)
        ids = np.array([HOSTILE, *(f"c{i:05d}" for i in range(1, count))], dtype=object)[:count]
        columns: dict[str, Any] = {
            "customer_id": ids,
            "p_high_value": rng.random(count),
            "expected_value": value,
            "expected_value_low": value / 2,
            "expected_value_high": value * 2,
            "p_churn": rng.random(count),
            "p_intent": rng.random(count) / 2,
            "risk": np.linspace(0, 1, count, endpoint=False),
            "segment": np.array(["高价值 & loyal", "<b>Once</b>"], dtype=object)[rng.integers(0, 2, count)],
            "tier": np.array(["vip", "ordinary", "potential", "lapsed"], dtype=object)[np.arange(count) % 4],
            "lifecycle": np.array(["new", "active", "at risk", "dormant", "gone"], dtype=object)[np.arange(count) % 5],
            "next_action": np.array(["Call <now>", "Rest"], dtype=object)[np.arange(count) % 2],
            "spend_365": value * 2,
            "uplift": rng.normal(0.02, 0.05, count),
        }
        columns = {name: values for name, values in columns.items() if name not in without}
        told = [
            [
                {
                    "task": task,
                    "feature": "days_since_last",
                    "text": f"Days since the last purchase: {i}, usually 8 to 95 - raises the score",
                    "value": float(i),
                    "low": 8.0,
                    "high": 95.0,
                    "contribution": 1.0,
                }
                for task in ("clv", "churn", "intent")
            ]
            if i < 50
            else []
            for i in range(count)
        ]
        texts = {name: pa.array(values.tolist()) for name, values in columns.items() if name in TEXTS}
        table = pa.table({**texts, "reasons": pa.array(told, reason_type())})
        given = {
            "metrics": METRICS,
            "quality": QUALITY,
            "release": {"release": "7-abc", "currency": "GBP", "as_of": "2011-06-10", "code": "0.1.0"},
            "drivers": {"churn": (Driver("Days since the last purchase", 0.8, "the more, the higher"),)},
            "tracking": "sqlite:///data/shop/mlflow.db",
            "prospects": some_prospects(told[0][:1]),
        }
        return Inputs(parse(CONFIG + config, "shop.yaml"), date(2011, 6, 10), columns, table, **(given | others))

    return make
