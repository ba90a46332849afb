"""Campaigns as a history: who was contacted and who kept back, with the features of their day and what came of it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from ...asof import midnight
from ...errors import DataError
from ...tables import SCALE
from ..history import History, Snapshot
from ..labelled.observed import parted, parts

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from ..archive import Archive

_EPOCH = date(1970, 1, 1)


def contacts(archive: Archive) -> History:
    """What the task uplift is learnt from: a snapshot for each day on which contacts were made.

    Features are those of the midnight before the contact. Where there are more such days than ``training.snapshots``,
    contacts take those of the latest of as many days, evenly spread over the contacts, that does not lie after theirs.
    Contacts whose window had not ended by the day of the archive are left aside, as are customers who were not known
    yet. The newest days are held out.

    Raises
    ------
    DataError
        Where no contact is left, or nobody was contacted, or nobody kept back.
    """
    config = archive.config
    day = archive.latest.day
    rows = _settled(archive, day)
    snapshots, days = [], []
    for at, mine in _by_day(rows, config.training.snapshots):
        found = _joined(archive.snapshot(at), mine)
        if found.features.num_rows:
            snapshots.append(found)
            days.append(np.full(found.features.num_rows, float((at - _EPOCH).days)))
    treated = np.concatenate([s.outcome.known["treated"] for s in snapshots]) if snapshots else np.zeros(0)
    if not 0 < treated.sum() < treated.size:
        raise DataError(
            f"campaigns: {int(treated.sum()):,} contacted and {int(treated.size - treated.sum()):,} kept back among "
            f"customers who were known, with {_outcome(rows)} told, {config.uplift.window.days} days or more before "
            f"{day} (uplift.window); expected some of both."
        )
    return _history(archive, tuple(snapshots), np.concatenate(days))


def _history(archive: Archive, snapshots: tuple[Snapshot, ...], day: NDArray[np.float64]) -> History:
    config = archive.config
    window = config.uplift.window
    whole = _together(snapshots, archive.latest.day)
    known, held = parts(whole, day, window, config.seed)
    sizes = np.cumsum([0, *(s.features.num_rows for s in snapshots)])
    earlier = [s.take(known[a:b]) for s, a, b in zip(snapshots, sizes, sizes[1:], strict=False)]
    back = History(
        tuple(s for s in earlier if s.features.num_rows), whole.take(held), window, window, None, formulas=False
    )
    return History(snapshots, archive.latest, window, window, back, formulas=False, mixed=parted(day))


def _settled(archive: Archive, day: date) -> pa.Table:
    """Contacts whose window has ended: customer_id, day (since 1970), treated, outcome; in a fixed order."""
    import ibis

    found = archive.tables(day)["campaigns"]
    ended = ibis.literal(midnight(day - archive.config.uplift.window), type="timestamp")
    found = found.filter(found.ts < ended)
    money = found.revenue.cast("float64") / ibis.literal(float(SCALE))
    table = found.select(
        "customer_id",
        "campaign_id",
        day=found.ts.date().epoch_days().cast("int64"),
        ts=found.ts,
        treated=found.treated.cast("float64"),
        responded=found.responded.cast("float64"),
        revenue=money,
    ).to_pyarrow()
    wanted = archive.config.uplift.outcome or _first_told(table)
    table = table.sort_by([(name, "ascending") for name in ("customer_id", "ts", "campaign_id", "treated", wanted)])
    return table.select(["customer_id", "day", "treated", wanted])


def _first_told(table: pa.Table) -> str:
    return "responded" if table["responded"].null_count < table.num_rows else "revenue"


def _outcome(rows: pa.Table) -> str:
    return str(rows.column_names[-1])


def _by_day(rows: pa.Table, most: int) -> list[tuple[date, pa.Table]]:
    """The contacts of each day whose features they take, oldest first."""
    import pyarrow as pa

    day = rows["day"].to_numpy()
    distinct = np.unique(day)
    if distinct.size > most:
        places = np.linspace(0, day.size - 1, most + 1)[:-1].round().astype(int)
        distinct = np.unique(np.sort(day)[places])
    taken = np.searchsorted(distinct, day, side="right") - 1
    return [
        (_EPOCH + timedelta(days=int(at)), rows.filter(pa.array(taken == number)))
        for number, at in enumerate(distinct.tolist())
    ]


def _joined(snapshot: Snapshot, rows: pa.Table) -> Snapshot:
    """The features of those who were in a campaign, with what came of the first on these days."""
    import pyarrow as pa
    import pyarrow.compute as pc

    ids = rows["customer_id"].to_numpy(zero_copy_only=False).astype(str)
    _, first = np.unique(ids, return_index=True)
    rows = rows.take(pa.array(first))
    where = pc.index_in(rows["customer_id"], snapshot.features["customer_id"])
    known = pc.is_valid(where)
    rows, where = rows.filter(known), where.filter(known)
    labels = pa.table(
        {
            "customer_id": rows["customer_id"],
            "treated": rows["treated"],
            "outcome": rows[_outcome(rows)],
        }
    )
    return Snapshot(snapshot.day, snapshot.features.take(where), labels)


def _together(snapshots: tuple[Snapshot, ...], day: date) -> Snapshot:
    """All rows as one snapshot."""
    import pyarrow as pa

    features: Any = pa.concat_tables([s.features for s in snapshots])
    return Snapshot(day, features, pa.concat_tables([s.labels for s in snapshots]))
