"""What segments are called, and a line on each, in a marketer's words: how often, how much, how lately, what came."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...metrics import ranks
from ...models.predictor.encoder import numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ..history import Snapshot

    FloatArray = NDArray[np.float64]

_OFTEN = ((0.92, "Most frequent buyers"), (0.78, "Frequent buyers"), (0.6, "Regular buyers"))  # from mean places on
_HIGH, _LOW = 0.6, 0.4  # beyond these, its orders are large or small, and its silences long or short
_PLAIN = 10  # from here on numbers are told without decimals
_SAID = (("less likely to return", "likelier to return"), ("spending less", "spending more"))


@dataclass(frozen=True)
class Portrait:
    """The middle customer of a segment, and what came of its customers.

    Attributes
    ----------
    purchases, order, silent
        Of the middle customer: purchases so far, the mean amount of one, and days since the last.
    purchases_place, order_place, silent_place
        Where the customers lie among all, on average: the share of all who lie below. Means of places move less from
        month to month than middles do, and so do the names that are made of them.
    gone
        The share who bought nothing in the horizon.
    spent
        What those who bought spent, in the middle; None where nobody bought.
    """

    purchases: float
    purchases_place: float
    order: float
    order_place: float
    silent: float
    silent_place: float
    gone: float
    spent: float | None


def portraits(snapshots: Sequence[Snapshot], groups: Sequence[NDArray[np.intp]], count: int) -> list[Portrait]:
    """The portrait of each of ``count`` groups over labelled days; ``groups`` numbers each day's customers.

    An empty group is told as everyone.
    """
    group = np.concatenate(groups)
    purchases, order, silent = (
        _Fact.of(np.concatenate([numbers(snapshot.features, name, default) for snapshot in snapshots]))
        for name, default in (("purchases", 0.0), ("spend_mean", 0.0), ("days_since_last", 1e6))
    )
    bought = np.concatenate([snapshot.outcome.purchases for snapshot in snapshots]) > 0
    spend = np.concatenate([snapshot.outcome.spend for snapshot in snapshots])
    found = []
    for number in range(count):
        inside = group == number if (group == number).any() else group >= 0
        spent = spend[inside & bought]
        found.append(
            Portrait(
                *(*purchases.told(inside), *order.told(inside), *silent.told(inside)),
                gone=1.0 - float(bought[inside].mean()),
                spent=float(np.median(spent)) if spent.size else None,
            )
        )
    return found


@dataclass(frozen=True, eq=False)
class _Fact:
    """A fact of all rows, and the share of all rows that lie below each; ties count half."""

    values: FloatArray
    place: FloatArray

    @classmethod
    def of(cls, values: FloatArray) -> _Fact:
        return cls(values, (ranks(values) - 0.5) / values.size)

    def told(self, inside: NDArray[np.bool_]) -> tuple[float, float]:
        """The middle, and the mean place, of some rows."""
        return float(np.median(self.values[inside])), float(self.place[inside].mean())


def names(found: Sequence[Portrait], centres: FloatArray) -> tuple[str, ...]:
    """A different name for each segment: who they are, and what their orders and their silence are like.

    Those that would be called the same are told apart by the axis on which they differ most, as :data:`_SAID`.

    >>> often = Portrait(9.0, 0.95, 40.0, 0.6, 8.0, 0.1, 0.1, 300.0)
    >>> once = Portrait(1.0, 0.2, 15.0, 0.2, 200.0, 0.8, 0.9, 20.0)
    >>> names([often, once, once], np.array([[1.0, 0.0], [-0.5, 0.1], [-1.0, 0.1]]))[1:]
    ('One-time buyers, small orders, long silent, likelier to return', \
'One-time buyers, small orders, long silent, less likely to return')
    """
    called = [_called(portrait) for portrait in found]
    often = Counter(called)
    unique = list(called)
    for name in sorted(often):
        if often[name] > 1:
            alike = [number for number, other in enumerate(called) if other == name]
            for number, added in zip(alike, _apart(centres[alike]), strict=True):
                unique[number] = f"{name}{added}"
    return tuple(unique)


def _called(portrait: Portrait) -> str:
    who = next((word for least, word in _OFTEN if portrait.purchases_place >= least), "Occasional buyers")
    words = ("One-time buyers" if portrait.purchases <= 1 else who, _size(portrait), _silence(portrait))
    return ", ".join(word for word in words if word)


def _size(portrait: Portrait) -> str:
    place = portrait.order_place
    return "large orders" if place >= _HIGH else "small orders" if place <= _LOW else ""


def _silence(portrait: Portrait) -> str:
    place = portrait.silent_place
    return "long silent" if place >= _HIGH else "bought lately" if place <= _LOW else ""


def _apart(centres: FloatArray) -> list[str]:
    """What to add to the names of segments that are called the same; numbers where there are more than two."""
    axis = int(np.argmax(np.ptp(centres, axis=0)))
    place = np.argsort(np.argsort(-centres[:, axis], kind="stable"), kind="stable")
    if len(centres) > len(_SAID[axis]):
        return [f" ({number + 1})" for number in place]
    return [f", {_SAID[axis][1 - number]}" for number in place]


def line(portrait: Portrait, days: int) -> str:
    """A line on a segment: its middle customer, and what came of such customers.

    >>> line(Portrait(3.0, 0.6, 1304.4, 0.9, 46.2, 0.4, 0.672, 250.0), 90)
    'typically 3 purchases of 1,304, the last 46 days ago; 67% bought nothing in the next 90 days, the others spent 250'
    """
    times = "1 purchase" if round(portrait.purchases) == 1 else f"{portrait.purchases:,.0f} purchases"
    text = f"typically {times} of {_number(portrait.order)}, the last {portrait.silent:,.0f} days ago; "
    text += f"{portrait.gone:.0%} bought nothing in the next {days} days"
    return text if portrait.spent is None else f"{text}, the others spent {_number(portrait.spent)}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= _PLAIN else f"{value:.1f}".removesuffix(".0")
