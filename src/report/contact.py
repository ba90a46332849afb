"""Whom it pays to contact: profit by the share of customers contacted, those most likely to leave first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .charts import Mark, Plot, axis, path, shares
from .format import money, share

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .inputs import Inputs


@dataclass(frozen=True)
class Contact:
    """The profit that contact brings, in a sentence and a curve."""

    sentence: str
    curve: Plot


def contact(inputs: Inputs) -> Contact | None:
    """The block's figures; None where no profit was measured."""
    block = inputs.metrics.get("churn", {})
    points = block.get("curves", {}).get("profit", ())
    model = {name: found["value"] for name, found in block.get("model", {}).items()}
    if not points or model.get("emp") is None:
        return None
    part = float(model["contact_share"])
    return Contact(_sentence(inputs, model, _best_baseline(block)), _curve(inputs, points, part))


def _sentence(inputs: Inputs, model: Mapping[str, Any], rival: float | None) -> str:
    costs = inputs.config.churn
    worth = money(model["emp"], inputs.currency)
    told = f"Contacting {share(model['contact_share'])} of customers pays best: {worth} per customer"
    if rival is not None:
        told += f", {money(rival, inputs.currency)} with the best baseline's order"
    lowest = model["contact_from"]
    told += f". Contact those with a chance of leaving of {share(lowest)} or more." if lowest <= 1 else "."
    return (
        f"{told} A customer who stays counts {money(costs.value, inputs.currency)}, an offer "
        f"{money(costs.offer_cost, inputs.currency)}, a contact {money(costs.contact_cost, inputs.currency)}; "
        f"{share(costs.accept_alpha / (costs.accept_alpha + costs.accept_beta))} of leavers accept, on average."
    )


def _best_baseline(block: Mapping[str, Any]) -> float | None:
    found = [b["emp"]["value"] for b in block.get("baselines", {}).values() if b.get("emp")]
    return max((value for value in found if value is not None), default=None)


def _curve(inputs: Inputs, points: Any, part: float) -> Plot:
    profits = [profit for _, profit in points]
    ticks, place = axis(min(profits), max(profits), lambda value: money(value, inputs.currency))
    at = min(points, key=lambda point: abs(point[0] - part))
    zero = place(0.0) / 100
    return Plot(
        path([(x, place(y) / 100) for x, y in points]),
        "",
        path([(0, zero), (1, zero)]),
        shares((0, 0.25, 0.5, 0.75, 1)),
        ticks,
        "share of customers contacted, those most likely to leave first",
        "profit per customer",
        (Mark(100 * at[0], place(at[1]), f"contact {share(part)}"),),
        f"Profit per customer by the share contacted; it is best around {share(part)}.",
    )
