"""Customers one by one: who stands in the tables and in the list to take away, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..explain import BASE, REST
from .format import money, share
from .words import stage_words, tier_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .inputs import Inputs

Rows = np.ndarray[Any, np.dtype[np.intp]]
"""Positions of customers in the profiles."""

ROWS = 20
"""Customers in a table of the page."""

LIST = 1000
"""Customers in the list to take away."""


@dataclass(frozen=True)
class Why:
    """One reason: whether it raises or lowers the score, what it is, how it is here, and what is usual."""

    up: bool
    effect: str
    about: str
    value: str
    usual: str


@dataclass(frozen=True)
class Person:
    """A customer as a row of a table; positions of the interval are in percent of the widest shown."""

    id: str
    value: str
    low: str
    high: str
    at: float
    left: float
    right: float
    churn: str
    churn_length: float
    stake: str
    tier: str
    tier_name: str
    stage: str
    action: str
    why: tuple[Why, ...]


def ranked(inputs: Inputs) -> Rows:
    """All customers by falling value, else by their chance of high value, else by churn, else by uplift; ties by id."""
    for name in ("expected_value", "p_high_value", "p_churn", "uplift"):
        if inputs.has(name):
            return falling(inputs, inputs.columns[name])
    return falling(inputs, np.zeros(inputs.count))


def at_stake(inputs: Inputs) -> Rows:
    """All customers, those with the most expected spend at risk first (ties by id); nobody where that is not known."""
    if not inputs.has("expected_value", "p_churn"):
        return np.zeros(0, dtype=np.intp)
    return falling(inputs, inputs.at_stake())


def falling(inputs: Inputs, values: np.ndarray[Any, np.dtype[Any]]) -> Rows:
    """Positions by falling value, ties by id."""
    ids = np.argsort(inputs.columns["customer_id"].astype(str), kind="stable")
    return np.asarray(ids[np.argsort(-values[ids], kind="stable")])


def to_take(inputs: Inputs, most: int = LIST) -> Rows:
    """The list to take away: half for those who matter most, the rest for those most at stake, in the tables' order."""
    rows = ranked(inputs)
    stake = at_stake(inputs)
    if not len(stake):
        return rows[:most]
    rows = rows[: most // 2]
    return np.concatenate([rows, stake[~np.isin(stake, rows)][: most - len(rows)]])


def people(inputs: Inputs, rows: Rows, tasks: Iterable[str]) -> tuple[Person, ...]:
    """Customers as rows of a table, with the reasons of the first of these tasks that has any."""
    columns = {name: values[rows] for name, values in inputs.columns.items()}
    reasons = inputs.profiles["reasons"].take(rows).to_pylist()
    tiers, stages = tier_words(inputs.config), stage_words(inputs.config)
    widest = (
        float(columns.get("expected_value_high", columns.get("expected_value", np.ones(1))).max(initial=0.0)) or 1.0
    )
    made = []
    for i in range(len(rows)):
        value, low, high, churn = (
            float(columns[n][i]) if n in columns else None
            for n in ("expected_value", "expected_value_low", "expected_value_high", "p_churn")
        )
        made.append(
            Person(
                str(columns["customer_id"][i]),
                _money(value, inputs),
                _money(low, inputs),
                _money(high, inputs),
                _place(value, widest),
                _place(low, widest),
                _place(high, widest),
                "" if churn is None else share(churn),
                100 * (churn or 0.0),
                _money(None if value is None or churn is None else value * churn, inputs),
                str(columns["tier"][i]),
                tiers[columns["tier"][i]][0],
                stages[columns["lifecycle"][i]][0],
                str(columns["next_action"][i]),
                told(reasons[i] or [], tasks),
            )
        )
    return tuple(made)


def told(reasons: list[Mapping[str, Any]], tasks: Iterable[str], most: int = 3) -> tuple[Why, ...]:
    """The first reasons of the first of these tasks that has any; the rest and the base are not told.

    A reason's text reads ``what it is: value, usually low to high - effect``; a formula's has no value.
    """
    for task in tasks:
        named = [r for r in reasons if r["task"] == task and r["feature"] not in (REST, BASE)]
        if named:
            return tuple(_why(reason) for reason in named[:most])
    return ()


def _why(reason: Mapping[str, Any]) -> Why:
    text, _, effect = reason["text"].rpartition(" - ")
    text, _, usual = text.partition(", usually ")
    about, _, value = text.rpartition(": ")
    if not about:
        about, value = value, ""
    return Why(reason["contribution"] > 0, effect, about, value, usual)


def _money(value: float | None, inputs: Inputs) -> str:
    return "" if value is None else money(value, inputs.currency)


def _place(value: float | None, widest: float) -> float:
    return 0.0 if value is None else round(min(100.0, max(0.0, 100 * value / widest)), 2)
