"""Whom contact changes: what it brings by the share contacted, those first whom it changes most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .charts import Mark, Plot, axis, path, shares
from .format import count, money, share

if TYPE_CHECKING:
    from collections.abc import Callable

    from .inputs import Inputs

_TOP = 0.3


@dataclass(frozen=True)
class Swayed:
    """What contact changes, in a sentence and a curve."""

    sentence: str
    curve: Plot | None


def swayed(inputs: Inputs) -> Swayed | None:
    """The section's figures; None where uplift was not predicted."""
    if not inputs.has("uplift"):
        return None
    block = inputs.metrics.get("uplift", {})
    points = block.get("curves", {}).get("qini", ())
    model = {name: found["value"] for name, found in block.get("model", {}).items()}
    return Swayed(_sentence(inputs, model), _curve(points, _writer(inputs)) if points else None)


def _writer(inputs: Inputs) -> Callable[[float], str]:
    """What writes a change: a chance in percent, or money."""
    if inputs.in_money:
        return lambda value: money(value, inputs.currency)
    return lambda value: f"-{share(-value)}" if value < 0 else share(value)


def _sentence(inputs: Inputs, model: dict[str, Any]) -> str:
    write, scores = _writer(inputs), inputs.columns["uplift"]
    better, worse = int((scores > 0).sum()), int((scores < 0).sum())
    told = f"Contact is expected to bring more from {count(better)} of {count(inputs.count)} customers"
    told += f", and less from {count(worse)}." if worse else "."
    if model.get("average_effect") is None or model.get("uplift_30") is None:
        return told
    most = float(np.sort(scores)[::-1][: max(1, round(_TOP * scores.size))].mean())
    top = share(_TOP)
    return (
        f"{told} In the test it changed the outcome by {write(model['average_effect'])} on average, and by "
        f"{write(model['uplift_30'])} among the {top} with the highest uplift; today's {top} are expected to change by "
        f"{write(most)}."
    )


def _curve(points: Any, write: Callable[[float], str]) -> Plot:
    heights = [height for _, height in points]
    ticks, place = axis(min([*heights, 0.0]), max([*heights, 0.0]), write)
    top = min(points, key=lambda point: abs(point[0] - _TOP))
    end = heights[-1]
    part = f"the first {share(_TOP)} bring {share(top[1] / end)} of it" if end > 0 and top[1] > 0 else ""
    return Plot(
        path([(x, place(y) / 100) for x, y in points]),
        "",
        path([(0, place(0.0) / 100), (1, place(end) / 100)]),
        shares((0, 0.25, 0.5, 0.75, 1)),
        ticks,
        "share of customers contacted, highest uplift first",
        "brought by contact, per customer of the test",
        (Mark(100 * top[0], place(top[1]), part),),
        "What contact brings by the share contacted; the thin line is an order at random.",
    )
