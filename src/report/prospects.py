"""Prospects: how many are known who have not bought yet, what is expected of them, and who comes first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .charts import Bar, bars
from .format import big_money, count, listing, money, share
from .people import Why, told

if TYPE_CHECKING:
    from .inputs import Inputs

ROWS = 10
EDGES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Chances of a first purchase at which the picture parts them."""
_KNOWN = {"registered": "registered", "visiting": "known from visits alone"}


@dataclass(frozen=True)
class Prospect:
    """A prospect as a row of the table."""

    id: str
    chance: str
    value: str
    known_by: str
    why: tuple[Why, ...]


@dataclass(frozen=True)
class Prospects:
    """The prospects in a sentence, in bands of their chance, and those of whom most is expected."""

    sentence: str
    bands: tuple[Bar, ...]
    rows: tuple[Prospect, ...]


def prospects(inputs: Inputs) -> Prospects | None:
    """The section's figures; None where there is no table of prospects, or nobody in it."""
    table = inputs.prospects
    if table is None or not table.num_rows:
        return None
    chance, value = (table[name].to_numpy() for name in ("p_first_purchase", "expected_first_value"))
    known = np.array(table["known_by"].to_pylist())
    parts = [f"{count((known == name).sum())} {words}" for name, words in _KNOWN.items() if (known == name).any()]
    firsts, spend = count(float(chance.sum())), big_money(float(value.sum()), inputs.currency)
    sentence = (
        f"{count(len(known))} people are known who have not bought yet: {listing(parts)}. Of them, {firsts} first "
        f"purchases and {spend} are expected in the next {inputs.days} days."
    )
    first = np.lexsort((np.array(table["customer_id"].to_pylist()), -value))[:ROWS]
    rows = tuple(
        Prospect(
            row["customer_id"],
            share(row["p_first_purchase"]),
            money(row["expected_first_value"], inputs.currency),
            _KNOWN[row["known_by"]],
            told(row["reasons"], ("prospects",)),
        )
        for row in table.take(first).to_pylist()
    )
    return Prospects(sentence, _bands(chance, value, inputs.currency), rows)


def _bands(chance: np.ndarray, value: np.ndarray, currency: str | None) -> tuple[Bar, ...]:
    """How many there are in each band of the chance, and what is expected of them."""
    which = np.clip(np.searchsorted(EDGES, chance, side="right") - 1, 0, len(EDGES) - 2)
    sizes = np.bincount(which, minlength=len(EDGES) - 1)
    sums = np.bincount(which, value, len(EDGES) - 1)
    return bars(
        [
            (
                f"{low:.0%} to {high:.0%}",
                f"{big_money(float(worth), currency)} expected",
                float(size),
                count(size),
                low >= EDGES[3],
            )
            for low, high, size, worth in zip(EDGES, EDGES[1:], sizes, sums, strict=False)
        ]
    )
