"""How many segments, and where their centres lie: k-means, tried on later days and on customers drawn anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...models.segments import nearest, positions
from .axes import Lessons
from .telling import expected, explained, truths

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ...config import Config
    from ...models.segments import Squash
    from ...workspace import Note
    from ..history import Snapshot

    FloatArray = NDArray[np.float64]

_ROWS = 20_000  # that centres are taken from
_STARTS = 4
_EARLIER = 0.6  # share of the days to fit on
_PRICE = 0.007  # of the variance that each further segment has to explain
_STABLE = 0.8  # adjusted Rand index below which a number of segments counts for less
_SMALLEST = 0.02  # share of the customers that makes a segment


@dataclass(frozen=True)
class Tried:
    """A number of segments: what it explains of later days, how stable it is under resampling, the smallest's share."""

    count: int
    explains: float
    stability: float
    smallest: float

    @property
    def worth(self) -> float:
        """What it explains, less a price for each segment and for what is not stable; handfuls are worth nothing."""
        shaky = max(0.0, _STABLE - self.stability)
        return self.explains - _PRICE * self.count - shaky**2 - (1.0 if self.smallest < _SMALLEST else 0.0)


def try_numbers(snapshots: Sequence[Snapshot], config: Config, note: Note) -> list[Tried]:
    """Every number of segments, made on the earlier of some labelled days, tried on the later."""
    first = max(1, round(_EARLIER * len(snapshots)))
    earlier, later = snapshots[:first], snapshots[first:] or snapshots
    lessons = Lessons.of(earlier)
    anew = [None, *_draws(int(lessons.customer.max()) + 1, config.segments.resamples, config.seed)]
    axes = [lessons.axes(weight) for weight in anew]
    places = [lessons.positions(found) for found in axes]
    distinct = len(np.unique(places[0][_some(len(places[0]))], axis=0))
    limits = config.segments
    counts = [k for k in range(limits.least, limits.most + 1) if k <= distinct] or [max(1, min(2, distinct))]
    tried = []
    for count in counts:
        note(f"segments: {count} of up to {counts[-1]}")
        centres = [
            centres_of(place, count, config.seed, None if weight is None else weight[lessons.customer])
            for place, weight in zip(places, anew, strict=True)
        ]
        tried.append(_tried(lessons.squash, axes, centres, later))
    return tried


def _tried(squash: Squash, axes: list[FloatArray], centres: list[FloatArray], later: Sequence[Snapshot]) -> Tried:
    from sklearn.metrics import adjusted_rand_score

    squashed = [squash(snapshot.features) for snapshot in later]
    own = [nearest(positions(day, axes[0]), centres[0]) for day in squashed]
    shares = [
        explained(truth[known], expected(truth[known], group[known]))
        for snapshot, group in zip(later, own, strict=True)
        for truth in truths(snapshot.outcome).values()
        if (known := np.isfinite(truth)).any()
    ]
    others = (nearest(positions(squashed[-1], a), c) for a, c in zip(axes[1:], centres[1:], strict=True))
    agreed = [float(adjusted_rand_score(own[-1], other)) for other in others]
    count = len(centres[0])
    smallest = float(np.bincount(own[-1], minlength=count).min() / len(own[-1]))
    return Tried(count, float(np.nan_to_num(shares).mean()), float(np.mean(agreed)), smallest)


def centres_of(places: FloatArray, count: int, seed: int, often: FloatArray | None = None) -> FloatArray:
    """Centres of k-means; one thread, so that sums are taken in one order on any machine."""
    import warnings

    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    some = _some(len(places))
    weight = None if often is None else often[some]
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct customers than segments in a resample
        found = KMeans(count, n_init=_STARTS, random_state=seed % 2**31).fit(places[some], sample_weight=weight)
    return np.asarray(found.cluster_centers_, dtype=np.float64)


def _some(rows: int) -> slice:
    """Evenly spaced rows where there are more than centres need."""
    return slice(None, None, -(-rows // _ROWS))


def _draws(customers: int, times: int, seed: int) -> list[FloatArray]:
    """How often each customer is drawn, in bootstrap resamples of the customers."""
    rng = np.random.default_rng(seed)
    drawn = (rng.integers(0, customers, customers) for _ in range(times))
    return [np.bincount(draw, minlength=customers).astype(np.float64) for draw in drawn]
