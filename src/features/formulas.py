"""What formulas have in common: exact integers become doubles, and unknown stays null.

Each gives an Ibis expression of type float64.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..tables import SCALE
from .facts import DAY, double

if TYPE_CHECKING:
    from .facts import Moment

__all__ = [
    "change",
    "count",
    "days_since",
    "deviation",
    "double",
    "exact",
    "known_count",
    "known_money",
    "money",
    "number",
    "ratio",
    "share",
    "square",
]


def number(value: Any) -> Any:
    """A measure as a double; null stays null."""
    return value.cast("float64")


def count(measure: Any) -> Any:
    """How many; of nothing there are 0."""
    return number(measure.coalesce(0))


def known_count(measure: Any, basis: Any) -> Any:
    """How many; 0 where there is no basis (nothing to be counted), null where there is one that does not tell."""
    import ibis

    return number(ibis.ifelse(basis.isnull(), 0, measure))


def money(measure: Any) -> Any:
    """A sum of amounts in currency units; of nothing it is 0."""
    return known_money(measure.coalesce(0))


def known_money(measure: Any) -> Any:
    """An amount in currency units; null stays null."""
    return number(measure) / double(SCALE)


def ratio(part: Any, whole: Any) -> Any:
    """``part / whole``; null where the whole is 0 or unknown."""
    return number(part) / number(whole).nullif(double(0))


def share(part: Any, whole: Any) -> Any:
    """``part / whole`` where nothing of something is 0; null where the whole is 0 or unknown."""
    return ratio(part.coalesce(0), whole)


def change(new: Any, old: Any) -> Any:
    """``(new - old) / (new + old)``: from -1 (has stopped) to 1 (has begun); null where both are 0.

    Both must be 0 or more.
    """
    new, old = new.coalesce(0), old.coalesce(0)
    return ratio(new - old, new + old)


def days_since(second: Any, at: Moment) -> Any:
    """Days, with fractions, from a moment (in seconds) to the snapshot; null stays null."""
    return number(at.second - second) / double(DAY)


def deviation(n: Any, total: Any, squares: Any) -> Any:
    """The sample standard deviation from exact moments; null for fewer than two values.

    ``sqrt((n * squares - total ** 2) / (n * (n - 1)))``, the difference taken in whole numbers (38 digits), where
    nothing cancels and no order of summation shows. ``squares`` comes from :func:`square`.
    """
    n = n.coalesce(0)
    spread = exact(n) * squares - exact(total) * exact(total)
    pairs = number(n) * number(n - 1)
    return (number(spread) / pairs.nullif(double(0))).sqrt()


def exact(value: Any) -> Any:
    """A whole number of up to 19 digits whose products stay exact."""
    import ibis

    return (ibis.literal(value) if isinstance(value, int) else value).cast("decimal(19, 0)")


def square(value: Any) -> Any:
    """The exact square of a whole number."""
    return exact(value) * exact(value)
