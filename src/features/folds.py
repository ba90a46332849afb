"""Facts folded once, so that measures of many snapshots are taken from a few rows.

A measure such as ``lines.amount.sum(where=(lines.amount > 0) & at.within(lines.day, 90))`` has a part that is the same
at every snapshot, the lines above 0, and a part that is not, the window. Facts are grouped by the columns that the
second part looks at (the day), with an aggregate per group of what the first part leaves; at a snapshot, the groups
that the second part lets in are added up. Which part is which is found by comparing the measure's expressions at the
snapshots, so a family says nothing of it. Counts, sums, least, greatest and numbers of different values of whole
numbers fold, and fold exactly; what does not is taken from the facts anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import ibis

    Merge = Callable[[ibis.Table, int], Any]

KINDS = frozenset({"CountStar", "Count", "Sum", "Min", "Max", "CountDistinct"})
"""The aggregates that fold."""


def moved(value: Any, here: ibis.Table, there: ibis.Table) -> Any:
    """An expression over one table as the same expression over another."""
    return value.op().replace({here.op(): there.op()}).to_expr()


def fields(value: Any) -> set[str]:
    """Names of the columns that an expression looks at."""
    from ibis.expr.operations import Field

    return {field.name for field in value.op().find(Field)}


def alike(values: Sequence[Any]) -> bool:
    """Whether expressions are the same."""
    return all(value.equals(values[0]) for value in values[1:])


class Fold:
    """The facts of one name, folded for measures that depend on the snapshot.

    Parameters
    ----------
    blank
        A table of the facts' columns, over which the measures are written.

    Examples
    --------
    >>> import ibis
    >>> lines = ibis.table({"customer_id": "int64", "day": "int64", "amount": "int64"}, name="lines")
    >>> fold = Fold(lines)
    >>> fold.add("month", [lines.amount.sum(where=(lines.amount > 0) & (lines.day >= day)) for day in (10, 40)])
    True
    >>> folded = fold.folded(lines)
    >>> folded.columns, fold.at(folded, 0).columns
    (('customer_id', 'day', 'part_0'), ('customer_id', 'month'))
    >>> fold.add("middle", [lines.amount.median(where=lines.day >= day) for day in (10, 40)])
    False
    """

    def __init__(self, blank: ibis.Table) -> None:
        self._blank = blank
        self._keys: set[str] = set()
        self._parts: list[Any] = []
        self._taken: dict[str, _Taken] = {}

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the measures that are taken from the folded facts."""
        return tuple(self._taken)

    @property
    def counts(self) -> tuple[str, ...]:
        """Those that are 0, and not unknown, where the conditions let nothing in."""
        return tuple(label for label, taken in self._taken.items() if "Count" in taken.kind)

    def add(self, label: str, values: Sequence[Any]) -> bool:
        """Take in a measure, written at each of the snapshots; False where it does not fold."""
        found = [_Aggregate.of(value) for value in values]
        taken = [a for a in found if a is not None]
        if len(taken) < len(found) or len({(a.kind, len(a.conditions)) for a in taken}) > 1:
            return False
        same = [alike(condition) for condition in zip(*(a.conditions for a in taken), strict=True)]
        early = [c for c, fixed in zip(taken[0].conditions, same, strict=True) if fixed]
        late = [[c for c, fixed in zip(a.conditions, same, strict=True) if not fixed] for a in taken]
        merge = self._added_up(taken, early, late) or self._taken_apart(taken, early, late)
        if merge is None:
            return False
        self._keys |= set().union(*(fields(condition) for conditions in late for condition in conditions))
        self._taken[label] = _Taken(taken[0].kind, merge, late)
        return True

    def folded(self, facts: ibis.Table) -> ibis.Table:
        """The facts by customer and the columns that the snapshots' conditions look at, with the parts' aggregates."""
        parts = {f"part_{i}": moved(part, self._blank, facts) for i, part in enumerate(self._parts)}
        return facts.group_by("customer_id", *sorted(self._keys)).aggregate(**parts)

    def at(self, folded: ibis.Table, number: int) -> ibis.Table:
        """The measures at a snapshot, by its number, of the customers of whom its conditions let in some facts."""
        rows, late = folded, [self._there(taken.late[number], folded) for taken in self._taken.values()]
        if all(late):  # else a measure looks at all facts
            let_in = {condition.op(): condition for condition in (reduce(and_, some) for some in late)}
            rows = folded.filter(reduce(or_, let_in.values()))
        return rows.group_by("customer_id").aggregate(**{n: t.merge(rows, number) for n, t in self._taken.items()})

    def _added_up(self, taken: list[_Aggregate], early: list[Any], late: list[list[Any]]) -> Merge | None:
        """What is aggregated is the same at every snapshot: a part per group of facts, and the parts together."""
        kind, args = taken[0].kind, [a.arg for a in taken]
        if kind == "CountDistinct" or not alike(args):
            return None
        part = self._part(_aggregate(self._blank, kind, args[0], early))

        def merge(folded: ibis.Table, number: int) -> Any:
            where = self._there(late[number], folded)
            if kind in {"Count", "CountStar"}:
                return _aggregate(folded, "Sum", folded[part], where).coalesce(0)
            return _aggregate(folded, kind, folded[part], where)

        return merge

    def _taken_apart(self, taken: list[_Aggregate], early: list[Any], late: list[list[Any]]) -> Merge | None:
        """What is aggregated depends on the snapshot, or repeats do not count: it is a group's own, times its facts."""
        kind, args = taken[0].kind, [a.arg for a in taken]
        if kind == "Count":
            return None
        n = self._part(_aggregate(self._blank, "CountStar", None, early))
        self._keys |= set().union(*(fields(arg) for arg in args))

        def merge(folded: ibis.Table, number: int) -> Any:
            (arg,) = self._there([args[number]], folded)
            where = [*self._there(late[number], folded), folded[n] > 0]
            return _aggregate(folded, kind, arg * folded[n] if kind == "Sum" else arg, where)

        return merge

    def _part(self, value: Any) -> str:
        """The name of a part; the same for measures that share it."""
        places = [i for i, part in enumerate(self._parts) if part.equals(value)]
        if not places:
            self._parts.append(value)
        return f"part_{places[0] if places else len(self._parts) - 1}"

    def _there(self, values: Sequence[Any], folded: ibis.Table) -> list[Any]:
        return [moved(value, self._blank, folded) for value in values]


@dataclass(frozen=True)
class _Taken:
    """How a measure is taken from folded facts, and its conditions at each of the snapshots."""

    kind: str
    merge: Merge
    late: list[list[Any]]


@dataclass(frozen=True)
class _Aggregate:
    """A measure taken apart: the kind of aggregate, what it aggregates, and the conditions that all must hold."""

    kind: str
    arg: Any
    conditions: tuple[Any, ...]

    @classmethod
    def of(cls, value: Any) -> _Aggregate | None:
        op = value.op()
        kind = type(op).__name__
        if kind not in KINDS or value.type().is_floating():
            return None
        conditions = () if op.where is None else tuple(condition.to_expr() for condition in _conjuncts(op.where))
        return cls(kind, value.op().arg.to_expr(), conditions)


def _aggregate(table: ibis.Table, kind: str, arg: Any, conditions: Sequence[Any]) -> Any:
    import ibis.expr.operations as ops

    where = reduce(and_, conditions) if conditions else None
    return table.count(where=where) if kind == "CountStar" else getattr(ops, kind)(arg, where=where).to_expr()


def _conjuncts(op: Any) -> list[Any]:
    from ibis.expr.operations import And

    return [*_conjuncts(op.left), *_conjuncts(op.right)] if isinstance(op, And) else [op]
