"""Segments: cut where futures differ, named, and judged by how much of the future they tell apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...models.predictor.encoder import Encoder
from ...models.segments import Segments, nearest, positions
from .. import figures
from ..baselines import rfm_points
from .axes import Lessons
from .centres import centres_of, try_numbers
from .movement import drift, refound
from .naming import line, names, portraits
from .telling import compare, rfm_cells

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ...config import Config
    from ...models.segments import Squash
    from ...workspace import Note
    from ..history import History, Snapshot
    from ..tune import Tracker
    from .centres import Tried

    FloatArray = NDArray[np.float64]

_SHAKY = 0.6  # adjusted Rand index below which the notes say so
_TOLD = {
    "churn_explained": "who leaves",
    "spend_explained": "how much is spent",
    "amount_explained": "how much those spend who buy",
}


@dataclass(frozen=True, eq=False)
class Grouped:
    """A segmentation with its metrics; ``more`` is what metrics.json tells of it beside them."""

    segments: Segments
    metrics: Mapping[str, Mapping[str, float | None]]
    baselines: Mapping[str, Mapping[str, Mapping[str, float | None]]]
    figures: Mapping[str, Any]
    notes: tuple[str, ...]
    more: Mapping[str, Any]


def fit_segments(history: History, config: Config, tracker: Tracker, note: Note) -> Grouped:
    """Cut customers into groups where their futures differ.

    Customers stand in a space of two axes that are learnt from labelled days
    (:class:`~custid.training.segments.axes.Lessons`):
    how likely they are to buy again, and how much. Segments are the cells of k-means centres in it (Lloyd 1982, IEEE
    Transactions on Information Theory 28). Their number is chosen once, on days before the held-out one: what centres
    of the earlier days explain on the later, less a price for each, where customers drawn anew give the same segments
    (mean adjusted Rand index; Hennig 2007, CSDA 52). What is judged has seen nothing of the held-out day's outcome;
    what is given is made anew, with that number, from all labelled days.
    """
    back = history.rehearsal
    seen = back if back is not None else history
    tried = try_numbers(seen.snapshots, config, note)
    for number, found in enumerate(tried):
        reached = {name: getattr(found, name) for name in ("explains", "stability", "smallest", "worth")}
        tracker.trial(number, {"k": found.count}, reached, "COMPLETE")
    best = max(tried, key=lambda found: found.worth)
    segments = make(history, best.count, config.seed)
    judged = make(back, best.count, config.seed) if back is not None else segments
    model, baselines, more, notes = _told(judged, segments, history, config)
    model["stability"] = _plain(best.stability)
    if best.stability < _SHAKY:
        shaky = f"The segments are not stable: resampled ones agree to {best.stability:.2f} (adjusted Rand index)."
        notes = (*notes, shaky)
    return Grouped(segments, model, baselines, _figures(tried, model, baselines, more), notes, more)


def make(history: History, count: int, seed: int) -> Segments:
    """That many segments, from all labelled days of a history; those who are likeliest to spend much come first."""
    lessons = Lessons.of(history.snapshots)
    axes = lessons.axes()
    centres = centres_of(lessons.positions(axes), count, seed)
    centres = centres[np.lexsort((-centres[:, 1], -centres.sum(axis=1)))]
    squashed = [lessons.squash(snapshot.features) for snapshot in history.snapshots]
    groups = [nearest(positions(day, axes), centres) for day in squashed]
    found = portraits(history.snapshots, groups, count)
    about = tuple(line(portrait, history.learnt_horizon.days) for portrait in found)
    return Segments(lessons.squash, axes, centres, names(found, centres), about, _usual(lessons.squash, history.latest))


def _usual(squash: Squash, day: Snapshot) -> dict[str, tuple[float, float, float]]:
    matrix = Encoder(squash.columns, {}).matrix(day.features)
    found = {}
    for name, column in zip(squash.columns, matrix.T, strict=True):
        known = column[~np.isnan(column)]
        if known.size:
            low, mid, high = np.percentile(known, [10, 50, 90]).tolist()
            found[name] = (low, mid, high)
    return found


def _told(
    judged: Segments, segments: Segments, history: History, config: Config
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any], tuple[str, ...]]:
    """What the held-out day's segments tell of what came, and how those in use live."""
    back = history.rehearsal
    held = back.latest if back is not None else history.snapshots[-1]
    points, cells = rfm_points(held.features).astype(np.intp), rfm_cells(held.features)
    others = {"rfm": points, "rfm_cells": cells}
    ours = judged.which(held.features)
    model, baselines, ahead = compare(held.outcome, ours, others, config.training.resamples, config.seed)
    moving = drift(segments, [*history.snapshots, history.latest])
    again = refound(judged, segments, history.latest)
    model |= {"moved": _plain(moving["moved"][-1]), "refound": _plain(again["agreement"])}
    model["same_name"] = _plain(again["same_name"])
    sizes = {name: len(np.unique(group)) for name, group in {"segments": ours, **others}.items()}
    about = dict(zip(segments.names, segments.about, strict=True))
    more = {"about": about, "ahead": ahead, "groups": sizes, "drift": moving}
    notes = [_verdict(ahead["rfm"], f"the {sizes['rfm']} groups of RFM points")]
    notes.append(_verdict(ahead["rfm_cells"], f"the {sizes['rfm_cells']} RFM cells with customers"))
    if back is None:
        notes.append(
            "The history has no room for a day held out: the segments are judged on one whose outcome they know."
        )
    return model, baselines, more, tuple(notes)


def _verdict(ahead: Mapping[str, Any], others: str) -> str:
    said = []
    for metric, what in _TOLD.items():
        gap = ahead.get(metric, {})
        if gap.get("low") is None:
            said.append(f"{what} cannot be told apart, all did the same")
            continue
        place = "ahead" if gap["low"] > 0 else "behind" if gap["high"] < 0 else "level"
        said.append(f"{place} in telling {what} ({gap['low']:+.3f} to {gap['high']:+.3f})")
    return f"The segments beside {others}: {', '.join(said)}; 95 % of the paired difference of the shares explained."


def _plain(value: float | None) -> dict[str, float | None]:
    return {"value": value, "low": None, "high": None}


def _figures(
    tried: Sequence[Tried], model: Mapping[str, Any], baselines: Mapping[str, Any], more: Mapping[str, Any]
) -> dict[str, Any]:
    counts = [found.count for found in tried]
    return {
        "number": figures.choice(counts, [t.explains for t in tried], [t.stability for t in tried]),
        "explained": figures.explained({"segments": model, **baselines}, more["groups"]),
        "sizes": figures.sizes(more["drift"]),
        "moves": figures.moves(more["drift"]),
    }
