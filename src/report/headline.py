"""The figures at the top: how many, how much, how concentrated, who is leaving and what goes with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .format import big_money, count, share
from .words import leaving_means

if TYPE_CHECKING:
    from .inputs import Inputs

LIKELY = 0.5
"""From this chance on, a customer counts as likely leaving."""


@dataclass(frozen=True)
class Tile:
    """A figure, what it is, and a line that says how it is meant."""

    label: str
    figure: str
    about: str
    accent: bool = False


def headline(inputs: Inputs) -> tuple[Tile, ...]:
    """The tiles of the top of the page, as far as what they show was predicted."""
    day = f"{inputs.as_of:%-d %B %Y}"
    known = "bought or subscribed" if inputs.has_history else "observed"
    tiles = [Tile("Customers", count(inputs.count), f"{known} before {day}")]
    if inputs.has("expected_value"):
        tiles += [_spend(inputs), _concentration(inputs)]
    if inputs.has("p_churn"):
        tiles.append(_leaving(inputs))
    if inputs.has("p_churn", "expected_value"):
        tiles.append(_at_stake(inputs))
    return tuple(tiles)


def total_range(total: float, bias: dict[str, float] | None) -> tuple[float, float] | None:
    """The range of a forecast total that the test period speaks for.

    There, the model's total was ``bias`` times the true one, with an interval. The same error now would put the truth
    between ``total / high`` and ``total / low``; the forecast itself is always inside.

    >>> total_range(100.0, {"value": 0.9, "low": 0.8, "high": 1.25})
    (80.0, 125.0)
    >>> total_range(100.0, None)
    """
    if not bias or not (bias.get("low") or 0) > 0 or not (bias.get("high") or 0) > 0:
        return None
    return min(total, total / bias["high"]), max(total, total / bias["low"])


def _spend(inputs: Inputs) -> Tile:
    total = float(inputs.value().sum())
    bounds = total_range(total, inputs.metrics.get("clv", {}).get("model", {}).get("bias"))
    about = "no range: the total was not tested on an earlier period"
    if bounds:
        low, high = (big_money(end, inputs.currency) for end in bounds)
        about = f"{low} to {high}, going by the error on the test period"
    return Tile(f"Expected spend, next {inputs.days} days", big_money(total, inputs.currency), about, accent=True)


def _concentration(inputs: Inputs) -> Tile:
    value = np.sort(inputs.value())[::-1]
    held = float(value[: max(1, round(0.1 * len(value)))].sum() / (value.sum() or 1))
    return Tile("Held by the top 10%", share(held), "of the expected spend")


def _leaving(inputs: Inputs) -> Tile:
    churn = inputs.columns["p_churn"]
    likely = int((churn >= LIKELY).sum())
    return Tile(
        "Likely leaving",
        count(likely),
        f"{share(likely / inputs.count)} of customers: a chance of {share(LIKELY)} or more of "
        f"{leaving_means(inputs.config, inputs.days)}",
    )


def _at_stake(inputs: Inputs) -> Tile:
    stake = float(inputs.at_stake().sum())
    about = "expected spend times the chance of leaving, summed"
    return Tile("Value at risk", big_money(stake, inputs.currency), about)
