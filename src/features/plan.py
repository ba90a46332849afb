"""What several snapshots have in common, found from the families' own expressions, as queries for DuckDB.

Between two snapshots, most customers have no new rows. What does not mention the snapshot is the same for them at both:
it is computed for the customers whose rows have changed, and kept for the others. What does mention it is taken from
facts that are folded (:mod:`~.folds`) and kept in the same way. Which is which is found by writing every expression at
each of the snapshots and comparing: what is the same at all of them does not depend on which. A family or a fact that
is written in some other way is not wrong here, only slower: it is computed anew for everyone at every snapshot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..asof import seen
from .facts import Facts, Moment, known
from .folds import Fold, alike, fields, moved
from .table import measures

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import ibis

    from .family import Family


@dataclass(frozen=True)
class Plan:
    """Queries over tables of a DuckDB connection.

    Attributes
    ----------
    columns
        By canonical table, the columns that are looked at.
    once
        Tables to make, in this order, from ``seen_<table>``, the rows of the customers who have ``changed``.
    kept
        Tables in which the rows of those customers are to be replaced, after that.
    settled
        The features of those customers that are the same at every snapshot until there are new rows.
    final
        By snapshot, ``customer_id``, ``as_of`` and the other features of everyone, from the tables that are kept and
        from ``rows_<table>``, all rows.
    names
        All features, in order.
    """

    columns: Mapping[str, tuple[str, ...]]
    once: Mapping[str, str]
    kept: Mapping[str, str]
    settled: str
    final: tuple[str, ...]
    names: tuple[str, ...]


def plan(
    schemas: Mapping[str, Any], days: Sequence[date], families: Sequence[Family], others: Sequence[date] = ()
) -> Plan:
    """The plan for snapshots on some days, oldest first.

    Parameters
    ----------
    schemas
        The Ibis schemas of the canonical tables, with ``customer_id`` as a whole number.
    days
        The snapshots.
    families
        The families to build; all their tables are there.
    others
        Days on which what is kept must be right as well, though no snapshot is taken on them now.
    """
    made = _Planner(schemas, [*days, *others], families)
    final = tuple(made.final(number) for number in range(len(days)))
    return Plan(made.columns(), made.once(), made.kept(), made.settled(), final, made.names)


class _Planner:
    """Writes everything at each of the snapshots, and compares."""

    def __init__(self, schemas: Mapping[str, Any], days: Sequence[date], families: Sequence[Family]) -> None:
        import ibis

        self._days, self._families = days, families
        self._schemas = schemas
        self._shared: list[tuple[str, ibis.Table]] = []
        rows = {name: ibis.table(schema, name=f"rows_{name}") for name, schema in schemas.items()}
        self._direct = [Facts(rows, day, lambda table: table) for day in days]
        self._bare = [_Bare(schemas, day, self._share) for day in days]
        self._facts = {name: [bare[name] for bare in self._bare] for name in _used(families)}
        self._blank = {name: ibis.table(facts[0].schema(), name=f"blank_{name}") for name, facts in self._facts.items()}
        self._fixed: dict[str, dict[str, Any]] = {}
        self._folds: dict[str, Fold] = {}
        self._anew: dict[str, dict[str, list[Any]]] = {}
        self._sort_measures()
        self._folded = {f"folded_{name}": fold.folded(self._facts[name][0]) for name, fold in self._folds.items()}
        self._sort_features()
        self._sort_reasons()

    @property
    def names(self) -> tuple[str, ...]:
        """All features, in order."""
        return tuple(self._features)

    def _share(self, query: ibis.Table) -> ibis.Table:
        """A table that holds the rows of a query, made once however many ask for it."""
        import ibis

        names = [name for name, other in self._shared if other.equals(query)]
        if not names:
            names = [f"shared_{len(self._shared)}"]
            self._shared.append((names[0], query))
        return ibis.table(query.schema(), name=names[0])

    def _sort_measures(self) -> None:
        """Into those that are fixed, those that fold, and those that are taken anew at each snapshot."""
        by_day = [measures(_Blank(self._blank, Moment(day)), self._families) for day in self._days]
        self._types: dict[str, Any] = {}
        for name, facts in self._facts.items():
            fold = Fold(self._blank[name])
            fixed, anew = self._fixed.setdefault(name, {}), self._anew.setdefault(name, {})
            for label, value in by_day[0][name].items():
                values = [made[name][label] for made in by_day]
                self._types[label] = value.type()
                if not alike(facts):
                    anew[label] = values
                elif alike(values):
                    fixed[label] = value
                elif not fold.add(label, values):
                    anew[label] = values
            if fold.labels:
                self._folds[name] = fold
                if _computed(facts[0]):  # once for the fixed measures and for the fold
                    self._facts[name] = [self._share(facts[0])] * len(facts)

    def _sort_features(self) -> None:
        """Into those that are fixed, and those that mention the snapshot or a measure that does."""
        import ibis

        flags = dict.fromkeys(["entitled", *(f"has_{name}" for name in self._folds)], "boolean")
        self._row = ibis.table({"customer_id": "int64", **flags, **self._types}, name="joined")
        self._features: dict[str, list[Any]] = {}
        for family in self._families:
            by_day = [family.formulas(self._row, Moment(day)) for day in self._days]
            self._features |= {f.name: [made[f.name] for made in by_day] for f in family.features}
        fixed = {label for some in self._fixed.values() for label in some}
        self._settled = {
            name for name, values in self._features.items() if alike(values) and fields(values[0]) <= fixed
        }
        late = [value for name, values in self._features.items() if name not in self._settled for value in values]
        self._carried = sorted(fixed & set().union(*(fields(value) for value in late)))

    def _sort_reasons(self) -> None:
        """Reasons to get a row: those that are fixed, and those that mention the snapshot, by their places."""
        reasons = list(zip(*(bare.entitled for bare in self._bare), strict=True))
        self._fixed_reasons = {f"reason_{i}": some[0] for i, some in enumerate(reasons) if alike(some)}
        self._later_reasons = [i for i, some in enumerate(reasons) if not alike(some)]

    def once(self) -> dict[str, str]:
        """Shared facts, as far as they are needed, fixed measures, and whom a fixed reason entitles to a row."""
        made = {name: reason.distinct() for name, reason in self._fixed_reasons.items()}
        for name, labels in self._known.items():
            facts = self._facts[name][0]
            there = {f"has_{name}": facts.count() > 0} if name in self._folds else {}
            made[f"fixed_{name}"] = self._taken(name, facts, labels, there)
        needed = set().union(*(_tables(query) for query in [*made.values(), *self._folded.values()]))
        for name, query in reversed(self._shared):
            if name in needed:
                needed |= _tables(query)
        shared = {name: query for name, query in self._shared if name in needed}
        return {name: _narrow(query) for name, query in (shared | made).items()}

    def kept(self) -> dict[str, str]:
        """What to know of each customer who has changed, and their facts, folded."""
        flags = [f"has_{name}" for name in self._folds]
        kept = self._row.select("customer_id", "entitled", *flags, *self._carried)
        return {"kept": self._changed(kept), **{name: _narrow(query) for name, query in self._folded.items()}}

    def settled(self) -> str:
        """The features that are fixed."""
        fixed = {name: self._features[name][0] for name in self.names if name in self._settled}
        return self._changed(self._row.select("customer_id", **fixed))

    def _changed(self, query: ibis.Table) -> str:
        """A query over the fixed measures of those customers who have changed, and whether they get a row by them."""
        joined = "".join(f" LEFT JOIN fixed_{name} USING (customer_id)" for name in self._known)
        entitled = " OR ".join(f"customer_id IN (FROM {name})" for name in self._fixed_reasons) or "false"
        return f"WITH joined AS (SELECT *, {entitled} AS entitled FROM changed{joined}) FROM ({_sql(query)})"

    def final(self, number: int) -> str:
        """The features that are not fixed of everyone at a snapshot, by its number."""
        import ibis

        direct = self._direct[number]
        joined, zeros, entitled = [], [], ["entitled"]
        entitled += [f"customer_id IN ({_sql(direct.entitled[place])})" for place in self._later_reasons]
        for name, fold in self._folds.items():
            facts = ibis.table(self._folded[f"folded_{name}"].schema(), name=f"folded_{name}")
            joined.append(fold.at(facts, number))
            zeros += [f"CASE WHEN has_{name} THEN coalesce({label}, 0) END AS {label}" for label in fold.counts]
        for name, labels in self._anew.items():
            if labels:
                now = {label: values[number] for label, values in labels.items()}
                joined.append(self._taken(name, direct[name], now))
        later = {name: values[number] for name, values in self._features.items() if name not in self._settled}
        day = ibis.literal(self._days[number], type="date")
        more = "".join(f" LEFT JOIN ({_narrow(query)}) USING (customer_id)" for query in joined)
        replaced = f" REPLACE ({', '.join(zeros)})" if zeros else ""
        row = f"WITH joined AS (SELECT *{replaced} FROM kept{more} WHERE {' OR '.join(entitled)}) "
        return f"{row}FROM ({_sql(self._row.select('customer_id', as_of=day, **later))})"

    def _taken(
        self, name: str, facts: ibis.Table, values: Mapping[str, Any], more: Mapping[str, Any] | None = None
    ) -> ibis.Table:
        """Measures, by customer, of facts of some name, and ``more`` of them."""
        taken = {label: moved(value, self._blank[name], facts) for label, value in values.items()}
        return facts.group_by("customer_id").aggregate(**taken, **(more or {}))

    @property
    def _known(self) -> dict[str, dict[str, Any]]:
        """The facts of which something is fixed, or of which it is to be known that there are any."""
        return {name: labels for name, labels in self._fixed.items() if labels or name in self._folds}

    def columns(self) -> dict[str, tuple[str, ...]]:
        """By canonical table, the columns that are looked at."""
        direct = [facts[name] for facts in self._direct for name, labels in self._anew.items() if labels]
        later = [facts.entitled[place] for facts in self._direct for place in self._later_reasons]
        shared = [query for _, query in self._shared]
        bare = [facts[0] for facts in self._facts.values()]
        looked_at = set().union(*(fields(query) for query in [*direct, *later, *shared, *bare]))
        return {name: tuple(c for c in schema if c in looked_at) for name, schema in self._schemas.items()}


class _Blank:
    """Facts without rows, to write measures over."""

    def __init__(self, tables: Mapping[str, ibis.Table], at: Moment) -> None:
        self._tables = tables
        self.at = at

    def __getitem__(self, name: str) -> ibis.Table:
        return self._tables[name]


class _Bare:
    """Facts over rows that are known to be seen: the same at every snapshot, unless they mention it in another way."""

    def __init__(self, schemas: Mapping[str, Any], day: date, share: Any) -> None:
        import ibis

        tables = {name: ibis.table(schema, name=f"seen_{name}") for name, schema in schemas.items()}
        self._walls: dict[Any, Any] = {}
        for table in tables.values():
            self._walls |= {way(table, day).op(): table.op() for way in (seen, known)}
        self._facts = Facts(tables, day, lambda table: share(self._without(table)))

    def _without(self, query: ibis.Table) -> ibis.Table:
        bare: ibis.Table = query.op().replace(self._walls).to_expr()
        return bare

    def __getitem__(self, name: str) -> ibis.Table:
        return self._without(self._facts[name])

    @property
    def entitled(self) -> tuple[ibis.Table, ...]:
        return tuple(self._without(reason) for reason in self._facts.entitled)


def _used(families: Sequence[Family]) -> list[str]:
    return list(dict.fromkeys(name for family in families for name in family.measures))


def _tables(query: ibis.Table) -> set[str]:
    from ibis.expr.operations import UnboundTable

    return {table.name for table in query.op().find(UnboundTable)}


def _sql(query: ibis.Table) -> str:
    import ibis

    return str(ibis.to_sql(query, dialect="duckdb"))


def _computed(query: ibis.Table) -> bool:
    """Whether a query does more than pick rows and columns of a table."""
    from ibis.expr.operations import Aggregate, WindowFunction

    return bool(query.op().find((Aggregate, WindowFunction)))


def _narrow(query: ibis.Table) -> str:
    """A query whose whole numbers have 64 bits: DuckDB makes sums of 128, of which sums and joins are slower."""
    columns = (f'"{c}"::BIGINT AS "{c}"' if dtype.is_int64() else f'"{c}"' for c, dtype in query.schema().items())
    return f"SELECT {', '.join(columns)} FROM ({_sql(query)})"
