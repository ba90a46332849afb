"""What moves each score, over all customers, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..explain import importance

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..explain import Parts, Wording


@dataclass(frozen=True)
class Driver:
    """A fact that moves a score: its name, the mean size of what it adds (on the score's link), and the direction."""

    about: str
    size: float
    direction: str


def sample(ids: Sequence[str], most: int) -> list[str]:
    """At most ``most`` customers, evenly spread over all of them in the order of their ids.

    >>> sample(["d", "a", "c", "b", "e"], 3)
    ['a', 'c', 'e']
    """
    ordered = sorted(ids)
    rows = np.unique(np.linspace(0, len(ordered) - 1, min(most, len(ordered))).round().astype(int))
    return [ordered[row] for row in rows.tolist()]


def drivers(
    parts: Parts, columns: Mapping[str, np.ndarray[Any, Any]], words: Mapping[str, Wording], most: int = 8
) -> tuple[Driver, ...]:
    """The largest drivers of one task, by the mean size of their contribution (ties by name).

    Parameters
    ----------
    parts
        Contributions of a sample of customers.
    columns
        The features' values of the same customers, where they are numbers.
    words
        How each feature is spoken of.
    most
        How many are named.
    """
    sizes = {name: size for name, size in importance(parts).items() if size > 0}
    made = []
    for name in list(sizes)[:most]:
        about = words[name].about if name in words else name.replace("_", " ")
        values = parts.values[:, parts.names.index(name)]
        made.append(Driver(about[:1].upper() + about[1:], sizes[name], direction(columns.get(name), values)))
    return tuple(made)


def direction(values: np.ndarray[Any, Any] | None, contributions: np.ndarray[Any, Any]) -> str:
    """Whether more of a feature raises or lowers the score, if it does the one or the other.

    Told by the rank correlation of value and contribution: beyond 0.3 either way.

    >>> direction(np.array([1.0, 2, 3]), np.array([-1.0, 0, 4]))
    'the more, the higher'
    >>> direction(None, np.array([0.0]))
    ''
    """
    if values is None:
        return ""
    seen = np.isfinite(values)
    x, y = _ranks(values[seen]), _ranks(contributions[seen])
    if len(x) < 3 or not x.std() or not y.std():
        return ""
    r = float(np.corrcoef(x, y)[0, 1])
    if abs(r) <= 0.3:
        return "up or down, depending on the rest"
    return "the more, the higher" if r > 0 else "the more, the lower"


def _ranks(values: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Ranks from 0, equal values sharing their mean."""
    _, place, sizes = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(sizes)
    return np.asarray((ends - (sizes + 1) / 2)[place], dtype=np.float64)
