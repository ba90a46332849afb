"""How the segments live: how large each was on which day, and who moved from one to another."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ...models.segments import Segments
    from ..history import Snapshot


def drift(segments: Segments, days: Sequence[Snapshot]) -> dict[str, Any]:
    """The drift of the membership in one segmentation, over the customers of two or more days, oldest first.

    Returns
    -------
    dict
        ``segments`` (names); by day ``days``, ``customers`` (how many) and ``share`` (of each segment); ``moved``, from
        each day to the next, the share of the customers of both who changed segment. Between the last two days, in
        customers: ``moves`` (from segment, to segment), ``arrived`` (who was not there before) by segment.
    """
    count = len(segments.names)
    own = [segments.which(day.features) for day in days]
    ids = [np.array(day.features["customer_id"].to_pylist(), dtype=str) for day in days]
    tables = [moves(*pair, count) for pair in pairwise(zip(ids, own, strict=True))]
    last = tables[-1]
    return {
        "segments": list(segments.names),
        "days": [day.day.isoformat() for day in days],
        "customers": [len(group) for group in own],
        "share": [(np.bincount(group, minlength=count) / max(1, len(group))).tolist() for group in own],
        "moved": [moved(table) for table in tables],
        "moves": last.tolist(),
        "arrived": (np.bincount(own[-1], minlength=count) - last.sum(axis=0)).tolist(),
    }


def moves(
    before: tuple[NDArray[np.str_], NDArray[np.intp]], after: tuple[NDArray[np.str_], NDArray[np.intp]], count: int
) -> NDArray[np.intp]:
    """How many customers of two days were in which segment and then in which, shape (count, count).

    >>> moves((np.array(["a", "b"]), np.array([0, 1])), (np.array(["b", "c", "a"]), np.array([1, 0, 1])), 2).tolist()
    [[0, 1], [0, 1]]
    """
    _, then, now = np.intersect1d(before[0], after[0], assume_unique=True, return_indices=True)
    table = np.bincount(before[1][then] * count + after[1][now], minlength=count * count)
    return table.reshape(count, count)


def moved(table: NDArray[np.intp]) -> float | None:
    """The share of the customers who are in another segment than before; None where nobody was there on both days.

    >>> moved(np.array([[1, 1], [0, 2]]))
    0.25
    """
    everyone = int(table.sum())
    return 1.0 - float(np.trace(table)) / everyone if everyone else None


def refound(one: Segments, other: Segments, day: Snapshot) -> dict[str, float]:
    """How far two segmentations agree on a day's customers: the adjusted Rand index, and the share of equal names."""
    from sklearn.metrics import adjusted_rand_score

    called = [made.predict(day.features)["segment"] for made in (one, other)]
    agreement = adjusted_rand_score(one.which(day.features), other.which(day.features))
    return {"agreement": float(agreement), "same_name": float(np.mean(called[0] == called[1]))}
