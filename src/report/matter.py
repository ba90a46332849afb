"""Who matters: how concentrated the value is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .charts import Mark, Plot, path, shares
from .format import share

if TYPE_CHECKING:
    from .inputs import Inputs


@dataclass(frozen=True)
class Matter:
    """Concentration of the expected spend, in a sentence and a curve."""

    sentence: str
    curve: Plot


def lorenz(values: np.ndarray[Any, np.dtype[np.float64]], points: int = 100) -> list[tuple[float, float]]:
    """The share of the total that is held by the top shares of customers, from (0, 0) to (1, 1).

    Parameters
    ----------
    values
        One amount per customer, none negative, with a sum above 0.
    points
        How many points the curve has at most, the origin left out.

    Examples
    --------
    >>> lorenz(np.array([1.0, 3.0]))
    [(0.0, 0.0), (0.5, 0.75), (1.0, 1.0)]
    """
    held = np.cumsum(np.sort(values)[::-1])
    ends = np.unique(np.ceil(np.linspace(0, 1, points + 1)[1:] ** 1.5 * len(values)).astype(int))
    return [(0.0, 0.0), *((float(k / len(values)), float(held[k - 1] / held[-1])) for k in ends)]


def matter(inputs: Inputs) -> Matter | None:
    """How concentrated the expected spend is; None where it was not predicted or is nothing."""
    if not inputs.has("expected_value") or not inputs.value().sum() > 0:
        return None
    value = np.sort(inputs.value())[::-1]
    held = np.cumsum(value) / value.sum()
    marks = []
    for part in (0.01, 0.1, 0.3):
        k = max(1, round(part * len(value)))
        marks.append((k / len(value), float(held[k - 1]), part))
    half = int(np.searchsorted(held, 0.5)) + 1
    summary = "; ".join(f"the top {part:.0%} hold {share(y)}" for _, y, part in marks)
    curve = Plot(
        path(lorenz(value)),
        path([*lorenz(value), (1.0, 0.0)]) + "Z",
        path([(0, 0), (1, 1)]),
        shares((0, 0.25, 0.5, 0.75, 1)),
        shares((0, 0.25, 0.5, 0.75, 1)),
        "customers, those expected to spend most first",
        "expected spend that they hold",
        tuple(Mark(100 * x, 100 * y, f"top {part:.0%} hold {share(y)}") for x, y, part in marks),
        summary[:1].upper() + summary[1:] + ".",
    )
    sentence = f"Half of the expected spend comes from {half:,} customers, {share(half / len(value))} of all."
    return Matter(sentence, curve)
