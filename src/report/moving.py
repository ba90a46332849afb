"""Who moves between segments: where the customers of each were on a later day, as shades of one table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from .format import count, share

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .inputs import Inputs


@dataclass(frozen=True)
class Cell:
    """The share of a row's customers, from 0 to 1 and in words, and whether they stayed where they were."""

    part: float
    text: str
    stayed: bool


@dataclass(frozen=True)
class Row:
    """A segment: its number in the columns, its name, its customers on the earlier day, where they were on the later
    one, and its share of all customers on both days.
    """

    number: int
    name: str
    customers: str
    cells: tuple[Cell, ...]
    before: str
    after: str


@dataclass(frozen=True)
class Moving:
    """The table and a sentence about it."""

    sentence: str
    rows: tuple[Row, ...]


def moving(inputs: Inputs) -> Moving | None:
    """Who moved between the last two days on which the segments were looked at; None where that is not known."""
    drift = inputs.metrics.get("segments", {}).get("drift")
    if not drift or not inputs.has("segment"):
        return None
    then, now = (f"{date.fromisoformat(day):%-d %B %Y}" for day in drift["days"][-2:])
    before, after = drift["share"][-2:]
    rows = []
    for number, (name, moves) in enumerate(zip(drift["segments"], drift["moves"], strict=True)):
        total = sum(moves)
        cells = tuple(
            Cell(round(moved / max(1, total), 4), share(moved / max(1, total)), to == number)
            for to, moved in enumerate(moves)
        )
        rows.append(Row(number + 1, name, count(total), cells, share(before[number]), share(after[number])))
    return Moving(_sentence(drift, then, now), tuple(rows))


def _sentence(drift: Mapping[str, Any], then: str, now: str) -> str:
    """How many moved, and how many between the measured days before, where that is known."""
    *earlier, moved = drift["moved"]
    known = [part for part in earlier if part is not None]
    said = []
    if moved is not None:
        said.append(f"From {then} to {now}, {share(moved)} of the customers of both days moved to another segment.")
    if known:
        days = [date.fromisoformat(day) for day in drift["days"][:-1]]
        apart = sorted((after - before).days for before, after in pairwise(days))[len(known) // 2]
        mean = share(sum(known) / len(known))
        said.append(f"Between earlier days, some {apart} days apart, {mean} did each time.")
    return " ".join([*said, "Each row shows where the customers of a segment were later."])
