"""The past as training sees it: labelled snapshots, the rows of the day, and a rehearsal further back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..features.facts import Moment
from ..models.btyd import Clock, Diary
from ..models.predictor.encoder import Encoder
from ..models.predictor.rhythm import Rhythm

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, timedelta

    import pyarrow as pa
    from numpy.typing import NDArray

    from ..config import Config
    from .task import Task

FORMULAS = ("mbg_nbd", "pareto_nbd")
"""The formulas that may be a member: those under which a one-time buyer may have left."""
LEVEL_FORMULA = "bg_nbd"
REACH = 730.0
"""Days beyond its day for which a snapshot's clock is set."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What n customers did in a horizon, or what a table says came of them.

    Attributes
    ----------
    ids
        The customers, shape (n,).
    purchases, spend
        Shape (n,) each; NaN where there are no transactions.
    known
        Further answers by name, NaN where there is none: ``ended`` (1: the last open subscription ends), ``label``,
        ``treated`` and ``outcome``.
    """

    ids: NDArray[np.str_]
    purchases: NDArray[np.float64]
    spend: NDArray[np.float64]
    known: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Customers as they stood on a day.

    Attributes
    ----------
    day
        The midnight before which everything was known.
    features
        A row per customer, by ``customer_id``.
    labels
        ``customer_id`` and the answers of :class:`Outcome`, in the same order; None where not known.
    diary
        When they, or a fixed part of many, had bought by then.
    """

    day: date
    features: pa.Table
    labels: pa.Table | None = None
    diary: Diary | None = None

    @cached_property
    def clock(self) -> Clock:
        """How fast the time of purchases went up to the day, and is expected to go."""
        if self.diary is None:
            return Clock.even()
        return Clock.fit(self.diary, float(Moment(self.day).day), REACH)

    @cached_property
    def outcome(self) -> Outcome:
        """The labels as arrays."""
        assert self.labels is not None
        ids = np.array(self.labels["customer_id"].to_pylist(), dtype=str)
        names = [name for name in self.labels.column_names if name != "customer_id"]
        found = {name: self.labels[name].to_numpy().astype(np.float64) for name in names}
        nothing = np.full(ids.size, np.nan)
        return Outcome(ids, found.pop("purchases", nothing), found.pop("spend", nothing), found)

    def take(self, which: NDArray[np.bool_]) -> Snapshot:
        """Some of the customers."""
        import pyarrow as pa

        mask = pa.array(which)
        labels = None if self.labels is None else self.labels.filter(mask)
        return replace(self, features=self.features.filter(mask), labels=labels)


@dataclass(frozen=True, eq=False)
class History:
    """All that may be learnt from.

    Attributes
    ----------
    snapshots
        Labelled, oldest first; every label window has ended by the day of ``latest``.
    latest
        The rows of the day. In a rehearsal they are labelled, for judging and nothing else.
    horizon
        How far predictions look ahead.
    learnt_horizon
        How far the labels of ``snapshots`` do: shorter where the history has no room for the whole.
    rehearsal
        The same as it would have been on the last day whose outcome is known: what is chosen and judged there has
        seen nothing of that outcome. None in a rehearsal, and where the history has no room for one.
    formulas
        Whether buy-till-you-die formulas speak of the question.
    mixed
        Whether the rows have no order in time, so that any part of them is as good as another to be judged on.
    """

    snapshots: tuple[Snapshot, ...]
    latest: Snapshot
    horizon: timedelta
    learnt_horizon: timedelta
    rehearsal: History | None = None
    formulas: bool = True
    mixed: bool = False

    @cached_property
    def encoder(self) -> Encoder:
        """The features that tell customers apart on labelled days."""
        return Encoder.fit([snapshot.features for snapshot in self.snapshots])

    @cached_property
    def rhythm(self) -> Rhythm | None:
        """The likeliest formula for the customers of the day, on its clock."""
        return Rhythm.fit(self.latest.features, FORMULAS, self.latest.clock) if self.formulas else None

    @cached_property
    def level_rhythm(self) -> Rhythm | None:
        """BG/NBD for the customers of the day: the nearest of the formulas in total, if not customer by customer."""
        if not self.formulas:
            return None
        return Rhythm.fit(self.latest.features, [LEVEL_FORMULA], self.latest.clock)

    @cached_property
    def past_rhythms(self) -> tuple[Rhythm | None, ...]:
        """The same formula as it would have been fitted on each snapshot's day."""
        if self.rhythm is None:
            return (None,) * len(self.snapshots)
        kind = self.rhythm.buying.kind
        return tuple(Rhythm.fit(snapshot.features, [kind], snapshot.clock) for snapshot in self.snapshots)


def concerned(history: History, task: Task, config: Config) -> History:
    """The history of those customers whom a task concerns: labelled rows whose label is NaN are left out."""

    def kept(snapshot: Snapshot) -> Snapshot:
        asked = ~np.isnan(task.label(snapshot.outcome, config))
        return snapshot if asked.all() else snapshot.take(asked)

    back = history.rehearsal
    snapshots = tuple(kept(snapshot) for snapshot in history.snapshots)
    if back is not None:
        earlier = tuple(kept(snapshot) for snapshot in back.snapshots)
        held = kept(back.latest)
        if held is not back.latest or any(a is not b for a, b in zip(earlier, back.snapshots, strict=True)):
            back = replace(back, snapshots=earlier, latest=held)
    if back is history.rehearsal and all(a is b for a, b in zip(snapshots, history.snapshots, strict=True)):
        return history
    return replace(history, snapshots=snapshots, rehearsal=back)
