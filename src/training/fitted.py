"""What learning a task takes beside its data, and what it gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import numpy as np
    from numpy.typing import NDArray

    from ..models.bundle import AnyPredictor
    from ..workspace import Note
    from .task import Learner
    from .tune import Tracker

    Members = Sequence[tuple[Learner, Mapping[str, Any]]]


@dataclass(frozen=True)
class Means:
    """What an estimator works with beside its data.

    Attributes
    ----------
    storage
        Where Optuna keeps the search: an SQLAlchemy address.
    tracker
        Who is told of each finished trial.
    note
        Who is told of progress.
    warm
        The members of the last champion's model: where a search begins.
    """

    storage: str
    tracker: Tracker
    note: Note
    warm: Members = ()


@dataclass(frozen=True, eq=False)
class Fitted:
    """What training a task gives.

    Attributes
    ----------
    task, predictor
        What was learnt, and the predictor, from all labelled rows.
    judged
        The predictor that was judged, learnt from nothing but what was known on the held-out day; None where nothing
        could be held out, and for segments.
    metrics, baselines
        On the held-out snapshot: ``{metric: {"value", "low", "high"}}``, and the same by baseline.
    snapshot, n
        The held-out day, and how many customers it had.
    params
        What was chosen: kinds of members, their parameters and weights.
    figures
        Plotly figures by name.
    chosen
        The blend in words.
    notes
        Sentences that a reader of the figures must know.
    curves
        The points behind the figures.
    more
        Further parts of the task's block of ``metrics.json``.
    seen
        Truth and score of those who were judged, where the judged predictor did not say them all.
    """

    task: str
    predictor: AnyPredictor
    judged: AnyPredictor | None
    metrics: Mapping[str, Mapping[str, float | None]]
    baselines: Mapping[str, Mapping[str, Mapping[str, float | None]]]
    snapshot: date
    n: int
    params: Mapping[str, Any]
    figures: Mapping[str, Any]
    chosen: str
    notes: tuple[str, ...]
    curves: Mapping[str, Any]
    more: Mapping[str, Any] = field(default_factory=dict)
    seen: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
