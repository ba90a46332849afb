"""From canonical tables to one row per customer: the one place where families meet."""

from __future__ import annotations

import hashlib
import pkgutil
from functools import cache
from importlib import import_module, resources
from typing import TYPE_CHECKING, Any

from ..errors import CustidError, DataError
from ..workspace import fingerprint as digest_of
from .engines import connect
from .facts import Facts
from .observations import HISTORY, alone, attributes, described, newest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import date

    import ibis
    import pyarrow as pa

    from ..config import Config
    from ..workspace import Workspace
    from .facts import Population, Shaped, Stage
    from .family import Family, Feature

__all__ = [
    "attributes",
    "build",
    "catalogue",
    "catalogue_of",
    "collect",
    "connect",
    "families",
    "fingerprint",
    "open_tables",
    "purchase_days",
    "used",
]

USED = ("transactions", "events", "feedback", "campaigns", "subscriptions", "customers")
"""The canonical tables that features look at, where there is a history."""


def used(tables: Collection[str]) -> tuple[str, ...]:
    """The tables among these that features look at: observations alone where there is no history.

    >>> used(["customers", "observations", "transactions"]), used(["customers", "observations"])
    (('transactions', 'customers'), ('observations',))
    """
    return ("observations",) if alone(tables) else tuple(name for name in USED if name in tables)


BEFORE = ("events", "feedback", "campaigns", "customers")
"""Those that say something of people who have not bought yet."""


@cache
def _all_families() -> tuple[Family, ...]:
    package = __name__.rpartition(".")[0]
    modules = (m.name for m in pkgutil.iter_modules(import_module(package).__path__))
    found = (getattr(import_module(f"{package}.{name}"), "FAMILY", None) for name in sorted(modules))
    return tuple(family for family in found if family is not None)


def families(tables: Collection[str] | None = None) -> tuple[Family, ...]:
    """The families whose tables are there, by name; all of them without ``tables``.

    Examples
    --------
    >>> [family.name for family in families(["customers"])]
    ['demographics', 'moment']
    """
    if tables is not None and alone(tables):
        return ()
    return tuple(family for family in _all_families() if tables is None or family.needs <= set(tables))


def catalogue_of(trained: Mapping[str, Any]) -> tuple[Feature, ...]:
    """The features that a release was trained on, from what its manifest says of them."""
    return described(trained.get("attributes") or {}) or catalogue(trained["tables"])


def catalogue(tables: Collection[str] | None = None) -> tuple[Feature, ...]:
    """The features that can be built from these tables, in the order of the columns.

    Examples
    --------
    >>> {f.name: f.unit for f in catalogue(["transactions"])}["spend_90"]
    'money'
    """
    return tuple(feature for family in families(tables) for feature in family.features)


def fingerprint(tables: Collection[str]) -> str:
    """A digest of the features of these tables: their names, and the code that makes them."""
    files = sorted(
        (entry.name, hashlib.sha256(entry.read_bytes()).hexdigest())
        for entry in resources.files(__name__.rpartition(".")[0]).iterdir()
        if entry.name.endswith(".py")
    )
    return digest_of([feature.name for feature in catalogue(tables)], files)


def open_tables(con: Any, config: Config, ws: Workspace, identity: pa.Table | None = None) -> dict[str, ibis.Table]:
    """The canonical tables of a workspace with ``customer_id``, without the rows that the config drops.

    Who is who is read from the workspace, unless ``identity`` (source, record_id, customer_id) says otherwise.

    Where cancellations are dropped, ``cancelled_at`` stays a column of transactions, and each snapshot leaves out what
    had been cancelled by then; else the column is not there.

    Raises
    ------
    DataError
        There is no table to build features from.
    """
    there = used(ws.tables())
    if not {*HISTORY, "observations"} & set(there):
        raise DataError(
            f"workspace: {str(ws.root)!r} holds no table of transactions, subscriptions or observations; expected one "
            "of them among the sources."
        )
    import ibis

    who = con.read_parquet(str(ws.identity)) if identity is None else ibis.memtable(identity)
    who = who.select("source", "record_id", "customer_id")
    own = con.to_pyarrow(who.filter(who.customer_id != who.record_id).count()).as_py() == 0
    tables = {}
    for name in there:
        rows = con.read_parquet(str(ws.table(name)))
        own_id = rows.mutate(customer_id=rows.record_id)
        tables[name] = own_id if own else rows.inner_join(who, ["source", "record_id"])
    if "transactions" in tables:
        tables["transactions"] = wanted(tables["transactions"], config.quality.drop)
    return tables


def wanted(transactions: ibis.Table, drop: Collection[str]) -> ibis.Table:
    """Transactions without the flagged rows that the setting ``quality.drop`` names (see :func:`open_tables`)."""
    flags = {"duplicates": "duplicate", "cancellations": "cancellation", "non_products": "non_product"}
    for name in sorted(drop):
        flagged = transactions[flags[name]]
        transactions = transactions.filter(flagged.isnull() | ~flagged)
    return transactions if "cancellations" in drop else transactions.drop("cancelled_at")


def build(
    tables: Mapping[str, ibis.Table],
    snapshot: date,
    *,
    only: Collection[str] | None = None,
    staged: bool = True,
    who: Population = "customers",
) -> ibis.Table:
    """The features of every customer, or of every prospect, at a snapshot, as one expression.

    Parameters
    ----------
    tables
        Canonical tables by name, with ``customer_id`` (:func:`open_tables`); times in UTC, amounts in fixed point.
    snapshot
        The midnight before which a row must have been known.
    only
        Names of the families to build; all whose tables are there by default.
    staged
        Compute what several families share at once, into temporary tables that go when the expression does; else the
        expression is one query, as the endpoint compiles it. The rows are the same.
    who
        Customers, or prospects: people who had registered or visited before the snapshot, and never bought or
        subscribed. Of these, there are the families that need no purchase.

    Returns
    -------
    ibis.Table
        ``customer_id``, ``as_of`` (date) and the columns of :func:`catalogue`: doubles, and text for names. A row for
        every customer with a purchase, or an open subscription, before the snapshot, or for every prospect; of
        observations, which come without a history, the attributes that each customer was last observed with.
    """
    import ibis

    if "observations" in tables:
        return newest(tables["observations"], snapshot)
    stage: Stage = ibis.Table.cache if staged else _as_it_is
    facts = Facts(tables, snapshot, stage, who)
    told = [name for name in tables if who == "customers" or name in BEFORE]
    chosen = [family for family in families(told) if only is None or family.name in only]
    row = facts.population
    for name, taken in measures(facts, chosen).items():
        mine = stage(facts[name].group_by("customer_id").aggregate(**taken))
        row = row.left_join(mine, "customer_id").drop("customer_id_right")
    columns: dict[str, Any] = {}
    for family in chosen:
        formulas = family.formulas(row, facts.at)
        columns |= {feature.name: formulas[feature.name] for feature in family.features}
    return row.select("customer_id", as_of=ibis.literal(snapshot, type="date"), **columns)


def _as_it_is(table: ibis.Table) -> ibis.Table:
    return table


def measures(facts: Shaped, chosen: Iterable[Family]) -> dict[str, dict[str, Any]]:
    """The aggregates of all families by facts; a name that stands for two different things is a mistake of ours."""
    merged: dict[str, dict[str, Any]] = {}
    for family in chosen:
        for name, measure in family.measures.items():
            ours = merged.setdefault(name, {})
            for label, value in measure(facts[name], facts.at).items():
                if label in ours and not ours[label].equals(value):
                    raise CustidError(f"features: {family.name} and another family both call a measure {label!r}.")
                ours[label] = value
    return merged


def purchase_days(tables: Mapping[str, ibis.Table], snapshot: date) -> ibis.Table:
    """Each customer's days with a purchase, as known before a snapshot.

    Returns
    -------
    ibis.Table
        ``customer_id`` and ``day`` (since 1970); no row without transactions.
    """
    import ibis

    if "transactions" not in tables:
        return ibis.memtable({"customer_id": [], "day": []}, schema={"customer_id": "string", "day": "int64"})
    days = Facts(tables, snapshot, _as_it_is).days
    return days.select("customer_id", "day").order_by("customer_id", "day")


def collect(features: ibis.Table) -> pa.Table:
    """The rows of an expression as an Arrow table, sorted by ``customer_id``."""
    table: pa.Table = features.to_pyarrow()
    return table.sort_by("customer_id")
