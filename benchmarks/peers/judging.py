"""Every system's figures, and how custid stands to the best of the others: a paired bootstrap over customers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from custid import metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

OURS = "custid"
ORDERS = {"recency": ("p_churn", "expected_value"), "rfm": ("p_churn", "expected_value"), "past_spend": ("p_churn",)}
"""Scores that are an order and no probability or money; of them only the order is measured."""


class Measure(NamedTuple):
    """A metric: its title, label and score, whether more is better, and whether an order is enough for it."""

    title: str
    label: str
    score: str
    metric: Callable[..., float]
    better: str
    order: bool


MEASURES = (
    Measure("churn AUC", "churned", "p_churn", metrics.auc, "higher", True),
    Measure("Brier", "churned", "p_churn", metrics.brier, "lower", False),
    Measure("ECE", "churned", "p_churn", metrics.ece, "lower", False),
    Measure("norm. Gini", "spend", "expected_value", metrics.gini, "higher", True),
    Measure("capture@10%", "spend", "expected_value", metrics.capture, "higher", True),
    Measure("total bias", "spend", "expected_value", metrics.bias, "near 1", False),
    Measure("MAE", "spend", "expected_value", metrics.mae, "lower", False),
    Measure("Spearman", "spend", "expected_value", metrics.spearman, "higher", True),
    Measure("high-value AP", "high_value", "p_high_value", metrics.average_precision, "higher", True),
)


class Standing(NamedTuple):
    """custid beside the best other system by one measure; ``word`` is better, level or worse."""

    measure: Measure
    rival: str
    theirs: float
    ours: float
    low: float
    high: float
    word: str


def figures(truth: pd.DataFrame, scores: Mapping[str, pd.DataFrame]) -> dict[str, dict[str, float]]:
    """{system: {measure's title: value}} for all that can be measured."""
    return {
        system: {m.title: m.metric(_label(truth, m), _score(said, m)) for m in MEASURES if _has(system, m)}
        for system, said in scores.items()
    }


def standings(truth: pd.DataFrame, scores: Mapping[str, pd.DataFrame], times: int, seed: int) -> list[Standing]:
    """custid beside the best of the others, measure by measure."""
    reached = figures(truth, scores)
    draws = metrics.resamples(len(truth), times, seed)
    found = []
    for m in MEASURES:
        others = {s: _badness(m, values[m.title]) for s, values in reached.items() if s != OURS and m.title in values}
        if not others:
            continue
        best = min(others, key=lambda system: (others[system], system))
        label, ours, theirs = _label(truth, m), _score(scores[OURS], m), _score(scores[best], m)
        gaps = [_badness(m, m.metric(label[i], theirs[i])) - _badness(m, m.metric(label[i], ours[i])) for i in draws]
        low, high = np.percentile(gaps, [2.5, 97.5])
        word = "better" if low > 0 else "worse" if high < 0 else "level"
        found.append(Standing(m, best, reached[best][m.title], reached[OURS][m.title], low, high, word))
    return found


def _badness(m: Measure, value: float) -> float:
    """The smaller the better."""
    return -value if m.better == "higher" else value if m.better == "lower" else abs(value - 1)


def _has(system: str, m: Measure) -> bool:
    return m.order or m.score not in ORDERS.get(system, ())


def _label(truth: pd.DataFrame, m: Measure) -> np.ndarray:
    return truth[m.label].to_numpy(float)


def _score(said: pd.DataFrame, m: Measure) -> np.ndarray:
    return said[m.score].to_numpy(float)
