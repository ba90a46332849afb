"""Parting customers into those who are learnt from and those who are judged, whatever the order of the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ... import metrics
from .observed import draws

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from ...config import Config
    from ..history import History, Outcome, Snapshot

    FloatArray = NDArray[np.float64]

PARTS = 5
HELD = "Judged on a fifth that was held out, the newest where the rows have times, by what was learnt from the rest."


@dataclass(frozen=True, eq=False)
class Split:
    """What is learnt from, what is judged on, and where what is said of it belongs among all that is said."""

    known: tuple[Snapshot, ...]
    unseen: Snapshot
    places: NDArray[np.intp]


def folds(ids: Sequence[str], stratum: FloatArray, *seed: object, parts: int = PARTS) -> NDArray[np.intp]:
    """The part of each row: as many of each stratum in all, by a hash of the ids; rows of one id are in the same.

    >>> sorted(folds(["a", "b", "c", "d", "e"], np.zeros(5), 7).tolist())
    [0, 1, 2, 3, 4]
    """
    drawn = draws(ids, *seed)
    if len(set(ids)) < len(ids):
        return (drawn % np.uint64(parts)).astype(np.intp)
    order = np.lexsort((drawn, stratum))
    part = np.empty(len(ids), dtype=np.intp)
    part[order] = np.arange(len(ids)) % parts
    return part


def thinned(
    part: NDArray[np.intp], ids: Sequence[str], most: int, *seed: object, parts: int = PARTS
) -> NDArray[np.intp]:
    """The same parts with the rows beyond ``most`` in one of their own, numbered ``parts``: no trial needs them all.

    >>> thinned(np.array([0, 1, 0]), ["a", "b", "c"], 2, 7, parts=2).tolist().count(2)
    1
    """
    if part.size <= most:
        return part
    beyond = np.argsort(draws(ids, *seed, "thinned"), kind="stable")[most:]
    kept = part.copy()
    kept[beyond] = parts
    return kept


def splits(history: History, stratum: Callable[[Outcome], FloatArray], seed: int, repeats: int) -> Iterator[Split]:
    """The newest rows against those before; without time, each fifth against the others, ``repeats`` times over."""
    back = history.rehearsal
    assert back is not None
    if not history.mixed:
        yield Split(back.snapshots, back.latest, np.arange(back.latest.features.num_rows))
        return
    rows = history.snapshots[0]
    strata, ids = stratum(rows.outcome), rows.outcome.ids.tolist()
    for repeat in range(repeats):
        part = folds(ids, strata, seed, repeat)
        for number in range(PARTS):
            unseen = part == number
            yield Split((rows.take(~unseen),), rows.take(unseen), np.flatnonzero(unseen) + repeat * len(ids))


def resampled(said: int, customers: int, config: Config) -> list[NDArray[np.int64]]:
    """Bootstrap draws of customers, each with all that was said of them: once per repetition, one after the other."""
    whole = metrics.resamples(customers, config.training.resamples, config.seed)
    return [np.concatenate([draw + start for start in range(0, said, customers)]) for draw in whole]


def spread(values: Sequence[float]) -> str:
    """Mean and standard deviation over the parts.

    >>> spread([0.8, 0.9])
    '0.8500, standard deviation 0.0707 over the parts'
    """
    found = np.array(values)
    return f"{found.mean():.4f}, standard deviation {found.std(ddof=1):.4f} over the parts"


def gap(mine: Sequence[float], theirs: Sequence[float]) -> str:
    """The mean difference, part by part, and its standard error.

    >>> gap([0.8, 0.9], [0.7, 0.9])
    '+0.0500 +- 0.0500'
    """
    found = np.array(mine) - np.array(theirs)
    return f"{found.mean():+.4f} +- {found.std(ddof=1) / np.sqrt(found.size):.4f}"
