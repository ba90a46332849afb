"""The geometry of the charts: where things lie, in percent of the plot, and what stands beside them.

``charts.html`` draws them. Positions in percent let the plots grow and shrink with the page while the text keeps its
size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


@dataclass(frozen=True)
class Tick:
    """A place on an axis (percent) and its text."""

    at: float
    text: str


@dataclass(frozen=True)
class Mark:
    """A point of a plot (percent from the left and from the bottom) and the words that stand at it."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Bar:
    """A bar: its label, a line about it, its length in percent of the longest, and its figure in words."""

    label: str
    about: str
    length: float
    text: str
    strong: bool = True


@dataclass(frozen=True)
class Dot:
    """A row of a dot plot: the estimate and its interval in percent of the axis, and in words."""

    label: str
    at: float
    low: float
    high: float
    text: str
    ours: bool


@dataclass(frozen=True)
class DotPlot:
    """Estimates with their intervals on one axis; ours is the accented one."""

    title: str
    about: str
    better: str
    rows: tuple[Dot, ...]
    ticks: tuple[Tick, ...]


@dataclass(frozen=True)
class Plot:
    """Lines over two axes: SVG paths in percent (the y axis upside down, as SVG has it), ticks and marks."""

    line: str
    area: str
    reference: str
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    x_label: str
    y_label: str
    marks: tuple[Mark, ...]
    summary: str


def nice_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers that cover a range, at most ``most`` of them where the range allows.

    >>> nice_ticks(0.63, 0.81)
    [0.6, 0.65, 0.7, 0.75, 0.8, 0.85]
    >>> nice_ticks(3, 3)
    [3.0, 3.2, 3.4, 3.6, 3.8, 4.0]
    """
    span = high - low or 1.0
    high = low + span
    magnitude = 10.0 ** math.floor(math.log10(span / (most - 1)))
    for factor in (1, 2, 2.5, 5, 10, 20, 25, 50):
        step = factor * magnitude
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        if last - first + 1 <= most:
            break
    return [round(i * step, 12) for i in range(first, max(last, first + 1) + 1)]


def axis(low: float, high: float, text: Callable[[float], str]) -> tuple[tuple[Tick, ...], Callable[[float], float]]:
    """Ticks that cover a range, and what turns a value into its place in percent."""
    values = nice_ticks(low, high)
    first, span = values[0], values[-1] - values[0]

    def place(value: float) -> float:
        return round(min(100.0, max(0.0, 100 * (value - first) / span)), 3)

    return tuple(Tick(place(value), text(value)) for value in values), place


def path(points: Iterable[tuple[float, float]]) -> str:
    """An SVG path through points between 0 and 1.

    >>> path([(0, 0), (0.5, 1)])
    'M0 100L50 0'
    """
    return "M" + "L".join(f"{100 * x:.6g} {100 - 100 * y:.6g}" for x, y in points)


def bars(rows: Sequence[tuple[str, str, float, str, bool]]) -> tuple[Bar, ...]:
    """Bars from (label, about, value, text, strong); the largest is as long as can be."""
    longest = max((abs(row[2]) for row in rows), default=0.0) or 1.0
    return tuple(
        Bar(label, about, round(100 * abs(value) / longest, 3), text, strong)
        for label, about, value, text, strong in rows
    )


def shares(parts: Sequence[float]) -> tuple[Tick, ...]:
    """The ticks of an axis from 0 to 1 in percent."""
    return tuple(Tick(100 * part, f"{100 * part:.0f}%") for part in parts)
