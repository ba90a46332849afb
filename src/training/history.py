"""The past as training sees it: labelled snapshots, the rows of the day, and a rehearsal further back."""

from __future__ import annotations

import zlib
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError, TooFewCustomersError
from ..features.facts import Moment
from ..models.btyd import Clock, Diary
from ..models.predictor.encoder import Encoder
from ..models.predictor.rhythm import Rhythm
from ..workspace import silent
from .built import Built
from .labels import answers
from .snapshots import plan

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, timedelta

    import ibis
    import pyarrow as pa
    from numpy.typing import NDArray

    from ..config import Config
    from ..config.settings import TrainingSettings
    from ..features.facts import Population
    from ..features.observations import Attribute
    from ..workspace import Note, Workspace
    from .task import Task

FORMULAS = ("mbg_nbd", "pareto_nbd")
"""The formulas that may be a member: those under which a one-time buyer may have left."""
LEVEL_FORMULA = "bg_nbd"
REACH = 730.0
"""Days beyond its day for which a snapshot's clock is set."""
MOST_DIARIES = 20_000


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


class Archive:
    """All days that a training may look back at: each snapshot is made once, for every task's history.

    Parameters
    ----------
    config, ws
        The run, with its tables and identities.
    as_of
        The day that the models are for.
    note
        Who is told of progress.

    Attributes
    ----------
    latest
        The rows that are scored.
    attributes
        None: the features of a history are those of the families.

    Raises
    ------
    TooFewCustomersError
        Where fewer customers than ``training.min_customers`` have bought or subscribed before ``as_of``.
    InputError
        Where no table of transactions or subscriptions is there.
    """

    attributes: Mapping[str, Attribute] = {}

    def __init__(self, config: Config, ws: Workspace, as_of: date, note: Note = silent) -> None:
        from ..features.observations import HISTORY

        if not HISTORY & set(ws.tables()):
            raise InputError(
                "sources: none fills the table transactions or subscriptions; expected one, to learn what customers do."
            )
        self.config, self.ws, self.note = config, ws, note
        self._built = Built(config, ws, note)
        now = self._built.now
        begins = now["transactions"].ts if "transactions" in now else now["subscriptions"].started_at
        self.first: date = begins.min().execute().date()
        self._made: dict[tuple[date, Population], Snapshot] = {}
        self._histories: dict[str, History] = {}
        self._built.build([as_of, *self._days(as_of, config.needs_horizon(), config.training)])
        self.latest = self._enough(self.snapshot(as_of))

    def of(self, task: Task) -> History:
        """What a task is learnt from: labelled snapshots with its horizon and pace, and the rows of the day."""
        horizon, pace = task.horizon(self.config), task.pace(self.config)
        key = f"{task.who} {horizon.days} {pace.model_dump_json()}" if task.looks_back is None else task.name
        if key not in self._histories:
            self._histories[key] = (
                self._ahead(task.who, horizon, pace) if not task.looks_back else task.looks_back(self)
            )
        return concerned(self._histories[key], task, self.config)

    def _ahead(self, who: Population, horizon: timedelta, pace: TrainingSettings) -> History:
        """The history of customers, or of prospects where a table tells of any."""
        if who == "customers":
            return self.history(self.latest, horizon, pace)
        if not {"customers", "events"} & {*self._built.now}:
            raise InputError(
                "tasks: prospects needs to know people before they buy; expected a source that fills the table "
                "customers (with registered_at) or events, or tasks without prospects."
            )
        return self.history(self.snapshot(self.latest.day, who), horizon, pace, who=who)

    def _enough(self, latest: Snapshot) -> Snapshot:
        least = self.config.training.min_customers
        if latest.features.num_rows < least:
            raise TooFewCustomersError(
                f"as_of {latest.day}: {latest.features.num_rows} customers bought or subscribed before it; expected at "
                f"least {least} (training.min_customers) to learn from."
            )
        return latest

    def history(
        self,
        latest: Snapshot,
        horizon: timedelta,
        pace: TrainingSettings,
        *,
        who: Population = "customers",
        rehearse: bool = True,
    ) -> History:
        """The history before the day of ``latest``, with a rehearsal where there is room for it.

        Raises InputError where it is too short.
        """
        made = plan(self.first, latest.day, horizon, pace)
        if who == "customers":
            self._built.build(self._days(latest.day, horizon, pace))
        labelled = tuple(self.labelled(self.snapshot(day, who), made.learnt) for day in made.days)
        rehearsal = self._rehearsal(labelled, made.learnt, pace, who) if rehearse else None
        return History(labelled, latest, horizon, made.learnt, rehearsal)

    def _days(self, latest: date, horizon: timedelta, pace: TrainingSettings) -> list[date]:
        """The labelled days of a history and of its rehearsal, as far as there is room for them."""
        days: list[date] = []
        with suppress(InputError):
            made = plan(self.first, latest, horizon, pace)
            days += made.days
            days += plan(self.first, made.days[-1], made.learnt, pace).days
        return days

    def _rehearsal(
        self, labelled: tuple[Snapshot, ...], horizon: timedelta, pace: TrainingSettings, who: Population
    ) -> History | None:
        try:
            return self.history(labelled[-1], horizon, pace, who=who, rehearse=False)
        except InputError:
            return None

    def snapshot(self, day: date, who: Population = "customers") -> Snapshot:
        """Features of customers or prospects on a day."""
        if (day, who) not in self._made:
            features, days = self._built.read(day, who)
            self._made[day, who] = Snapshot(day, features, diary=diary(days) if days else None)
        return self._made[day, who]

    def labelled(self, snapshot: Snapshot, horizon: timedelta) -> Snapshot:
        """The same with what came after it."""
        tables = self.tables(snapshot.day)
        return replace(snapshot, labels=answers(tables, snapshot.features, snapshot.day, horizon))

    def tables(self, day: date) -> dict[str, ibis.Table]:
        """The tables, with the customers as they were known on a day; one source's own ids are always known."""
        return self._built.tables(day)


def diary(days: pa.Table) -> Diary:
    """When customers bought, from their days with a purchase; of very many customers, those of a fixed part.

    Examples
    --------
    >>> import pyarrow as pa
    >>> diary(pa.table({"customer_id": ["a", "b", "a"], "day": [5, 6, 9]})).repeats.tolist()
    [1.0, 0.0]
    """
    import pyarrow.compute as pc

    who = pc.dictionary_encode(days["customer_id"].combine_chunks())
    number, day = who.indices.to_numpy().astype(np.intp), days["day"].to_numpy().astype(np.intp)
    if len(who.dictionary) > MOST_DIARIES:
        drawn = np.array([zlib.crc32(str(name).encode()) for name in who.dictionary.to_pylist()], dtype=np.int64)
        chosen = np.full(drawn.size, -1)
        kept = np.sort(np.argsort(drawn, kind="stable")[:MOST_DIARIES])
        chosen[kept] = np.arange(kept.size)
        number, day = chosen[number], day[chosen[number] >= 0]
        number = number[number >= 0]
    return Diary.of(number, day)


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
