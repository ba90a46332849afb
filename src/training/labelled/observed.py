"""Observations, each with its answer, as a history of one day that training can learn from."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ...asof import midnight
from ...errors import DataError, TooFewCustomersError
from ...features.observations import alone, attributes, features_of
from ...workspace import silent
from ..archive import Archive
from ..history import History, Snapshot, concerned

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import ibis
    import pyarrow as pa
    from numpy.typing import NDArray

    from ...config import Config
    from ...features.observations import Attribute
    from ...workspace import Note, Workspace
    from ..task import Task

ANSWERS = ("label", "treated", "outcome")
_HELD_OUT = 5  # one part of so many
_VAST = 100_000  # rows of which a fifth tells as much as all of them, part by part
_LEAST = 20  # rows with an answer
_FEWEST = 50  # rows whose answers were known on the held-out day, or of each group of a campaign


class Observed:
    """Observations with their answers, as an archive of one day.

    Where the rows say when they were observed and that differs, the newest fifth is held out; else a fifth of the
    customers, by a hash of their ids.

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
        Each customer as last observed: the rows that are scored.
    attributes
        What each attribute holds.

    Raises
    ------
    TooFewCustomersError
        Where fewer customers than ``training.min_customers`` were observed.
    """

    def __init__(self, config: Config, ws: Workspace, as_of: date, note: Note = silent) -> None:
        from ...features.table import build, collect, connect, open_tables

        self.config, self.ws, self.note = config, ws, note
        tables = open_tables(connect(config), config, ws)
        found = tables["observations"]
        self.attributes: Mapping[str, Attribute] = attributes(found.schema().to_pyarrow())
        self.latest = Snapshot(as_of, collect(build(tables, as_of)))
        self._rows, self._day = _rows(found, as_of, tuple(self.attributes))
        least = config.training.min_customers
        if self.latest.features.num_rows < least:
            raise TooFewCustomersError(
                f"observations: {self.latest.features.num_rows} customers; expected at least {least} "
                "(training.min_customers) to learn from."
            )

    def of(self, task: Task) -> History:
        """What a task is learnt from: the rows whose answer is known, a part of which is held out.

        Raises DataError where there is none.
        """
        horizon = task.horizon(self.config)
        asked = ~np.isnan(task.label(self._rows.outcome, self.config))
        needed = {"churn": "label", "uplift": "treated and outcome"}.get(task.name, "an answer")
        if not asked.any():
            raise DataError(f"observations: no row has a value in {needed}; expected some, for the task {task.name}.")
        if asked.sum() < _LEAST:
            raise TooFewCustomersError(
                f"observations: {asked.sum()} rows have a value in {needed}; expected at least {_LEAST}, for the task "
                f"{task.name}."
            )
        rows, day = self._rows.take(asked), self._day[asked]
        known, held = parts(rows, day, horizon, self.config.seed)
        back = History((rows.take(known),), rows.take(held), horizon, horizon, None, formulas=False)
        whole = History((rows,), self.latest, horizon, horizon, back, formulas=False, mixed=parted(day))
        return concerned(whole, task, self.config)


AnyArchive: TypeAlias = Archive | Observed


def archive_of(config: Config, ws: Workspace, as_of: date, note: Note = silent) -> AnyArchive:
    """What a training may look back at: a history, or observations where there is none."""
    return Observed(config, ws, as_of, note) if alone(ws.tables()) else Archive(config, ws, as_of, note)


def draws(ids: Sequence[str], *seed: object) -> NDArray[np.uint64]:
    """A number for each id that depends on it and the seed alone, in a fixed pseudo-random order.

    >>> bool(draws(["a", "b"], 7)[1] == draws(["b"], 7)[0])
    True
    """
    start = ".".join(map(str, seed))
    hashed = (hashlib.sha256(f"{start}.{name}".encode()).digest()[:8] for name in ids)
    return np.array([int.from_bytes(digest, "big") for digest in hashed], dtype=np.uint64)


def _rows(observations: ibis.Table, as_of: date, names: tuple[str, ...]) -> tuple[Snapshot, NDArray[np.float64]]:
    """Every observation with its answers, and the day of each since 1970 (NaN: not said), in a fixed order.

    What is no attribute has a name that no attribute can have.
    """
    import ibis
    import pyarrow as pa

    wall = ibis.literal(midnight(as_of), type="timestamp")
    rows = observations.filter(observations.as_of.isnull() | (observations.as_of < wall)).distinct()
    columns = features_of(rows, names)
    answers = {f" {name}": rows[name].cast("float64") for name in ANSWERS}
    days = rows.as_of.date().epoch_days().cast("float64")
    table: pa.Table = rows.select("customer_id", **{" day": days}, **columns, **answers).to_pyarrow()
    table = table.sort_by([(name, "ascending") for name in ("customer_id", " day", *names, *answers)])
    day = pa.repeat(pa.scalar(as_of), table.num_rows)
    features = table.select(["customer_id", *names]).add_column(1, "as_of", day)
    labels = table.select(["customer_id", *answers]).rename_columns(["customer_id", *ANSWERS])
    return Snapshot(as_of, features, labels), table[" day"].to_numpy().astype(np.float64)


def parted(day: NDArray[np.float64]) -> bool:
    """Whether rows are judged part by part: those without time, as long as they are not very many."""
    return not in_time(day) and day.size < _VAST


def in_time(day: NDArray[np.float64]) -> bool:
    """Whether all rows say when they were observed, and it was not one day."""
    return not np.isnan(day).any() and bool(np.ptp(day) > 0)


def parts(
    rows: Snapshot, day: NDArray[np.float64], horizon: timedelta, seed: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """What a rehearsal learns from, and what it is judged on.

    In time, the rows of the last days that hold about a fifth; of the earlier ones those whose horizon had ended by
    then, if they are enough.
    """
    if not in_time(day):
        part = draws(rows.outcome.ids.tolist(), seed, "held out") % np.uint64(_HELD_OUT)
        held = part == 0
        return ~held, held
    days = np.unique(day)[1:]
    shares = np.array([(day >= d).mean() for d in days])
    first = days[int(np.argmin(np.abs(shares - 1 / _HELD_OUT)))]
    settled = day + horizon / timedelta(days=1) <= first
    return settled if settled.sum() >= _FEWEST else day < first, day >= first


def answerable(config: Config, ws: Workspace) -> Config:
    """The settings with the tasks that the tables can answer, where the config names none itself.

    Observations may lack a label, or who was contacted; campaigns may lack a control group, or outcomes.
    """
    if "tasks" in config.model_fields_set:
        return config
    kept = tuple(task for task in config.tasks if _told(task, ws))
    return config.model_copy(update={"tasks": kept}) if kept else config


def _told(task: str, ws: Workspace) -> bool:
    """Whether the tables have answers to a task that is learnt from answers that they hold."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    if alone(ws.tables()):
        table = pq.read_table(ws.table("observations"), columns=list(ANSWERS))
        needed = {"churn": ("label",), "uplift": ("treated", "outcome")}.get(task, ())
        return all(table[name].null_count < table.num_rows for name in needed)
    if task != "uplift":
        return True
    if "campaigns" not in ws.tables():
        return False
    table = pq.read_table(ws.table("campaigns"), columns=["treated", "responded", "revenue"])
    known = pc.or_(pc.is_valid(table["responded"]), pc.is_valid(table["revenue"]))
    treated = pc.filter(table["treated"], known)
    return all((pc.sum(pc.equal(treated, arm)).as_py() or 0) >= _FEWEST for arm in (True, False))
