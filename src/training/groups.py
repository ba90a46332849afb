"""Segments: how many, how stable, what they are called, and how much of the future they tell apart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import metrics
from ..models.segments import Scaling, Segments, describe, name_segments, nearest
from . import figures
from .baselines import rfm_points

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from ..config import Config
    from ..workspace import Note
    from .history import History, Outcome, Snapshot
    from .tune import Tracker

    FloatArray = NDArray[np.float64]

_SAMPLE = 3_000
_STARTS = 4
_STABLE = 0.6
_STABLE_ENOUGH = 0.8  # beyond it, more stability is not worth fewer segments
_SMALLEST = 0.02  # share of the customers that makes a segment


@dataclass(frozen=True, eq=False)
class Grouped:
    """A segmentation with its metrics."""

    segments: Segments
    metrics: Mapping[str, Mapping[str, float | None]]
    baselines: Mapping[str, Mapping[str, Mapping[str, float | None]]]
    figures: Mapping[str, Any]
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Tried:
    """Centres of one number of segments, how well they are parted, how stable they are under resampling, the share of
    the smallest, and how much of an earlier day's outcome they explain.
    """

    centres: FloatArray
    silhouette: float
    stability: float
    smallest: float
    explains: float = 0.0

    @property
    def worth(self) -> float:
        """Parted, stable and telling; a number that makes a segment of a handful is worth less than any other."""
        good = (self.silhouette + min(self.stability, _STABLE_ENOUGH)) / 2 + self.explains
        return good - (1.0 if self.smallest < _SMALLEST else 0.0)


def fit_segments(history: History, config: Config, tracker: Tracker, note: Note) -> Grouped:
    """Choose the number of segments, name them, and say how much of later spend and churn they tell apart.

    The number is taken with the best mean of silhouette and stability, plus the share of the variance of later churn
    and log spend that lay between the segments on the last day that was labelled before the held-out one; the smaller
    of equal ones. Stability is the mean adjusted Rand index between the segments of all customers and those of
    resampled ones, counted up to 0.8 (Hennig 2007, Cluster-wise assessment of cluster stability, CSDA 52). What is
    judged is the segmentation as it would have been made on the held-out day.
    """
    past = history.rehearsal.snapshots[-1] if history.rehearsal is not None else None
    segments, tried, best = _choose(history.latest.features, past, config, note)
    for number, found in enumerate(tried):
        reached = {name: getattr(found, name) for name in ("silhouette", "stability", "smallest", "explains")}
        tracker.trial(number, {"k": len(found.centres)}, reached, "COMPLETE")
    model, others, notes = _judge(past, segments, history, config, note)
    model["silhouette"] = {"value": best.silhouette, "low": None, "high": None}
    model["stability"] = {"value": best.stability, "low": None, "high": None}
    if best.stability < _STABLE:
        shaky = f"The segments are not stable: resampled ones agree to {best.stability:.2f} (adjusted Rand index)."
        notes = (*notes, shaky)
    counts = [len(found.centres) for found in tried]
    drawn = {"number": figures.choice(counts, [t.silhouette for t in tried], [t.stability for t in tried])}
    return Grouped(segments, model, others, drawn, notes)


def _choose(
    features: pa.Table, past: Snapshot | None, config: Config, note: Note
) -> tuple[Segments, list[_Tried], _Tried]:
    """The segments of some customers, what was tried for them, and what was taken."""
    scaling = Scaling.fit(features)
    positions = scaling(features)
    distinct = len(np.unique(positions, axis=0))
    settings, tried = config.segments, []
    counts = [k for k in range(settings.least, settings.most + 1) if k <= distinct] or [max(1, min(2, distinct))]
    for k in counts:
        note(f"segments: {k} of up to {counts[-1]}")
        found = _try(positions, k, settings.resamples, config.seed)
        tried.append(replace(found, explains=_explains(scaling, found.centres, past)))
    best = max(tried, key=lambda found: found.worth)
    order = np.argsort(-_level(features, positions, best.centres), kind="stable")
    centres = best.centres[order]
    names = name_segments(scaling.columns, centres - positions.mean(axis=0))
    about = tuple(f"typically: {describe(scaling.columns, values)}" for values in scaling.values(centres))
    return Segments(scaling, centres, names, about, _usual(scaling, features)), tried, best


def _try(positions: FloatArray, k: int, resamples: int, seed: int) -> _Tried:
    from sklearn.metrics import adjusted_rand_score, silhouette_score

    centres = _means(positions, k, seed)
    own = nearest(positions, centres)
    agreed = []
    for draw in metrics.resamples(len(positions), resamples, seed):
        other = nearest(positions, _means(positions[draw], k, seed))
        agreed.append(float(adjusted_rand_score(own, other)))
    sample = np.linspace(0, len(positions) - 1, min(len(positions), _SAMPLE)).astype(int)
    several = len(np.unique(own[sample])) > 1
    silhouette = float(silhouette_score(positions[sample], own[sample])) if several else 0.0
    smallest = float(np.bincount(own, minlength=k).min() / len(own))
    return _Tried(centres, silhouette, float(np.mean(agreed)), smallest)


def _explains(scaling: Scaling, centres: FloatArray, past: Snapshot | None) -> float:
    """The mean share of later churn and log spend between segments, on a day that the judging does not see."""
    if past is None:
        return 0.0
    own = nearest(scaling(past.features), centres).astype(np.float64)
    shares = [explained(truth, own) for truth in _outcomes(past.outcome)]
    return float(np.mean(np.nan_to_num(shares)))


def _outcomes(outcome: Outcome) -> tuple[FloatArray, FloatArray]:
    """Who was gone, and the logarithm of the spend."""
    return (outcome.purchases == 0).astype(np.float64), np.log1p(np.maximum(outcome.spend, 0.0))


def _means(positions: FloatArray, k: int, seed: int) -> FloatArray:
    """Centres of k-means; one thread, so that sums are taken in one order on any machine."""
    import warnings

    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    some = positions[:: max(1, len(positions) // 20_000)]
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct customers than segments in a resample
        found = KMeans(k, n_init=_STARTS, random_state=seed % 2**31).fit(some)
    return np.asarray(found.cluster_centers_, dtype=np.float64)


def _level(features: Any, positions: FloatArray, centres: FloatArray) -> FloatArray:
    """Mean past spend by segment: the order in which they are listed."""
    from ..models.predictor.encoder import numbers

    own = nearest(positions, centres)
    spent = numbers(features, "spend_total", 0.0)
    counts = np.maximum(np.bincount(own, minlength=len(centres)), 1)
    return np.bincount(own, spent, len(centres)) / counts


def _usual(scaling: Scaling, features: Any) -> dict[str, tuple[float, float, float]]:
    from ..models.predictor.encoder import Encoder

    matrix = Encoder(scaling.columns, {}).matrix(features)
    found = {}
    for name, column in zip(scaling.columns, matrix.T, strict=True):
        known = column[~np.isnan(column)]
        if known.size:
            low, mid, high = np.percentile(known, [10, 50, 90]).tolist()
            found[name] = (low, mid, high)
    return found


def _judge(
    past: Snapshot | None, segments: Segments, history: History, config: Config, note: Note
) -> tuple[dict[str, Any], dict[str, Any], tuple[str, ...]]:
    """How much of later spend and churn the groups of the held-out day tell apart, beside cells of RFM points."""
    notes: list[str] = []
    if history.rehearsal is not None:
        held = history.rehearsal.latest
        segments, _, _ = _choose(held.features, past, config, note)
    else:
        held = history.snapshots[-1]
        notes.append(
            "The history has no room for a day held out: the segments are judged on one whose outcome they know."
        )
    draws = metrics.resamples(held.features.num_rows, config.training.resamples, config.seed)
    ours, cells = segments.which(held.features), rfm_points(held.features).astype(np.intp)
    gone, _ = _outcomes(held.outcome)
    low, high = metrics.paired(explained, gone, ours.astype(np.float64), cells.astype(np.float64), draws)
    place = "beat" if low > 0 else "do not beat" if high < 0 else "are level with"
    notes.append(
        f"The segments {place} cells of RFM points in telling who leaves (95 % of the paired difference in "
        f"churn_explained: {low:+.3f} to {high:+.3f})."
    )
    return _told(ours, held.outcome, draws), {"rfm": _told(cells, held.outcome, draws)}, tuple(notes)


def _told(group: NDArray[np.intp], outcome: Outcome, draws: Any) -> dict[str, Any]:
    scores = group.astype(np.float64)
    gone, spent = _outcomes(outcome)
    churn = metrics.measure({"churn_explained": explained}, gone, scores, draws)
    return churn | metrics.measure({"spend_explained": explained}, spent, scores, draws)


def explained(truth: FloatArray, group: FloatArray) -> float:
    """The share of the variance of ``truth`` that lies between groups, corrected for their number (epsilon squared).

    >>> round(explained(np.array([1.0, 1, 5, 5]), np.array([0.0, 0, 1, 1])), 6)
    1.0
    """
    total = float(((truth - truth.mean()) ** 2).sum())
    if total == 0:
        return float("nan")
    _, which, counts = np.unique(group, return_inverse=True, return_counts=True)
    means = np.bincount(which, truth) / counts
    within = float(((truth - means[which]) ** 2).sum())
    free = truth.size - counts.size
    return 1.0 - (within / free) / (total / (truth.size - 1)) if free > 0 else float("nan")
