"""All days that a training may look back at: the snapshots of a workspace, and the history of each task from them."""

from __future__ import annotations

import zlib
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError, TooFewCustomersError
from ..models.btyd import Diary
from ..workspace import silent
from .built import Built
from .history import History, Snapshot, concerned
from .labels import answers
from .snapshots import plan

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, timedelta

    import ibis
    import pyarrow as pa

    from ..config import Config
    from ..config.settings import TrainingSettings
    from ..features.facts import Population
    from ..features.observations import Attribute
    from ..workspace import Note, Workspace
    from .task import Task

MOST_DIARIES = 20_000


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
