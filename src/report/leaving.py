"""Who is leaving: how the chances are spread, what is at stake, and what drives them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .charts import Bar, Tick, bars, nice_ticks
from .format import big_money, count, share
from .headline import LIKELY

if TYPE_CHECKING:
    from .inputs import Inputs

BANDS = 4


@dataclass(frozen=True)
class Column:
    """A column of a histogram: its height in percent of the highest, and what it says."""

    height: float
    text: str
    strong: bool


@dataclass(frozen=True)
class Leaving:
    """The spread of the churn probabilities, what is at stake per band, and both in a sentence."""

    sentence: str
    columns: tuple[Column, ...]
    ticks: tuple[Tick, ...]
    bands: tuple[Bar, ...]


def leaving(inputs: Inputs) -> Leaving | None:
    """The section's figures; None where churn was not predicted."""
    if not inputs.has("p_churn"):
        return None
    columns, ticks = histogram(inputs.columns["p_churn"])
    return Leaving(_sentence(inputs), columns, ticks, _bands(inputs))


def histogram(chances: np.ndarray, bins: int = 20) -> tuple[tuple[Column, ...], tuple[Tick, ...]]:
    """Columns of equal width from 0 to 1, and the ticks of the axis of counts.

    >>> columns, ticks = histogram(np.array([0.1, 0.1, 0.9]), bins=2)
    >>> [column.height for column in columns], columns[1].text
    ([100.0, 50.0], '50% to 100%: 1 customer')
    """
    sizes, edges = np.histogram(chances, bins=bins, range=(0, 1))
    ends = nice_ticks(0, float(sizes.max()), 5)
    highest = ends[-1]
    made = tuple(
        Column(
            round(100 * int(n) / highest, 3),
            f"{low:.0%} to {high:.0%}: {count(n)} customer{'' if n == 1 else 's'}",
            low >= LIKELY - 1e-9,
        )
        for n, low, high in zip(sizes, edges, edges[1:], strict=False)
    )
    return made, tuple(Tick(100 * end / highest, count(end)) for end in ends if end == int(end))


def _sentence(inputs: Inputs) -> str:
    likely = inputs.columns["p_churn"] >= LIKELY
    text = f"{count(likely.sum())} of {count(inputs.count)} customers are more likely to leave than to stay."
    if inputs.has("spend_365"):
        spend = np.nan_to_num(np.maximum(inputs.columns["spend_365"], 0.0))
        lost = float(spend[likely].sum())
        text += (
            f" In the year before {inputs.as_of:%-d %B %Y} they spent {big_money(lost, inputs.currency)}, "
            f"{share(lost / (float(spend.sum()) or 1))} of what all customers spent."
        )
    return text


def _bands(inputs: Inputs) -> tuple[Bar, ...]:
    """Expected spend at risk in bands of the churn probability; the number of customers where there is no value."""
    churn = inputs.columns["p_churn"]
    band = np.minimum((churn * BANDS).astype(int), BANDS - 1)
    sizes = np.bincount(band, minlength=BANDS)
    has_value = inputs.has("expected_value")
    stakes = np.bincount(band, inputs.at_stake(), BANDS) if has_value else sizes.astype(float)
    rows = []
    for i in range(BANDS):
        text = big_money(stakes[i], inputs.currency) if has_value else count(sizes[i])
        label = f"{i / BANDS:.0%} to {(i + 1) / BANDS:.0%}"
        rows.append((label, f"{count(sizes[i])} customers", float(stakes[i]), text, (i + 0.5) / BANDS >= LIKELY))
    return bars(rows)
